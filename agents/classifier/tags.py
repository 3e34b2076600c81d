"""From the token classifier's tags to spans: parts of one name or one address become one span."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hybridmesh.schemas.privacy import Span

_KINDS = {
    "GIVEN_NAME": "PERSON",
    "SURNAME": "PERSON",
    "BUILDING_NUMBER": "ADDRESS",
    "STREET_NAME": "ADDRESS",
    "SECONDARY_ADDRESS": "ADDRESS",
    "CITY": "ADDRESS",
    "STATE": "ADDRESS",
    "ZIP_CODE": "ADDRESS",
    "ROUTING_NUMBER": "BANK_ACCOUNT",
    "GOVERNMENT_ID": "NATIONAL_ID",
}
_NUMBERED = frozenset({"PHONE", "TAX_ID", "BANK_ACCOUNT", "NATIONAL_ID", "PASSPORT", "DRIVERS_LICENSE"})
_DIGITS_LEAST = 5  # of a number that identifies somebody; shorter ones are quantities
_GAPS = {"PERSON": " .'’-", "ADDRESS": " ,.\n\t-/()#"}  # what may stand between two parts
_GAP_MOST = 4
_PLACES = frozenset({"CITY", "STATE"})
_WEAK_ALONE = frozenset({"BUILDING_NUMBER", "SECONDARY_ADDRESS"})


@dataclass(frozen=True, slots=True)
class Tag:
    """One tagged token: offsets in the text, the label without its B- or I-, and 1 - P(O)."""

    start: int
    end: int
    label: str
    score: float
    begins: bool


def spans_of(text: str, tags: Sequence[Tag]) -> Iterator[Span]:
    """Yield a span for each run of tags of one kind, grown to the borders of its words.

    A number alone that was read as a house number, and an "id" of fewer than five digits, are left out: they are
    what the classifier calls order numbers and amounts.
    """
    for run in _runs(text, tags):
        labels = {tag.label for tag in run}
        kind = _kind(labels)
        start, end = _grown(text, run[0].start, run[-1].end)
        value = text[start:end]
        digits = sum(char.isdigit() for char in value)
        if labels <= _WEAK_ALONE or (kind in _NUMBERED and digits < _DIGITS_LEAST):
            continue
        if not any(char.isalnum() for char in value):
            continue
        yield Span(start=start, end=end, type=kind, score=max(tag.score for tag in run), source="model")


def _kind(labels: set[str]) -> str:
    if labels <= _PLACES:
        return "LOCATION"
    return _KINDS.get(next(iter(sorted(labels))), next(iter(sorted(labels))))


def _runs(text: str, tags: Sequence[Tag]) -> Iterator[list[Tag]]:
    run: list[Tag] = []
    for tag in tags:
        if run and not _joins(text, run[-1], tag):
            yield run
            run = []
        run.append(tag)
    if run:
        yield run


def _joins(text: str, last: Tag, tag: Tag) -> bool:
    kind = _KINDS.get(tag.label, tag.label)
    if _KINDS.get(last.label, last.label) != kind:
        return False
    gap = text[last.end : tag.start]
    if not gap:
        return True
    if kind in _GAPS:
        return len(gap) <= _GAP_MOST and all(char in _GAPS[kind] for char in gap)
    return not tag.begins and len(gap) <= _GAP_MOST


def _grown(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and _is_word(text[start - 1]) and _is_word(text[start]):
        start -= 1
    while end < len(text) and _is_word(text[end]) and _is_word(text[end - 1]):
        end += 1
    return start, end


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
