"""Letters that look like others, by Unicode's confusables (UTS #39) as a package ships them, and invisible signs."""

import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, cast

_LAST_LATIN = 0x24F  # below it, letters are Latin ones of some language and stay
# Shown as nothing, and not of category Cf: fillers, joiners, variation selectors and a blank Braille cell.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)


@cache
def look_alikes() -> Mapping[str, str]:
    """Return the ASCII letter or digit that a character looks like, of the same case where there is one."""
    package: Any = import_module("confusable_homoglyphs.confusables")  # has no types of its own
    data = cast("dict[str, list[dict[str, str]]]", package.confusables_data)
    found: dict[str, str] = {}
    for char, entries in data.items():
        if len(char) != 1 or ord(char) <= _LAST_LATIN:
            continue
        plain = [
            entry["c"] for entry in entries if len(entry["c"]) == 1 and entry["c"].isascii() and entry["c"].isalnum()
        ]
        if plain:
            found[char] = min(plain, key=lambda letter: (letter.isupper() != char.isupper(), letter))
    return found


def is_invisible(char: str) -> bool:
    """Say whether a character is shown as nothing."""
    return not char.isascii() and (char in _BLANK or unicodedata.category(char) == "Cf")


def in_ascii(text: str) -> str:
    """Return a text with the ASCII letters and digits that its own look like, without accents and what nobody sees.

    For comparing only: it says nothing any more where words of another script stood.
    """
    if text.isascii():
        return text
    table = look_alikes()
    shown = (char for char in unicodedata.normalize("NFKD", text) if not is_invisible(char))
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else table.get(char, char)
        for char in shown
        if not unicodedata.combining(char)
    )
