"""How the words of a text are written, as the token classifier reads it: its vocabulary has small letters only."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

KINDS = 4  # of a word: small letters or none, a capital first, capitals only, mixed
_SMALL, _CAPITAL_FIRST, _CAPITALS, _MIXED = range(KINDS)
_CAPITALISED = re.compile(r"(?<![^\W\d_])[^\W\d_]*[^\W\d_a-zß-öø-ÿ][^\W\d_]*")

Cases = npt.NDArray[np.int64]


def cases(text: str, offsets: Sequence[tuple[int, int]]) -> Cases:
    """Return the kind of the word that each token is of; every piece of a word has the kind of the whole."""
    by_char = np.zeros(len(text) + 1, dtype=np.int64)
    for word in _CAPITALISED.finditer(text):
        by_char[word.start() : word.end()] = _kind(word.group())
    return by_char[np.fromiter((start for start, _ in offsets), dtype=np.int64, count=len(offsets))]


def _kind(word: str) -> int:
    if word == word.lower():
        return _SMALL
    if len(word) > 1 and word.isupper():
        return _CAPITALS
    return _CAPITAL_FIRST if word[0].isupper() and word[1:] == word[1:].lower() else _MIXED
