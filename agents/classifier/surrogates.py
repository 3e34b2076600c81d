"""Surrogates in place of private values, minted from a keyed hash: replicas agree, and a restart changes nothing."""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.surrogates import CROCKFORD, DIGITS, LONGEST, SHORTEST, SURROGATE, Lookalike, find_lookalikes

_NOT_TYPE = re.compile(r"[^A-Z]+")


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of the original text and the surrogate that stands for it."""

    start: int
    end: int
    surrogate: str
    quoted: bool = False

    @property
    def text(self) -> str:
        """What stands in its place: a number of JSON becomes a string."""
        return f'"{self.surrogate}"' if self.quoted else self.surrogate


@dataclass(frozen=True, slots=True)
class Pseudonymised:
    """Texts with surrogates in place of their private values, what was cut from each, and surrogate to value."""

    texts: tuple[str, ...]
    cuts: tuple[tuple[Cut, ...], ...]
    originals: dict[str, str]


def mint(kind: str, value: str, key: bytes, taken: Collection[str]) -> str:
    """Return a surrogate for a value: HMAC-SHA-256 over type and value in Crockford's base 32.

    The code is the shortest prefix of four or more characters that holds a digit and is not ``taken``.

    Raises:
        ValueError: all prefixes are taken, which a keyed hash makes impossible but for a forged ``taken``.

    """
    name = _NOT_TYPE.sub("_", kind.upper()).strip("_") or "TEXT"
    message = name.encode() + b"\x00" + value.encode("utf-8", "surrogatepass")
    number = int.from_bytes(hmac.new(key, message, hashlib.sha256).digest(), "big")
    code = "".join(CROCKFORD[number >> shift & 31] for shift in range(251, -1, -5))
    for length in range(SHORTEST, LONGEST + 1):
        surrogate = f"[{name}_{code[:length]}]"
        if surrogate not in taken and any(char.isdigit() for char in code[:length]):
            return surrogate
    raise ValueError("every surrogate for a value is taken")


def pseudonymise(
    texts: Sequence[str], spans: Sequence[Sequence[Span]], key: bytes, known: Mapping[str, str]
) -> Pseudonymised:
    """Replace the spans (disjoint, in order) of each text; ``known`` are the surrogates that the scope has issued.

    One value has one surrogate in a scope, whatever type it was found as; as a number of JSON it has another. Text
    that already looks like a surrogate is cut as well, so that restoring gives it back as it was.
    """
    fragments = [list(_fragments(text, found)) for text, found in zip(texts, spans, strict=True)]
    lookalikes = [
        [_moved(start, seen) for start, part in parts for seen in find_lookalikes(part)] for parts in fragments
    ]
    taken = {*known, *(seen.surrogate for row in lookalikes for seen in row)}
    issued = {(value, _is_number(surrogate)): surrogate for surrogate, value in known.items()}
    cuts: list[tuple[Cut, ...]] = []
    for text, found, seen_here in zip(texts, spans, lookalikes, strict=True):
        wanted = [(span.start, span.end, span.type, span.bare) for span in found]
        wanted += [(seen.start, seen.end, "TEXT", False) for seen in seen_here if seen.exact or seen.surrogate in known]
        row: list[Cut] = []
        for start, end, kind, bare in sorted(wanted):
            value = text[start:end]
            if (value, bare) not in issued:
                issued[value, bare] = mint(kind + DIGITS if bare else kind, value, key, taken)
                taken.add(issued[value, bare])
            row.append(Cut(start, end, issued[value, bare], bare))
        cuts.append(tuple(row))
    originals = {cut.surrogate: text[cut.start : cut.end] for text, row in zip(texts, cuts, strict=True) for cut in row}
    return Pseudonymised(tuple(map(_apply, texts, cuts)), tuple(cuts), originals)


def holes(cuts: Sequence[Cut]) -> list[tuple[int, int]]:
    """Return where the surrogates stand in the text after the cuts."""
    places: list[tuple[int, int]] = []
    shift = 0
    for cut in cuts:
        start = cut.start + shift
        places.append((start, start + len(cut.text)))
        shift += len(cut.text) - (cut.end - cut.start)
    return places


def before_cuts(offset: int, cuts: Sequence[Cut]) -> int:
    """Return where an offset of the text after the cuts, outside of a surrogate, was before them."""
    shift = 0
    for cut, (_, end) in zip(cuts, holes(cuts), strict=True):
        if offset < end:
            break
        shift += (cut.end - cut.start) - len(cut.text)
    return offset + shift


def _is_number(surrogate: str) -> bool:
    match = SURROGATE.fullmatch(surrogate)
    return match is not None and match["type"].endswith(DIGITS)


def _fragments(text: str, spans: Sequence[Span]) -> list[tuple[int, str]]:
    edges = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    return [(start, text[start:end]) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _moved(by: int, seen: Lookalike) -> Lookalike:
    return Lookalike(seen.start + by, seen.end + by, seen.surrogate, seen.exact)


def _apply(text: str, cuts: Sequence[Cut]) -> str:
    pieces: list[str] = []
    at = 0
    for cut in cuts:
        pieces += (text[at : cut.start], cut.text)
        at = cut.end
    return "".join([*pieces, text[at:]])
