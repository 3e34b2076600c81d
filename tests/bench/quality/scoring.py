"""What an answer is worth: whether a value is a right one, what became of it, and how sure a share is."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from hybridmesh.agents.worker.confirmation import ValueType, stands_in
from hybridmesh.agents.worker.numbers import parse_number

Z95 = 1.959964
_CURRENCY = re.compile(r"[$£€]\s?\d|\d\s?[$£€]")
_LEADING = re.compile(
    r"(?:(?:the|an?|on|at|in|until|by|my|der|die|das|den|dem|des|eine?[nmrs]?|am|im|zum|vom|bis|um|nach|les?|la|une?|du|à|au"
    r"|jusqu'au|el|l[oa]s|una?|al?|hasta|de)\s+|[ld]')+"
)

# right and absent are as they should be; missing and unconfirmed say nothing; wrong would pass for right.
FieldOutcome = Literal["right", "absent", "missing", "unconfirmed", "wrong"]
GOOD: frozenset[str] = frozenset({"right", "absent", "yes-yes", "no-no", "flawed-refused"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """One judged answer: the row it counts in, what it was (``right`` or another word), and the answer itself."""

    row: str
    language: str
    case: str
    outcome: str
    given: str = ""

    @property
    def good(self) -> bool:
        """Whether it is as it should be."""
        return self.outcome in GOOD


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many were good, with the 95 % interval of Wilson."""

    good: int
    of: int
    outcomes: Counter[str] = field(default_factory=Counter[str])

    @property
    def share(self) -> float:
        """The share itself."""
        return self.good / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies, 19 times of 20."""
        return wilson(self.good, self.of)


def wilson(good: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson, 1927), which holds for few cases too."""
    if not of:
        return 0.0, 1.0
    share, square = good / of, Z95 * Z95
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = Z95 / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def judge_value(given: str | None, gold: Sequence[str], text: str, kind: ValueType = "text") -> FieldOutcome:
    """Say what became of a value that was given for a field, None for none.

    ``unconfirmed`` does not stand in the text and is dropped by the agents; ``wrong`` stands there and is another
    one's.
    """
    if given is None or not given.strip():
        return "missing" if gold else "absent"
    if any(_CURRENCY.search(right) for right in gold):
        kind = "money"
    if not stands_in(given, text, kind):
        return "unconfirmed"
    return "right" if any(_same(given, right, kind) for right in gold) else "wrong"


def tally(outcomes: Sequence[Outcome]) -> dict[tuple[str, str], Share]:
    """Return the share of each row and language, and of each row over ``all`` languages."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        for language in (outcome.language, "all"):
            groups.setdefault((outcome.row, language), []).append(outcome)
    return {
        key: Share(sum(one.good for one in group), len(group), Counter(one.outcome for one in group))
        for key, group in groups.items()
    }


def _same(given: str, right: str, kind: ValueType) -> bool:
    """Compare amounts by value and texts without case, articles before them and punctuation around them."""
    if kind in {"number", "money"} or _CURRENCY.search(right):
        return (number := parse_number(given)) is not None and number == parse_number(right)
    return _flat(given) == _flat(right)


def _flat(text: str) -> str:
    plain = re.sub(r"^[\W_]+|[\s.,;:!?\"»”]+$", "", " ".join(text.casefold().split()))
    return _LEADING.sub("", plain) or plain
