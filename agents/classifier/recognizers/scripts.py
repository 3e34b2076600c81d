"""Words in scripts that the token classifier cannot read: unread text is treated as private."""

import re
import unicodedata
from collections.abc import Iterator

from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED
from hybridmesh.schemas.privacy import Span

_LAST_LATIN = 0x24F  # end of Latin Extended-B; what NFKC leaves above it, but for Latin Extended Additional, is foreign
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f'’-])+")


def is_foreign(char: str) -> bool:
    """Say whether a letter belongs to another script than Latin."""
    return ord(char) > _LAST_LATIN and char.isalpha() and not unicodedata.name(char, "").startswith("LATIN")


class ScriptRecognizer:
    """Words of two letters or more with a letter of another script; single letters (5 μm, π) are symbols."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the words."""
        if text.isascii():
            return
        for match in _WORD.finditer(text):
            if any(is_foreign(char) for char in match.group()):
                yield Span(start=match.start(), end=match.end(), type="FOREIGN_TEXT", score=0.7, source=SHAPED)


def foreign_share(text: str) -> float:
    """Return the share of letters in other scripts, 0 to 1."""
    letters = foreign = 0
    if text.isascii():
        return 0.0
    for char in text:
        if char.isalpha():
            letters += 1
            foreign += is_foreign(char)
    return foreign / letters if letters else 0.0


RECOGNIZERS = (ScriptRecognizer(),)
