"""A text as the detector reads it (NFKC, no invisible characters), with the way back to the text as written."""

import unicodedata
from dataclasses import dataclass

from hybridmesh.schemas.privacy import Span


@dataclass(frozen=True, slots=True)
class Normalised:
    """``text`` for detection; character ``i`` of it stands for ``starts[i]:ends[i]`` of the original.

    ``starts`` is None when nothing changed.
    """

    text: str
    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None

    def in_original(self, span: Span) -> Span:
        """Return the span with offsets in the original text."""
        if self.starts is None or self.ends is None:
            return span
        return span.model_copy(update={"start": self.starts[span.start], "end": self.ends[span.end - 1]})


def normalise(text: str) -> Normalised:
    """Return the text in NFKC without format characters (zero-width, soft hyphen, bidi marks).

    A lone surrogate, which no encoder can read, becomes U+FFFD.
    """
    if text.isascii() or (unicodedata.is_normalized("NFKC", text) and not any(map(_is_odd, text))):
        return Normalised(text)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and (unicodedata.combining(text[end]) or _is_invisible(text[end])):
            end += 1
        piece = unicodedata.normalize("NFKC", "".join(map(_readable, text[at:end])))
        pieces.append(piece)
        starts.extend([at] * len(piece))
        ends.extend([end] * len(piece))
        at = end
    return Normalised("".join(pieces), tuple(starts), tuple(ends))


def _is_invisible(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char) == "Cf"


def _is_odd(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char) in ("Cf", "Cs")


def _readable(char: str) -> str:
    if _is_invisible(char):
        return ""
    return "\ufffd" if unicodedata.category(char) == "Cs" else char
