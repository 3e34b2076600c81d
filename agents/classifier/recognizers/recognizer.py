"""The shape of every recognizer, and the one that most of them are: a pattern, a check, and words around it."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from hybridmesh.schemas.privacy import Span

_REACH = 48  # characters before a value in which a context word speaks for it
_BEHIND = 32  # characters behind it: "44051401359 (PESEL)", "536904399 is my SSN"
_LINK = re.compile(
    r"[ ,]?[ ]?[(–=-]?[ ]?(?:(?:is|was|ist|war|est|es|è|to|jest) )?"
    r"(?:(?:my|his|her|their|our|the|a|mein|meine|ihre?|mon|ma|mi|la|el|le|il|mijn|zijn|moj[ae]?) ){0,2}"
)

CHECKED = "checksum"  # the source of a span whose check digits hold: it wins the type of overlapping spans
SHAPED = "pattern"


class Recognizer(Protocol):
    """Finds private values of one family by their form; pure."""

    def find(self, text: str) -> Iterable[Span]:
        """Yield a span for each value; spans of one recognizer may overlap."""
        ...


def words(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern of context words; each is a regex that starts at a word's start."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})", re.IGNORECASE)


def near(text: str, start: int, context: re.Pattern[str], end: int | None = None) -> bool:
    """Say whether a context word stands shortly before ``start``, in the same paragraph, or right behind ``end``."""
    before = text[max(0, start - _REACH) : start].rpartition("\n\n")[2]
    if context.search(before) is not None:
        return True
    link = None if end is None else _LINK.match(text, end)
    return link is not None and link.end() - link.start() < _BEHIND and context.match(text, link.end()) is not None


@dataclass(frozen=True, slots=True)
class PatternRecognizer:
    """A pattern whose group ``value`` (or whole match) is private.

    With ``check`` (check digits) and no ``context``, only values that hold are found. With ``context`` a value is
    found after one of its words whether its digits hold or not, as a mistyped number is as private as a right one;
    ``alone`` says that a value whose check digits hold needs no context.
    """

    type: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool] | None = None
    context: re.Pattern[str] | None = None
    alone: bool = False
    score: float = 0.9

    def find(self, text: str) -> Iterator[Span]:
        """Yield the values that stand the test."""
        group: Literal["value", 0] = "value" if "value" in self.pattern.groupindex else 0
        for match in self.pattern.finditer(text):
            start, end = match.span(group)
            if start >= end:
                continue
            held = self.check is not None and self.check(match.group(group))
            if self._accepts(text, start, end, held=held):
                source = CHECKED if held else SHAPED
                yield Span(start=start, end=end, type=self.type, score=1.0 if held else self.score, source=source)

    def _accepts(self, text: str, start: int, end: int, *, held: bool) -> bool:
        if held and (self.alone or self.context is None):
            return True
        if self.context is None:
            return self.check is None
        return near(text, start, self.context, end)


@dataclass(frozen=True, slots=True)
class Gated:
    """Recognizers that find nothing in a text without their ``trigger``, which is looked for once for all of them."""

    trigger: re.Pattern[str]
    members: tuple[Recognizer, ...]

    def find(self, text: str) -> Iterator[Span]:
        """Yield what each of them finds."""
        if self.trigger.search(text) is not None:
            for member in self.members:
                yield from member.find(text)


DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Hinted:
    """Recognizers that find nothing in a text without one of the ``hints``, which are told sooner than a pattern."""

    hints: tuple[str, ...]  # in small letters
    members: tuple[Recognizer, ...]

    def find(self, text: str) -> Iterator[Span]:
        """Yield what each of them finds."""
        lowered = text.lower()
        for hint in self.hints:
            if hint in lowered:
                for member in self.members:
                    yield from member.find(text)
                return
