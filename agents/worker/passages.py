"""Long texts: the passages that matter for a question, within a budget, in order, gaps marked and counted."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GAP = "[…]"
# Okapi BM25 (Robertson and Walker, 1994) with its usual constants.
_K1, _B = 1.2, 0.75
_LONGEST = 600  # characters of one passage
_EDGE_SHARE = 4  # beginning and end get up to this part of the budget each


@dataclass(frozen=True, slots=True)
class Passages:
    """The chosen text; ``left_out`` counts the characters of the original that are not in it."""

    text: str
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    words: tuple[str, ...]


def choose(text: str, question: str, budget: int) -> Passages:
    """Return at most ``budget`` characters of ``text``: its beginning, its end and what is relevant between them."""
    if len(text) <= budget:
        return Passages(text)
    pieces = list(_pieces(text))
    edge = budget // _EDGE_SHARE
    head, tail = _edges(text, pieces, edge)
    taken: list[tuple[int, int]] = [head, tail]
    room = budget - sum(end - start for start, end in taken) - 2 * _gap_cost()
    inner = [piece for piece in pieces if piece.start >= head[1] and piece.end <= tail[0]]
    for piece in _ranked(inner, _words(question)):
        cost = piece.end - piece.start + _gap_cost()
        if cost <= room:
            taken.append((piece.start, piece.end))
            room -= cost
    return _joined(text, taken)


def share(lengths: Sequence[int], budget: int) -> list[int]:
    """Divide ``budget`` among texts: short ones whole, the others alike."""
    shares = [0] * len(lengths)
    order = sorted(range(len(lengths)), key=lambda place: lengths[place])
    for done, place in enumerate(order):
        shares[place] = min(lengths[place], max(0, budget) // (len(order) - done))
        budget -= shares[place]
    return shares


def _gap_cost() -> int:
    return len(GAP) + 2


def _pieces(text: str) -> Iterator[_Piece]:
    """Yield paragraphs; a long one is cut after sentences or lines, in need between words, at last anywhere."""
    for paragraph in re.finditer(r"\S(?:.|\n(?!\s*\n))*", text):
        start, end = paragraph.start(), paragraph.start() + len(paragraph.group().rstrip())
        while start < end:
            stop = end if end - start <= _LONGEST else _cut(text, start, start + _LONGEST)
            yield _Piece(start, stop, _words(text[start:stop]))
            start = stop
            while start < end and text[start].isspace():
                start += 1


def _cut(text: str, start: int, limit: int) -> int:
    for ending in (r"[.!?]\s|\n", r"\s"):
        found = [match.end() for match in re.finditer(ending, text[start:limit])]
        if found and found[-1] > _LONGEST // 3:
            return start + len(text[start : start + found[-1]].rstrip())
    return limit


def _edges(text: str, pieces: Sequence[_Piece], edge: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the beginning and the end, of whole passages where they fit, never longer than ``edge`` each."""
    heads = [piece.end for piece in pieces if piece.end <= edge]
    tails = [piece.start for piece in pieces if len(text) - piece.start <= edge]
    head = max(heads, default=edge)
    return (0, head), (min(tails, default=len(text) - edge), len(text))


def _ranked(pieces: Sequence[_Piece], question: Sequence[str]) -> list[_Piece]:
    """Order passages by BM25 against the question, equal ones as they stand in the text."""
    if not pieces:
        return []
    average = sum(len(piece.words) for piece in pieces) / len(pieces) or 1.0
    holding = Counter(word for piece in pieces for word in set(piece.words))
    weight = {word: math.log(1 + (len(pieces) - holding[word] + 0.5) / (holding[word] + 0.5)) for word in set(question)}

    def score(piece: _Piece) -> float:
        counts = Counter(piece.words)
        norm = _K1 * (1 - _B + _B * len(piece.words) / average)
        return sum(weight[word] * counts[word] * (_K1 + 1) / (counts[word] + norm) for word in weight if counts[word])

    return sorted(pieces, key=score, reverse=True)


def _joined(text: str, taken: Sequence[tuple[int, int]]) -> Passages:
    parts: list[str] = []
    kept = reached = 0
    for start, end in sorted(taken):
        between = text[reached:start]
        if between.strip():
            parts.append(f"\n{GAP}\n")
        else:
            parts.append(between if len(between) <= _gap_cost() else "\n\n")
            kept += len(between)
        parts.append(text[start:end])
        kept += end - start
        reached = end
    return Passages("".join(parts), len(text) - kept)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.findall(r"\w+", text.casefold()) if len(word) > 2)  # noqa: PLR2004 - stop words
