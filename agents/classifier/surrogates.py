"""Surrogates in place of private values, minted from a keyed hash: replicas agree, and a restart changes nothing."""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hybridmesh.agents.classifier.repeats import name_parts, position_in
from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.surrogates import (
    CROCKFORD,
    DIGITS,
    LONGEST,
    PARTS,
    SHORTEST,
    SURROGATE,
    TYPE_WORDS,
    WORD_LETTERS,
    Lookalike,
    find_lookalikes,
    kind_of,
    stands_for_number,
)

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
    name = _type_name(kind)
    code = _code(name, value, key)
    for length in range(SHORTEST, LONGEST + 1):
        surrogate = f"[{name}_{code[:length]}]"
        if surrogate not in taken and any(char.isdigit() for char in code[:length]):
            return surrogate
    raise ValueError("every surrogate for a value is taken")


def mint_part(part: str, value: str, whole: str, key: bytes, taken: Collection[str]) -> str:
    """Return a surrogate for one word of a name: the type says which word, the code is that of the ``whole`` name.

    Where it is taken, by another spelling of the same word, the code goes on with characters of the value's own.
    """
    match = SURROGATE.fullmatch(whole)
    if match is None:
        raise ValueError("the whole is no surrogate")
    kind, code = match["type"], match["body"].removeprefix(match["type"] + "_")
    own = _code(kind, value, key)
    for length in range(LONGEST - len(code) + 1):
        surrogate = f"[{kind}_{part}_{code}{own[:length]}]"
        if surrogate not in taken:
            return surrogate
    raise ValueError("every surrogate for a part is taken")


def pseudonymise(
    texts: Sequence[str], spans: Sequence[Sequence[Span]], key: bytes, known: Mapping[str, str]
) -> Pseudonymised:
    """Replace the spans (disjoint, in order) of each text; ``known`` are the surrogates that the scope has issued.

    One value has one surrogate in a scope, whatever type it was found as; as a number of JSON it has another. A single
    word that exactly one person's name in the scope holds gets a surrogate that says so. Text that already looks like
    a surrogate is cut as well, so that restoring gives it back as it was.
    """
    fragments = [list(_fragments(text, found)) for text, found in zip(texts, spans, strict=True)]
    lookalikes = [
        [_moved(start, seen) for start, part in parts for seen in find_lookalikes(part)] for parts in fragments
    ]
    taken = {*known, *(seen.surrogate for row in lookalikes for seen in row)}
    wanted = [
        sorted(
            [(span.start, span.end, span.type, span.bare) for span in found]
            + [(seen.start, seen.end, "TEXT", False) for seen in row if seen.exact or seen.surrogate in known]
        )
        for found, row in zip(spans, lookalikes, strict=True)
    ]
    values = [
        (text[start:end], kind, bare) for text, row in zip(texts, wanted, strict=True) for start, end, kind, bare in row
    ]
    issued = _issue(values, key, known, taken)
    cuts = [
        tuple(Cut(start, end, issued[text[start:end], bare], bare) for start, end, _, bare in row)
        for text, row in zip(texts, wanted, strict=True)
    ]
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


def _issue(
    values: Sequence[tuple[str, str, bool]], key: bytes, known: Mapping[str, str], taken: set[str]
) -> dict[tuple[str, bool], str]:
    """Return a surrogate for each value, those of the scope included; whole names come first.

    A value comes with its type and with whether it is a number of JSON, the result with the latter alone.
    """
    issued = {(value, stands_for_number(surrogate)): surrogate for surrogate, value in known.items()}
    for value, kind, bare in sorted(values, key=lambda item: _is_word_of_name(*item[:2])):  # stable: else as they stand
        if (value, bare) in issued:
            continue
        named = _named_by(value, issued) if _is_word_of_name(value, kind) else None
        name = kind + DIGITS if bare else kind
        fresh = mint(name, value, key, taken) if named is None else mint_part(*named, key, taken)
        issued[value, bare] = fresh
        taken.add(fresh)
    return issued


def _is_word_of_name(value: str, kind: str) -> bool:
    return kind == "PERSON" and not name_parts(value)


def _named_by(value: str, issued: Mapping[tuple[str, bool], str]) -> tuple[str, str, str] | None:
    """Return which word of whose name a value is, and that name's surrogate; None where it is nobody's or several's."""
    found = [
        (position, surrogate)
        for (name, _), surrogate in issued.items()
        if kind_of(surrogate) == "PERSON" and (position := position_in(value, name)) is not None
    ]
    if len(found) != 1:
        return None
    (position, surrogate), *_ = found
    return PARTS[position], value, surrogate


def _type_name(kind: str) -> str:
    words = [word[:WORD_LETTERS] for word in _NOT_TYPE.split(kind.upper()) if word]
    return "_".join(words[: TYPE_WORDS - 1]) or "TEXT"


def _code(name: str, value: str, key: bytes) -> str:
    message = name.encode() + b"\x00" + value.encode("utf-8", "surrogatepass")
    number = int.from_bytes(hmac.new(key, message, hashlib.sha256).digest(), "big")
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(251, -1, -5))


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
