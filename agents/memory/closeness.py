"""How near a text is to some descriptions, by its vectors: as a whole, and by the sentences that come nearest."""

import re
from collections.abc import Sequence

Vector = Sequence[float]

_MOST_SENTENCES = 40
_LEAST_CHARS = 15
_NEAREST = 3


def sentences(text: str) -> list[str]:
    """Return the sentences to compare: of a long text as many from its beginning as from its end."""
    found = [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", text)]
    whole = [part for part in found if len(part) >= _LEAST_CHARS]
    half = _MOST_SENTENCES // 2
    return whole if len(whole) <= _MOST_SENTENCES else [*whole[:half], *whole[-half:]]


def closeness(candidates: Sequence[Vector], whole: Vector, parts: Sequence[Vector]) -> tuple[float, ...]:
    """Return for each candidate the cosine with the whole text plus the mean of its nearest sentences.

    Vectors are of unit length. A single sentence often says what a message is about better than the whole does.
    """
    return tuple(_cosine(candidate, whole) + _nearest(candidate, parts) for candidate in candidates)


def _nearest(candidate: Vector, parts: Sequence[Vector]) -> float:
    best = sorted((_cosine(candidate, part) for part in parts), reverse=True)[:_NEAREST]
    return sum(best) / len(best) if best else 0.0


def _cosine(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
