"""The privacy benchmark's measures, of one detector on one corpus; their definitions are in the class below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.privacy.datasets import IGNORED, NAMES, Corpus, Labelled, Spot


@dataclass(frozen=True, slots=True)
class Score:
    """What a detector found of a corpus, without regard to types.

    ``leak`` is the share of gold spans with at least one letter or digit uncovered. ``precision`` is the share of found
    spans whose letters and digits are at least half gold, ``recall`` the share of gold spans that are at least half
    covered; ``f1`` and ``f2`` join them. ``touched`` is the share of texts without any label in which something was
    found (None where there are no such texts), ``covered`` the share of wholly covered gold spans and their number, by
    type.

    Dates, ages, nationalities and titles count on neither side: what was found mostly inside of them is not judged.
    Where only names are labelled, only found names count.
    """

    gold: int
    leak: float
    precision: float
    recall: float
    f1: float
    f2: float
    clean: int
    touched: float | None
    covered: dict[str, tuple[float, int]]


@dataclass(slots=True)
class _Tally:
    gold: int = 0
    leaked: int = 0
    half: int = 0
    found: int = 0
    right: int = 0
    clean: int = 0
    touched: int = 0
    kinds: dict[str, list[int]] = field(default_factory=dict[str, list[int]])


def score(corpus: Corpus, found: Sequence[Sequence[Spot]]) -> Score:
    """Return the measures; ``found`` holds the spans of each text, in the corpus' types."""
    tally = _Tally()
    for labelled, spots in zip(corpus.texts, found, strict=True):
        kept = [spot for spot in spots if spot[2] not in IGNORED and (spot[2] in NAMES or not corpus.names)]
        _count(tally, labelled, kept)
    precision = tally.right / tally.found if tally.found else 1.0
    recall = tally.half / tally.gold if tally.gold else 1.0
    return Score(
        gold=tally.gold,
        leak=tally.leaked / max(1, tally.gold),
        precision=precision,
        recall=recall,
        f1=_f(precision, recall, 1),
        f2=_f(precision, recall, 2),
        clean=tally.clean,
        touched=tally.touched / tally.clean if tally.clean else None,
        covered={kind: (right / total, total) for kind, (right, total) in sorted(tally.kinds.items())},
    )


def uncovered(labelled: Labelled, found: Sequence[Spot]) -> Iterator[Spot]:
    """Yield the gold spans that leak."""
    covered = _mask(len(labelled.text), found)
    for spot in labelled.gold:
        if spot[2] not in IGNORED and not all(covered[index] for index in _signs(labelled.text, spot)):
            yield spot


def unasked(labelled: Labelled, found: Sequence[Spot]) -> Iterator[Spot]:
    """Yield the found spans that are wrong."""
    gold, ignored = _masks(labelled)
    for spot in found:
        if _verdict(labelled.text, spot, gold, ignored) is False:
            yield spot


def _count(tally: _Tally, labelled: Labelled, found: Sequence[Spot]) -> None:
    gold, ignored = _masks(labelled)
    covered = _mask(len(labelled.text), found)
    for spot in labelled.gold:
        if spot[2] in IGNORED:
            continue
        signs = _signs(labelled.text, spot)
        held = sum(covered[index] for index in signs)
        kind = tally.kinds.setdefault(spot[2], [0, 0])
        kind[0] += held == len(signs)
        kind[1] += 1
        tally.gold += 1
        tally.leaked += held < len(signs)
        tally.half += 2 * held >= len(signs)
    for spot in found:
        verdict = _verdict(labelled.text, spot, gold, ignored)
        tally.found += verdict is not None
        tally.right += verdict is True
    if not labelled.gold:
        tally.clean += 1
        tally.touched += bool(found)


def _verdict(text: str, spot: Spot, gold: bytearray, ignored: bytearray) -> bool | None:
    signs = _signs(text, spot)
    private = sum(gold[index] for index in signs)
    if not private and 2 * sum(ignored[index] for index in signs) >= len(signs):
        return None
    return 2 * private >= len(signs)


def _masks(labelled: Labelled) -> tuple[bytearray, bytearray]:
    size = len(labelled.text)
    return (
        _mask(size, [spot for spot in labelled.gold if spot[2] not in IGNORED]),
        _mask(size, [spot for spot in labelled.gold if spot[2] in IGNORED]),
    )


def _mask(size: int, spots: Sequence[Spot]) -> bytearray:
    mask = bytearray(size)
    for start, end, _ in spots:
        for index in range(max(0, start), min(end, size)):
            mask[index] = 1
    return mask


def _signs(text: str, spot: Spot) -> list[int]:
    places = range(max(0, spot[0]), min(spot[1], len(text)))
    return [index for index in places if text[index].isalnum()] or list(places)


def _f(precision: float, recall: float, beta: int) -> float:
    square = beta * beta
    total = square * precision + recall
    return (1 + square) * precision * recall / total if total else 0.0
