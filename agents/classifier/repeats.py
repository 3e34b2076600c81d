"""What was found once is private everywhere: repeats of found values, and the parts of a person's name alone."""

import re
from collections.abc import Iterator, Mapping, Sequence

from hybridmesh.agents.classifier.calendar_words import CALENDAR_WORDS
from hybridmesh.agents.classifier.everyday import LANGUAGES, words_of
from hybridmesh.agents.classifier.inflection import find_forms
from hybridmesh.agents.classifier.phrases import PhraseIndex, is_same
from hybridmesh.schemas.privacy import Span

_PART = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CODE = re.compile(r"-\w*\d")  # what makes the letters before it the beginning of a reference: "INC-72051"
# "jwinter84" of "jwinter84@example.org", not "info" or "hello": a name that an account was given.
_HANDLE = re.compile(r"(?=[^@]*[0-9])[\w.+-]{5,}(?=@)")
# "vermeulen" of "bas.vermeulen@example.org", and of "bas punt vermeulen apenstaartje example punt org".
_SIGN = re.compile(r"@| (?:at|ät|arroba|chiocciola|apenstaartje|małpa|aro?base|klammeraffe) ", re.IGNORECASE)
_MAIL_PART = re.compile(r"(?<![^\W_])[^\W\d_]{4,24}(?![^\W_])")
_NOBODYS = frozenset({
    "admin", "billing", "buchhaltung", "contacto", "helpdesk", "hello", "hotline", "kontakt", "newsletter", "noreply",
    "office", "postmaster", "reply", "root", "sales", "service", "support", "webmaster", "kropka", "punkt", "punto",
})  # fmt: skip
_DAY = 12  # characters of a day before its month
_DAY_BEFORE = re.compile(r"\d(?:\.|st|nd|rd|th|er|º)?,? (?:of |de |di )?$")
_YEAR_BEHIND = re.compile(r",? \d")
_LEAST = 3  # letters of a part or characters of a value that is looked for elsewhere

_NOT_PARTS = frozenset({
    "van", "von", "der", "den", "del", "della", "dos", "las", "los", "bin", "ter", "ten", "mrs", "miss", "prof",
    "herr", "frau", "madame", "monsieur", "señor", "señora", "sir", "and", "und", "the", "jr", "senior",
    "junior", "dott", "don", "doña", "mme", "mlle",
})  # fmt: skip


def find_repeats(texts: Sequence[str], spans: Sequence[Sequence[Span]], known: Mapping[str, str]) -> list[list[Span]]:
    """Return the occurrences in all texts of every found value, of ``known`` ones (value to type), and of name parts.

    A repeat has the score of what it repeats. Names are linked by their parts: after "John Smith", a capitalised
    "Smith" or "John" is a PERSON too, and other forms of a name ("Kowalskim" after "Jan Kowalski"); and after
    "jwinter84@example.org", a "jwinter84" is a USERNAME, and after "bas.vermeulen@example.org" "vermeulen" a PERSON.
    """
    values = _values(texts, spans, known)
    whole = PhraseIndex(values)
    parts = PhraseIndex(part for value, (kind, _) in values.items() if kind == "PERSON" for part in name_parts(value))
    words = {part for value, (kind, _) in values.items() if kind == "PERSON" for part in _words(value)}
    return [[*_repeats(text, whole, values), *_linked(text, parts), *_forms(text, words)] for text in texts]


def _values(
    texts: Sequence[str], spans: Sequence[Sequence[Span]], known: Mapping[str, str]
) -> dict[str, tuple[str, float]]:
    values = {value: (kind, 1.0) for value, kind in known.items() if len(value) >= _LEAST}
    for text, found in zip(texts, spans, strict=True):
        for span in found:
            value = text[span.start : span.end]
            if len(value) >= _LEAST:
                values[value] = max(values.get(value, (span.type, span.score)), (span.type, span.score), key=_score)
            if span.type == "EMAIL" and (handle := _HANDLE.match(value)):
                values.setdefault(handle.group(), ("USERNAME", span.score))
            if span.type == "EMAIL":
                for part in _mail_names(value):
                    values.setdefault(part, ("PERSON", span.score))
    return values


def _mail_names(value: str) -> Iterator[str]:
    """Yield the words before the sign of an address that are none of any language."""
    sign = _SIGN.search(value)
    if sign is None:
        return
    for part in _MAIL_PART.findall(value[: sign.start()].lower()):
        if part not in _NOBODYS and not any(part in words_of(language) for language in LANGUAGES):
            yield part


def _repeats(text: str, index: PhraseIndex, values: Mapping[str, tuple[str, float]]) -> Iterator[Span]:
    for start, end, value in index.find(text):
        if value.lower() in CALENDAR_WORDS and _is_dated(text, start, end):
            continue
        if is_same(value, text[start:end]) and not (value.isalpha() and _CODE.match(text, end)):
            kind, score = values[value]
            yield Span(start=start, end=end, type=kind, score=score, source="repeat")


def _is_dated(text: str, start: int, end: int) -> bool:
    """Say whether a month has a day or a year beside it: "3. Mai", whoever else the text is about."""
    return (
        _DAY_BEFORE.search(text, max(0, start - _DAY), start) is not None or _YEAR_BEHIND.match(text, end) is not None
    )


def _linked(text: str, index: PhraseIndex) -> Iterator[Span]:
    for start, end, _ in index.find(text):
        if text[start].isupper():
            yield Span(start=start, end=end, type="PERSON", score=0.8, source="linked")


def _forms(text: str, names: set[str]) -> Iterator[Span]:
    for start, end in find_forms(text, names):
        yield Span(start=start, end=end, type="PERSON", score=0.8, source="linked")


def _score(found: tuple[str, float]) -> float:
    return found[1]


def name_parts(name: str) -> set[str]:
    """Return the given and family names that a full name is made of; none for a single word.

    Not one that is a month as well: "4 May" is a date, whoever else the text is about.
    """
    found = [match.group() for match in _PART.finditer(name)]
    if len(found) < 2:  # noqa: PLR2004
        return set()
    return _words(name)


def _words(name: str) -> set[str]:
    found = _PART.findall(name)
    return {part for part in found if len(part) >= _LEAST and part.lower() not in _NOT_PARTS | CALENDAR_WORDS}


def position_in(word: str, name: str) -> int | None:
    """Return which word of a full name it is, in any case: 0 the first, 2 the last, 1 one between; None if it is none.

    None too where the name holds the word twice, or is a single word.
    """
    words = [match.group().casefold() for match in _PART.finditer(name)]
    if len(words) < 2 or words.count(word.casefold()) != 1:  # noqa: PLR2004
        return None
    place = words.index(word.casefold())
    return 0 if place == 0 else 2 if place == len(words) - 1 else 1
