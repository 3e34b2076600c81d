"""The grammar of surrogates (``[PERSON_7Q2M]``) and how originals are put back.

A surrogate is a type (upper-case letters, underscores between words), an underscore, and a code of four or more
characters of Crockford's base 32 of which at least one is a digit: so ``[YOUR_NAME]`` is none.

A type that ends in ``_DIGITS`` stands for a number of JSON. In its place the surrogate is a string, quotes and all, as
JSON would break without them; they go when the number comes back.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SHORTEST, LONGEST = 4, 51  # characters of a code; 51 hold a whole SHA-256

_CODE = rf"(?=[A-Z]*[0-9])[{CROCKFORD}]{{{SHORTEST},{LONGEST}}}"
SURROGATE = re.compile(rf"\[(?P<body>(?P<type>[A-Z]+(?:_[A-Z]+)*)_{_CODE})\]")

# As models give it back: another case, Markdown's backslash before the underscore, brackets lost.
_BODY = (
    r"[A-Za-z]+(?:\\?_[A-Za-z]+)*\\?_(?=[A-Za-z]*[0-9])"
    rf"[{CROCKFORD}{CROCKFORD[10:].lower()}]{{{SHORTEST},{LONGEST}}}"
)
_QUOTED = rf"(?=[A-Za-z\\_]{{1,80}}_(?i:digits)\\?_){_BODY}"
_LOOSE = re.compile(
    rf"\"\[(?P<quoted>{_QUOTED})\]\"|\[(?P<inner>{_BODY})\]|(?<!\w)(?P<bare>{_BODY})(?!\w)",
)
DIGITS = "_DIGITS"  # the end of a type that stands for a number of JSON


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A piece of text that restoring could take for a surrogate: ``surrogate`` is the one it would stand for."""

    start: int
    end: int
    surrogate: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """A text with its originals back; ``unresolved`` are surrogates in it that this scope never issued."""

    text: str
    used: frozenset[str]
    unresolved: tuple[str, ...]


def find_lookalikes(text: str) -> Iterator[Lookalike]:
    """Yield all that looks like a surrogate, exactly or as a model might write one, from left to right."""
    for match in _LOOSE.finditer(text):
        exact = SURROGATE.fullmatch(_unquoted(match)) is not None
        yield Lookalike(match.start(), match.end(), _canonical(match), exact)


def restore(text: str, originals: Mapping[str, str]) -> Restored:
    """Put the originals back in one pass from left to right; what was put in is never read again.

    ``originals`` maps the surrogates issued in this scope to values. Only these are also known in another case or
    without their brackets; a possessive or Markdown around one stays.
    """
    used: set[str] = set()
    unresolved: list[str] = []

    def replace(match: re.Match[str]) -> str:
        surrogate = _canonical(match)
        if surrogate in originals:
            used.add(surrogate)
            return originals[surrogate]
        if SURROGATE.fullmatch(_unquoted(match)):
            unresolved.append(_unquoted(match))
        return match.group()

    return Restored(_LOOSE.sub(replace, text), frozenset(used), tuple(unresolved))


def _canonical(match: re.Match[str]) -> str:
    body = match.group("quoted") or match.group("inner") or match.group("bare")
    return f"[{body.replace(chr(92), '').upper()}]"


def _unquoted(match: re.Match[str]) -> str:
    return match.group()[1:-1] if match.group("quoted") else match.group()
