"""A text as the detector reads it: NFKC, nothing invisible, look-alike letters and digits as plain ones."""

import re
import unicodedata

from hybridmesh.agents.classifier.recognizers.scripts import is_foreign
from hybridmesh.agents.classifier.views import View
from hybridmesh.schemas.confusables import is_invisible, look_alikes

_DASHES = frozenset(
    "\u2010\u2011\u2212"
)  # hyphens and minus signs; dashes of a sentence stay, but for those in numbers
_LONG_DASHES = frozenset("\u2012\u2013\u2014\u2015")
# "S?o", "M?LLER", "?lvarez": what a wrong encoding leaves of an accented letter. Not "ok?Peter", nor a query of a URL.
_LOST = re.compile(
    r"(?<![^\s(\"'])(?:[^\W\d_]*(?:[?\ufffd](?=[a-zß-öø-ÿ])[a-zß-öø-ÿ]+)+|[A-ZÀ-ÖØ-Þ]*(?:[?\ufffd][A-ZÀ-ÖØ-Þ]+)+)"
    r"(?=[\s.,;:)\"']|$)"
)
_WORD = re.compile(r"[^\s()<>,;:\"'\[\]{}|]+")


def normalise(text: str) -> View:
    """Return the text in NFKC without invisible characters, its look-alikes folded (see :func:`fold_look_alikes`).

    A lone surrogate, which no encoder can read, becomes U+FFFD.
    """
    view = readable(text)
    return View(fold_look_alikes(view.text), view.starts, view.ends)


def readable(text: str) -> View:
    """Return the text in NFKC without invisible characters, in the letters that it is written in."""
    if text.isascii() or (unicodedata.is_normalized("NFKC", text) and not any(map(_is_odd, text))):
        return View(text)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and (unicodedata.combining(text[end]) or is_invisible(text[end])):
            end += 1
        piece = unicodedata.normalize("NFKC", "".join(map(_seen, text[at:end])))
        pieces.append(piece)
        starts.extend([at] * len(piece))
        ends.extend([end] * len(piece))
        at = end
    return View("".join(pieces), tuple(starts), tuple(ends))


def fold_look_alikes(text: str) -> str:
    """Return a text of the same length with the digits of any script as 0 to 9, hyphens as such, and the letters of
    another script as the Latin ones they look like, in words that hold Latin letters or digits too.

    A letter that a wrong encoding lost reads as an "a": which one it was does not matter to what finds names.
    """
    if "?" in text or "\ufffd" in text:
        text = _LOST.sub(lambda word: re.sub("[?\ufffd]", "A" if word.group().isupper() else "a", word.group()), text)
    if text.isascii():
        return text
    chars = list(text)
    for index, char in enumerate(text):
        if char.isascii():
            continue
        if char.isdecimal():
            chars[index] = str(unicodedata.decimal(char))
        elif char in _DASHES or (char in _LONG_DASHES and _in_number(text, index)):
            chars[index] = "-"
    folded = "".join(chars)
    if not any(map(is_foreign, text)):
        return folded
    return _WORD.sub(lambda word: _as_latin(word.group()), folded)


def _as_latin(word: str) -> str:
    if not any(char.isascii() and char.isalnum() for char in word) or word.isascii():
        return word
    table = look_alikes()
    return "".join(table.get(char, char) if is_foreign(char) else char for char in word)


def _in_number(text: str, index: int) -> bool:
    return 0 < index < len(text) - 1 and text[index - 1].isdecimal() and text[index + 1].isdecimal()


def _is_odd(char: str) -> bool:
    return is_invisible(char) or unicodedata.category(char) == "Cs"


def _seen(char: str) -> str:
    if is_invisible(char):
        return ""
    return "\ufffd" if unicodedata.category(char) == "Cs" else char
