"""Puts originals back into a reply of any form, as far as its step's own prompt held their surrogates."""

from collections.abc import Mapping
from dataclasses import dataclass

from hybridmesh.schemas.plans import OutputForm
from hybridmesh.schemas.restoring import open_reply
from hybridmesh.schemas.steps import Redacted
from hybridmesh.schemas.surrogates import SURROGATE, find_lookalikes

_BORDER = "\0"


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply with its originals; ``used`` counts the surrogates replaced.

    ``unresolved`` counts those that stand in it for nothing: nobody issued them for this step, they stand where a
    value would leave again (``withheld`` of them), or they are written so that nobody can be sure of them.
    """

    text: str
    used: int
    unresolved: int
    withheld: int = 0


def issued_for(redacted: Redacted | None, originals: Mapping[str, str]) -> dict[str, str]:
    """Return the surrogates that the step's own text held: a reply that names another's does not get its value."""
    if redacted is None:
        return {}
    texts = [
        redacted.goal,
        redacted.instruction,
        *(part for item in redacted.inputs for part in (item.name, item.text)),
    ]
    seen = {match.group() for text in texts for match in SURROGATE.finditer(text)}
    return {surrogate: value for surrogate, value in originals.items() if surrogate in seen}


def restore_answer(reply: str, originals: Mapping[str, str], output: OutputForm) -> Answer:
    """Restore plain text as it stands, and JSON string by string: an original may hold quotes or line ends."""
    stream = open_reply(originals, "json" if output.kind == "json" else "text")
    text = stream.feed(reply) + stream.finish()
    tally = stream.tally
    unresolved = len(tally.unresolved) + len(tally.withheld) + _count_garbled(reply, originals)
    return Answer(text, len(tally.used), unresolved, len(tally.withheld))


def _count_garbled(reply: str, originals: Mapping[str, str]) -> int:
    """Count issued surrogates that a reply writes with other signs in between, or grown into a word."""
    pieces: list[str] = []
    at = 0
    for seen in find_lookalikes(reply):
        if seen.exact or seen.surrogate in originals:  # counted elsewhere
            pieces += (reply[at : seen.start], _BORDER)
            at = seen.end
    rest = "".join([*pieces, reply[at:]]).upper()
    packed = "".join(char for char in rest if char.isalnum() or char == _BORDER)
    return sum(packed.count("".join(filter(str.isalnum, surrogate))) for surrogate in originals)
