"""Spans as a set: overlaps become their outermost union, and the surest finding gives it its type."""

from collections.abc import Iterable, Sequence

from hybridmesh.agents.classifier.recognizers.recognizer import CHECKED
from hybridmesh.schemas.privacy import Findings, Span

GUESSES = frozenset({"model", "repeat", "linked"})  # sources of what no form and no list says to be private


def resolve(spans: Iterable[Span]) -> list[Span]:
    """Return disjoint spans in order, each the union of those that overlap.

    The type is that of a span whose check digits hold, else SECRET, for it keeps the text at home, else of the longest,
    else of the one with the best score. The source is a guess only where all of them are.
    """
    merged: list[list[Span]] = []
    end = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if merged and span.start < end:
            merged[-1].append(span)
            end = max(end, span.end)
        else:
            merged.append([span])
            end = span.end
    return [_union(group) for group in merged]


def subtract(spans: Iterable[Span], holes: Sequence[tuple[int, int]], text: str) -> list[Span]:
    """Return what the spans hold outside of ``holes`` (disjoint, in order), without rests of mere punctuation."""
    rests: list[Span] = []
    for span in spans:
        at = span.start
        for start, end in (
            *((start, end) for start, end in holes if start < span.end and end > span.start),
            (span.end, span.end),
        ):
            cut = min(start, span.end)
            rest = _trimmed(text, at, cut)
            if rest == (span.start, span.end):
                rests.append(span)
            elif rest is not None:
                rests.append(span.model_copy(update={"start": rest[0], "end": rest[1]}))
            at = max(at, end)
    return rests


def count(texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> Findings:
    """Return how many different values of each type were found."""
    values = {
        (span.type, text[span.start : span.end]) for text, found in zip(texts, spans, strict=True) for span in found
    }
    counts: dict[str, int] = {}
    for kind, _ in sorted(values):
        counts[kind] = counts.get(kind, 0) + 1
    return Findings(counts=counts)


def _union(group: Sequence[Span]) -> Span:
    best = max(group, key=_weight)
    if len(group) == 1:
        return best
    source = max(group, key=lambda span: (span.source not in GUESSES, _weight(span))).source
    start, end = min(span.start for span in group), max(span.end for span in group)
    return best.model_copy(update={"start": start, "end": end, "source": source})


def _weight(span: Span) -> tuple[bool, bool, int, float]:
    return span.source == CHECKED, span.type == "SECRET", span.end - span.start, span.score


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return (start, end) if start < end else None
