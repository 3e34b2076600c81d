"""Letters of other scripts that look like Latin ones: Unicode's confusables (UTS #39), as a package ships them."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, cast

_LAST_LATIN = 0x24F  # below it, letters are Latin ones of some language and stay


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
