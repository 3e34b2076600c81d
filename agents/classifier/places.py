"""An address is one value: its pieces, with the numbers, units and postcodes around them, become one span."""

import re
from collections.abc import Sequence

from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER
from hybridmesh.schemas.privacy import Span

_KINDS = frozenset({"ADDRESS", "LOCATION"})
_UNIT = r"(?:Suite|Ste|Apt|Apartment|Unit|Flat|Floor|Room|Box|Wohnung|Etage|Piso|interno|bât)\.? ?#?[\w-]{1,6}"
_UNIT_WORD = r"(?:Suite|Ste|Apt|Apartment|Unit|Flat|Floor|Room|Box|Wohnung|Etage|Piso)\.?"
_BREAK = r"[\s,;>.()/-]{1,6}"
_PART = rf"(?:\d{{1,6}}[A-Za-z]?|{_UNIT}|{_UNIT_WORD}|[A-Z]{{2,3}}|P\.? ?O\.? Box)"
_BETWEEN = re.compile(rf"{_BREAK}(?:{_PART}{_BREAK}){{0,4}}", re.IGNORECASE)
_BETWEEN_MOST = 40  # characters
_BEFORE = re.compile(r"(?<![\w.,-])(?:\d{1,6}[A-Za-z]? ){1,2}$")
_AFTER = re.compile(
    rf"(?:{_BREAK}{_UNIT}){{1,2}}"
    rf"|[\s,]{{1,4}}(?:[A-Z]{{2,3}} )?[{UPPER}]?(?:[{UPPER}{LETTER}]+ ){{0,2}}\d{{4,6}}(?![\w-]|[.,:]\d)",
)


def join_places(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return disjoint spans in order, with the pieces of one address joined and grown."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is not None and {last.type, span.type} <= _KINDS and _belongs(text[last.end : span.start]):
            joined[-1] = last.model_copy(update={"end": span.end, "type": "ADDRESS"})
        else:
            joined.append(span)
    return [_grown(text, joined, index) for index in range(len(joined))]


def _belongs(gap: str) -> bool:
    return len(gap) <= _BETWEEN_MOST and _BETWEEN.fullmatch(gap) is not None


def _grown(text: str, spans: Sequence[Span], index: int) -> Span:
    span = spans[index]
    if span.type != "ADDRESS":
        return span
    floor = spans[index - 1].end if index else 0
    ceiling = spans[index + 1].start if index + 1 < len(spans) else len(text)
    before = _BEFORE.search(text, floor, span.start)
    after = _AFTER.match(text, span.end, ceiling)
    start = before.start() if before else span.start
    return span.model_copy(update={"start": start, "end": after.end() if after else span.end})
