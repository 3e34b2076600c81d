"""Finds surrogates that a model copied wrongly: nobody can be sure whom they stand for, so nothing is put in."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping

from hybridmesh.schemas.confusables import in_ascii
from hybridmesh.schemas.surrogates import (
    BREAK,
    LONGEST,
    PARTS,
    SURROGATE,
    TYPE_WORDS,
    WORD_LETTERS,
    find_lookalikes,
    kind_of_type,
)

_BORDER = "\0"
_GAP = rf"\\?{BREAK}"  # inside of JSON a backslash is two


def count_miscopied(reply: str, originals: Mapping[str, str], said: str) -> int:
    """Count what means a surrogate and stays text: miscopied, with other signs in between, or grown into a word.

    Letters of another script that look like a surrogate's mean it too, and are not put back either: whoever writes
    them is no model that copies what it was shown.
    """
    rest = in_ascii(html.unescape(_without_surrogates(reply, originals)))
    own = in_ascii(_without_surrogates(said, originals)).casefold()
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
    """Find surrogates in foreign letters, and what begins with a type or ends in a code that was issued.

    Of a type it is anything in brackets, and bare words that end in a code; of a code, words in front of it.
    """
    issued = [match for surrogate in originals if (match := SURROGATE.fullmatch(surrogate))]
    found = [match.group() for match in SURROGATE.finditer(text)]
    if issued:
        kinds = sorted({kind_of_type(match["type"]) for match in issued})
        codes = sorted({match["body"].rpartition("_")[2] for match in issued})
        text = SURROGATE.sub(_BORDER, text)
        found += re.findall("|".join(_forms(kinds, codes)), text, re.IGNORECASE)
    return found


def _forms(kinds: Iterable[str], codes: Iterable[str]) -> Iterator[str]:
    types = "|".join(kind.replace("_", _GAP) for kind in kinds)
    code = rf"(?:(?:{'|'.join(PARTS)}){_GAP})?(?=[a-z]*\d)[a-z\d]{{3,{LONGEST}}}"
    yield rf"\[(?:{types}){_GAP}[^\[\]\n]{{1,{LONGEST}}}\]"
    yield rf"(?<![^\W_])(?:{types}){_GAP}{code}(?![^\W_])"
    known = "|".join(code for code in codes if not code.isdecimal())  # "report_2024" is no surrogate of that code
    if known:
        words = rf"[a-z]{{2,{WORD_LETTERS}}}(?:{_GAP}[a-z]{{1,{WORD_LETTERS}}}){{0,{TYPE_WORDS - 1}}}"
        yield rf"(?<![^\W_]){words}{_GAP}(?:{known})(?![^\W_])"
