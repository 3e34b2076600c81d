"""What was found once is private everywhere: repeats of found values, and the parts of a person's name alone."""

import re
from collections.abc import Mapping, Sequence

from hybridmesh.agents.classifier.phrases import PhraseIndex, is_same
from hybridmesh.schemas.privacy import Span

_PART = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LEAST = 3  # letters of a part or characters of a value that is looked for elsewhere

_NOT_PARTS = frozenset({
    "van", "von", "der", "den", "del", "della", "dos", "las", "los", "bin", "ter", "ten", "mrs", "miss", "prof",
    "herr", "frau", "madame", "monsieur", "señor", "señora", "sir", "and", "und", "the", "jr", "senior",
    "junior", "dott", "don", "doña", "mme", "mlle",
})  # fmt: skip


def find_repeats(texts: Sequence[str], spans: Sequence[Sequence[Span]], known: Mapping[str, str]) -> list[list[Span]]:
    """Return the occurrences in all texts of every found value, of ``known`` ones (value to type), and of name parts.

    A repeat has the score of what it repeats. Names are linked by their parts: after "John Smith", a capitalised "Smith" or "John" is a PERSON too.
    """
    values = {value: (kind, 1.0) for value, kind in known.items() if len(value) >= _LEAST}
    parts: set[str] = set()
    for text, found in zip(texts, spans, strict=True):
        for span in found:
            value = text[span.start : span.end]
            if len(value) >= _LEAST:
                values[value] = max(values.get(value, (span.type, span.score)), (span.type, span.score), key=_score)
    for value, (kind, _) in values.items():
        if kind == "PERSON":
            parts.update(name_parts(value))
    values_index, parts_index = PhraseIndex(values), PhraseIndex(parts)
    repeats: list[list[Span]] = []
    for text in texts:
        repeats.append([
            Span(start=start, end=end, type=values[phrase][0], score=values[phrase][1], source="repeat")
            for start, end, phrase in values_index.find(text)
            if is_same(phrase, text[start:end])
        ])  # fmt: skip
        repeats[-1].extend(
            Span(start=start, end=end, type="PERSON", score=0.8, source="linked")
            for start, end, _ in parts_index.find(text)
            if text[start].isupper()
        )
    return repeats


def _score(found: tuple[str, float]) -> float:
    return found[1]


def name_parts(name: str) -> set[str]:
    """Return the given and family names that a full name is made of; none for a single word."""
    found = [match.group() for match in _PART.finditer(name)]
    if len(found) < 2:  # noqa: PLR2004
        return set()
    return {part for part in found if len(part) >= _LEAST and part.lower() not in _NOT_PARTS}
