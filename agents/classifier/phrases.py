"""Many phrases looked for at once: an index by first word, so that the cost does not grow with their number."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_WORD = re.compile(r"\w+")


def fold(text: str) -> str:
    """Return the text in lower case, every character at its old place (those that would grow stay as they are)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def is_same(phrase: str, found: str) -> bool:
    """Say whether ``found``, which equals the phrase but for case, is it.

    A single word (a name such as Will or May) must be written as it was, or with a capital: in lower case it is
    most often another word. Anything longer, or with a digit, is itself in any case.
    """
    if found == phrase or not phrase.isalpha():
        return True
    return found[:1].isupper()


@dataclass(frozen=True, slots=True)
class _Entry:
    phrase: str
    folded: str
    offset: int


class PhraseIndex:
    """Phrases matched without regard to case, at word borders."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._entries: dict[str, list[_Entry]] = {}
        for phrase in sorted(set(phrases), key=len, reverse=True):
            folded = fold(phrase)
            first = _WORD.search(folded)
            if first is not None:
                self._entries.setdefault(first.group(), []).append(_Entry(phrase, folded, first.start()))

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and the phrase of each occurrence; occurrences may overlap."""
        if not self._entries:
            return
        folded = fold(text)
        for word in _WORD.finditer(folded):
            for entry in self._entries.get(word.group(), ()):
                start = word.start() - entry.offset
                end = start + len(entry.folded)
                if start >= 0 and folded.startswith(entry.folded, start) and _bordered(folded, start, end):
                    yield start, end, entry.phrase


def _bordered(text: str, start: int, end: int) -> bool:
    opens = start == 0 or not (_is_word(text[start - 1]) and _is_word(text[start]))
    closes = end == len(text) or not (_is_word(text[end - 1]) and _is_word(text[end]))
    return opens and closes


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
