"""From the token classifier's tags to spans: parts of one name or one address become one span."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hybridmesh.agents.classifier.calendar_words import CALENDAR_WORDS
from hybridmesh.agents.classifier.noise import LABEL_WORDS, SIGNS, Guess, is_noise
from hybridmesh.agents.classifier.technical_names import TECHNICAL_NAMES
from hybridmesh.agents.classifier.thresholds import Thresholds
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
_WORD = re.compile(r"\w+")
_GAPS = {"PERSON": " .'’-", "ADDRESS": " ,.\n\t-/()#"}  # what may stand between two parts
_BESIDE = frozenset({"", " ", "-", "'", "’", ". "})
_GAP_MOST = 4
_SMALL = 0.95  # what a word in small letters needs to be part of a name in a text that has capitals
_NAMES = frozenset({"GIVEN_NAME", "SURNAME", "ORGANISATION", "LOCATION", "CITY", "STATE", "STREET_NAME"})
_LABELLED = _NAMES | {"BUILDING_NUMBER", "SECONDARY_ADDRESS", "ZIP_CODE"}
_WEAK = 0.25  # share of its threshold that is enough for a capitalised word beside a name that was found
_PLACES = frozenset({"CITY", "STATE", "LOCATION"})
# "Coldwater Mill, 5 November 2026": where and when a letter was written.
_DATE = re.compile(r"[,. ]*(?<!\d)\d{1,2}\.?(?: de)? (?P<month>[^\W\d_]+)")
# "VAT Reg No:", "Partita IVA: ": at the beginning of a line, what names the value behind it.
_LABEL = re.compile(r"[ \t>*•-]{0,4}[^\W\d_][^\n:,;]{1,30}:")
_NAMES_NUMBER = re.compile(r"[.:]? ?[:.\d+(]")  # "Tel. +39", "Mobil:"; not "Iva Grusová"
_ITEM = re.compile(r"\n[ \t]*[-*•]")  # of a list: the item before it is over
_DATE_MOST = 20  # characters of a month behind a day


@dataclass(frozen=True, slots=True)
class Tag:
    """One tagged token: offsets in the text, the label without its B- or I-, and 1 - P(O)."""

    start: int
    end: int
    label: str
    score: float
    begins: bool


class _Words:
    """Where the words of a text are, so that the border of a very long one is not looked for at each of its tokens."""

    def __init__(self, text: str) -> None:
        self._starts, self._ends = list[int](), list[int]()
        for word in _WORD.finditer(text):
            self._starts.append(word.start())
            self._ends.append(word.end())

    def grown(self, start: int, end: int) -> tuple[int, int]:
        """Return a stretch that is not empty, grown to the borders of the words that it cuts."""
        return self._start(start), self._end(end)

    def _start(self, start: int) -> int:
        index = bisect_right(self._starts, start) - 1
        return self._starts[index] if index >= 0 and start < self._ends[index] else start

    def _end(self, end: int) -> int:
        index = bisect_left(self._starts, end) - 1
        return self._ends[index] if index >= 0 and end <= self._ends[index] else end


def kind_of(label: str) -> str:
    """Return the type of span that a token of this label belongs to."""
    return _KINDS.get(label, label)


def kept(text: str, tags: Sequence[Tag], thresholds: Thresholds) -> list[Tag]:
    """Return the tags that reach the threshold of their type, and the weaker parts of a name beside such a one.

    A weaker part is a capitalised word, or an initial, right beside a kept part of a person's name: "Madetoja" in
    "Pirjo Madetoja" when only the given name is sure.
    """
    cased = any(map(str.isupper, text))
    words = _Words(text)
    sure = [tag.score >= _needed(text, tag, words, thresholds, cased=cased) for tag in tags]
    for order in (range(1, len(tags)), range(len(tags) - 2, -1, -1)):
        for index in order:
            beside = index - 1 if order.step > 0 else index + 1
            if not sure[index] and sure[beside]:
                sure[index] = _is_beside(text, *sorted((tags[index], tags[beside]), key=_start)) and _is_part(
                    text, words.grown(tags[index].start, tags[index].end)[0], tags[index].score, thresholds
                )
    return [tag for tag, kept in zip(tags, sure, strict=True) if kept]


def _needed(text: str, tag: Tag, words: _Words, thresholds: Thresholds, *, cased: bool) -> float:
    """Return how sure a tag has to be; the model's vocabulary knows no capitals, so that small letters ask for more.

    Not in a text that has no capitals at all, nor between the words of a name ("Bank of England", "van der Berg").
    """
    least = thresholds.of(kind_of(tag.label))
    if cased and tag.label in _NAMES:
        start, end = words.grown(tag.start, tag.end)
        if text[start:end].islower():
            return max(least, _SMALL)
    return least


def spans_of(text: str, tags: Sequence[Tag]) -> Iterator[Span]:
    """Yield a span for each run of tags of one kind, grown to the borders of its words; noise is left out."""
    words = _Words(text)
    for whole in _runs(text, tags):
        run = _without_labels(text, whole, words)
        if not run:
            continue
        labels = {tag.label for tag in run}
        kind = _kind(labels)
        start, end = words.grown(run[0].start, run[-1].end)
        if kind in SIGNS:
            start, end = _around_sign(text, start, end, SIGNS[kind])
        if kind == "ADDRESS":
            end = _before_date(text, start, end)
        start, end = _trimmed(text, start, end)
        if start == end:
            continue
        guess = Guess(text, start, end, kind, frozenset(labels), max(tag.score for tag in run))
        if not is_noise(guess):
            yield Span(start=start, end=end, type=kind, score=guess.score, source="model")


def _without_labels(text: str, run: list[Tag], words: _Words) -> list[Tag]:
    """Return the tags of a name or an address without those at its edges that name another value: "BIC", "Tel"."""
    if run[0].label not in _LABELLED:
        return run
    start, end = 0, len(run)
    while end > start and _names_value(text, run[end - 1], words, run[0].start):
        end -= 1
    while start < end and _names_value(text, run[start], words, run[start].start):
        start += 1
    return run[start:end]


def _names_value(text: str, tag: Tag, words: _Words, begin: int) -> bool:
    start, end = words.grown(tag.start, tag.end)
    word = text[start:end].casefold()
    if word in LABEL_WORDS and (text[start:end].isupper() or _NAMES_NUMBER.match(text, end)):
        return True
    if word in TECHNICAL_NAMES and tag.label != "ORGANISATION":
        return True
    if len(word) == 1 and text.startswith(")", end):  # "C) Saturn D) Neptun"
        return True
    line = text.rfind("\n", begin, tag.start) + 1
    label = _LABEL.match(text, line) if line > begin else None
    return label is not None and end <= label.end()


def _before_date(text: str, start: int, end: int) -> int:
    """Return where an address ends, without the date behind it that it reaches into."""
    for date in _DATE.finditer(text, start, end + _DATE_MOST):
        if date.start() < end <= date.end() and date["month"].casefold() in CALENDAR_WORDS:
            return date.start()
    return end


def _around_sign(text: str, start: int, end: int, sign: str) -> tuple[int, int]:
    """Return the piece without blanks that holds the sign: what stands beside it is another value."""
    for piece in re.finditer(r"\S+", text[start:end]):
        if sign in piece.group():
            return start + piece.start(), start + piece.end()
    return start, end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a stretch without the signs at its edges that stand beside a value: ". M. Picard"."""
    while start < end and text[start] in " .,;:!?)]}>\t\r\n":
        start += 1
    while end > start and text[end - 1] in " ,;:([{<\t\r\n":
        end -= 1
    return start, end


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
    if "\n" in gap and (kind == "ORGANISATION" or _ITEM.match(gap.lstrip(" ,.\t"))):
        return False
    if kind in _GAPS:
        return len(gap) <= _GAP_MOST and all(char in _GAPS[kind] for char in gap)
    return not tag.begins and len(gap) <= _GAP_MOST


def _is_beside(text: str, left: Tag, right: Tag) -> bool:
    return {kind_of(left.label), kind_of(right.label)} == {"PERSON"} and text[left.end : right.start] in _BESIDE


def _is_part(text: str, start: int, score: float, thresholds: Thresholds) -> bool:
    return text[start].isupper() and score >= _WEAK * thresholds.of("PERSON")


def _start(tag: Tag) -> int:
    return tag.start
