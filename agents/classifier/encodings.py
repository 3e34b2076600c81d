"""What is written in a code that any reader can undo: percent signs, MIME, HTML entities, escapes, base 64 and hex."""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hybridmesh.agents.classifier.views import Drawing, View

_ROUNDS = 3  # a code within a code within a code
_CODED = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
    r"|(?P<printable>=[C-F][0-9A-F](?:=[89AB][0-9A-F]){1,3}|(?<=\w)=40(?=\w))"
    r"|(?P<entity>&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)"
    r"|(?P<escape>(?:\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2})|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}"
    r"|\\x[0-9A-Fa-f]{2})"
)
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_-])"
    r"(?:(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]{1,76}|[A-Za-z0-9+/_-]{12,}+)(?:={1,2}(?!=)|(?![A-Za-z0-9+/=_-]))"
)
_JOINT = re.compile(r"[+/_-]")  # of base 64, and also what parts a path, a query or an identifier
_JOINED_MOST = 4  # pieces between such signs that are read as one
_PIECE_LEAST = 12
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?(?P<digits>(?:[0-9A-Fa-f]{2}[ :]?){6,}(?<![ :]))(?![0-9A-Za-z])")
_SHORTEST = 6  # characters of a decoded text that could be private
_PRINTABLE = 0.97  # share of characters that a text, unlike decoded noise, has


@dataclass(frozen=True, slots=True)
class Island:
    """A stretch that decodes to a text; any change to it would break it, so that it is private as a whole or not."""

    start: int
    end: int
    text: str


def decode_inline(text: str) -> View:
    """Return the text with percent signs, entities and escapes undone, also those within each other."""
    view = View(text)
    for _ in range(_ROUNDS):
        if _CODED.search(view.text) is None:
            break
        decoded = _decoded(view.text)
        if decoded.text == view.text:
            break
        view = decoded.over(view)
    return view


def find_islands(text: str) -> Iterator[Island]:
    """Yield what decodes from base 64 or hex to readable text."""
    for match in _BASE64.finditer(text):
        found = _readable(_from_base64(match.group()))
        if found is None:
            yield from _pieces(match)
        else:
            yield Island(*match.span(), found)
    for match in _HEX.finditer(text):
        found = _readable(bytes.fromhex(re.sub("[ :]", "", match["digits"])))
        if found is not None:
            yield Island(*match.span(), found)


def _decoded(text: str) -> View:
    drawing = Drawing()
    at = 0
    for match in _CODED.finditer(text):
        drawing.keep(text[at : match.start()], at)
        at = match.end()
        if match["percent"] or match["printable"]:
            _draw_bytes(drawing, match)
        else:
            undo: Callable[[str], str] = html.unescape if match["entity"] else _unescape
            drawing.put(undo(match.group()), *match.span())
    drawing.keep(text[at:], at)
    return drawing.view()


def _draw_bytes(drawing: Drawing, match: re.Match[str]) -> None:
    """Draw each character over its own bytes; a run that is no UTF-8 stays as it is."""
    raw, at = bytes.fromhex(match.group().replace(match.group()[0], "")), match.start()
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        drawing.keep(match.group(), at)
        return
    for char in decoded:
        size = 3 * len(char.encode("utf-8"))
        drawing.put(char, at, at + size)
        at += size


def _unescape(text: str) -> str:
    codes = [int(code, 16) for code in re.findall(r"[0-9A-Fa-f]{2,6}", text.replace("\\u", " ").replace("\\x", " "))]
    if len(codes) == 2:  # noqa: PLR2004 - a pair of surrogates
        return chr(0x10000 + ((codes[0] - 0xD800) << 10) + (codes[1] - 0xDC00))
    return chr(codes[0]) if codes and codes[0] <= 0x10FFFF else text  # noqa: PLR2004 - the last code point


def _pieces(run: re.Match[str]) -> Iterator[Island]:
    """Yield what decodes of a run that does not as a whole: "unsub/bWFy…", "cfg_bWFy…"."""
    borders = [(run.start(), run.start()), *(sign.span() for sign in _JOINT.finditer(run.string, *run.span()))]
    starts = [end for _, end in borders]
    ends = [*(start for start, _ in borders[1:]), run.end()]
    read_to = run.start()
    for index, start in enumerate(starts):
        for end in reversed(ends[index : index + _JOINED_MOST]) if start >= read_to else ():
            found = _readable(_from_base64(run.string[start:end])) if end - start >= _PIECE_LEAST else None
            if found is not None:
                yield Island(start, end, found)
                read_to = end
                break


def _from_base64(text: str) -> bytes:
    packed = re.sub(r"\s", "", text).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _readable(raw: bytes) -> str | None:
    for encoding in ("utf-8", "utf-16-le"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        good = sum(char.isprintable() or char in "\r\n\t" for char in text)
        if len(text) >= _SHORTEST and good >= _PRINTABLE * len(text) and _is_plain(text):
            return text
    return None


def _is_plain(text: str) -> bool:
    """Say whether most of it is ASCII or Latin: noise that decodes by chance is not."""
    return sum(ord(char) < 0x250 for char in text) >= 0.7 * len(text)  # noqa: PLR2004 - the end of Latin Extended-B
