"""From the token classifier's tags to spans: parts of one name or one address become one span."""

import re
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
_WORD_LEAST = 3  # letters of a name in lower case: "me" and "or" are none
_SIGNS = {"URL": ".", "EMAIL": "@"}  # without which a value is none of its kind
_GAPS = {"PERSON": " .'’-", "ADDRESS": " ,.\n\t-/()#"}  # what may stand between two parts
_GAP_MOST = 4
_PLACES = frozenset({"CITY", "STATE"})
_WEAK_ALONE = frozenset({"BUILDING_NUMBER", "SECONDARY_ADDRESS"})
_POSTCODE_LEAST = 5  # letters and digits of a postcode that stands without a place: four digits are mostly a year

# "INV-2026-104", UUIDs, hexadecimal numbers, ISBNs: what the classifier, which knows no references, takes for
# licences and house numbers.
_REFERENCE = re.compile(
    r"[A-Z]{1,6}(?:-[A-Z0-9]*\d[A-Z0-9]*)+|0x[0-9A-Fa-f]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|97[89](?:-\d{1,7}){3}-[\dX]"
)
_NEVER_REFERENCES = frozenset({"EMAIL", "URL"})


@dataclass(frozen=True, slots=True)
class Tag:
    """One tagged token: offsets in the text, the label without its B- or I-, and 1 - P(O)."""

    start: int
    end: int
    label: str
    score: float
    begins: bool


def kind_of(label: str) -> str:
    """Return the type of span that a token of this label belongs to."""
    return _KINDS.get(label, label)


def spans_of(text: str, tags: Sequence[Tag]) -> Iterator[Span]:
    """Yield a span for each run of tags of one kind, grown to the borders of its words.

    References, a number alone that was read as a house number, and an "id" of fewer than five digits are left out:
    that is what the classifier, trained without them, makes of order numbers and amounts.
    """
    for run in _runs(text, tags):
        labels = {tag.label for tag in run}
        kind = _kind(labels)
        start, end = _grown(text, run[0].start, run[-1].end)
        if not _is_noise(labels, kind, text[start:end]) and not _is_reference(kind, text, start, end):
            score = max(tag.score for tag in run)
            yield Span(start=start, end=end, type=kind, score=score, source="model")


def _is_noise(labels: set[str], kind: str, value: str) -> bool:
    sign = _SIGNS.get(kind)
    if sign is not None and sign not in value:
        return True
    signs = sum(map(str.isalnum, value))
    if value.islower() and signs < _WORD_LEAST:
        return True
    digits = sum(map(str.isdigit, value))
    if signs == 0 or labels <= _WEAK_ALONE or (kind in _NUMBERED and digits < _DIGITS_LEAST):
        return True
    return labels <= {"ZIP_CODE", *_WEAK_ALONE} and signs < _POSTCODE_LEAST


def _is_reference(kind: str, text: str, start: int, end: int) -> bool:
    while start > 0 and (_is_word(text[start - 1]) or text[start - 1] == "-"):
        start -= 1
    while end < len(text) and (_is_word(text[end]) or text[end] == "-"):
        end += 1
    return kind not in _NEVER_REFERENCES and _REFERENCE.fullmatch(text[start:end].strip("-")) is not None


def _kind(labels: set[str]) -> str:
    if labels <= _PLACES:
        return "LOCATION"
    return kind_of(min(labels))


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
    kind = kind_of(tag.label)
    if kind_of(last.label) != kind:
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
