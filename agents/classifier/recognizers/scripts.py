"""Words in scripts that the token classifier cannot read: unread text is treated as private."""

import re
import unicodedata
from collections.abc import Iterator

from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED
from hybridmesh.schemas.privacy import Span

_LAST_LATIN = 0x24F  # end of Latin Extended-B; what NFKC leaves above it, but for Latin Extended Additional, is foreign
_SYMBOL_LONGEST = 2  # letters: μm, kΩ
_FOREIGN_SHARE = 0.2
_FOREIGN_LETTERS = 60  # a few names and a street in another script are cut out word by word

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f'’-])+")


def is_foreign(char: str) -> bool:
    """Say whether a letter belongs to another script than Latin."""
    return ord(char) > _LAST_LATIN and char.isalpha() and not unicodedata.name(char, "").startswith("LATIN")


class ScriptRecognizer:
    """Words in another script, and words that mix scripts; a single foreign letter (5 μm, π) is a symbol."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the words."""
        if text.isascii():
            return
        for match in _WORD.finditer(text):
            foreign = sum(map(is_foreign, match.group()))
            if foreign > 1 or (foreign == 1 and len(match.group()) > _SYMBOL_LONGEST):
                yield Span(start=match.start(), end=match.end(), type="FOREIGN_TEXT", score=0.7, source=SHAPED)


def is_unreadable(text: str) -> bool:
    """Say whether a text is largely written in other scripts: more than names and quotations among Latin words."""
    if text.isascii():
        return False
    letters = [is_foreign(char) for char in text if char.isalpha()]
    return sum(letters) > max(_FOREIGN_LETTERS, _FOREIGN_SHARE * len(letters))


RECOGNIZERS = (ScriptRecognizer(),)
