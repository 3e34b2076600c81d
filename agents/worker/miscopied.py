"""Finds surrogates that a model copied wrongly: nobody can be sure whom they stand for, so nothing is put in."""

import re
from collections.abc import Mapping

from hybridmesh.schemas.surrogates import BREAK, LONGEST, PARTS, find_lookalikes, kind_of

_BORDER = "\0"


def count_miscopied(reply: str, originals: Mapping[str, str], said: str) -> int:
    """Count what means a surrogate and stays text: miscopied, with other signs in between, or grown into a word."""
    rest = _without_surrogates(reply, originals)
    own = _without_surrogates(said, originals).casefold()
    miscopied = [found for found in _find_miscopied(rest, originals) if found.strip("[]\\").casefold() not in own]
    for found in miscopied:
        rest = rest.replace(found, _BORDER, 1)
    packed = "".join(char for char in rest.upper() if char.isalnum() or char == _BORDER)
    garbled = (packed.count("".join(filter(str.isalnum, surrogate))) for surrogate in originals)
    return len(miscopied) + sum(garbled)


def _without_surrogates(text: str, originals: Mapping[str, str]) -> str:
    """Put a border for each surrogate that the restorer knows or counts itself."""
    pieces: list[str] = []
    at = 0
    for seen in find_lookalikes(text):
        if seen.exact or seen.surrogate in originals:
            pieces += (text[at : seen.start], _BORDER)
            at = seen.end
    return "".join([*pieces, text[at:]])


def _find_miscopied(text: str, originals: Mapping[str, str]) -> list[str]:
    """Find what begins with a type that was issued: anything in brackets, and bare words that end in a code."""
    kinds = {kind for surrogate in originals if (kind := kind_of(surrogate))}
    if not kinds:
        return []
    gap = rf"\\?{BREAK}"  # inside of JSON a backslash is two
    types = "|".join(kind.replace("_", gap) for kind in sorted(kinds))
    code = rf"(?:(?:{'|'.join(PARTS)}){gap})?(?=[a-z]*\d)[a-z\d]{{3,{LONGEST}}}"
    bracketed = rf"\[(?:{types}){gap}[^\[\]\n]{{1,{LONGEST}}}\]"
    bare = rf"(?<![^\W_])(?:{types}){gap}{code}(?![^\W_])"
    return re.findall(f"{bracketed}|{bare}", text, re.IGNORECASE)
