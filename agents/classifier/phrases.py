"""Many phrases looked for at once: an index by word, so that the cost does not grow with their number."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
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
    """Phrases matched without regard to case, at word borders.

    Each is filed under the word of its own that the fewest others have, so that thousands of phrases that begin alike
    ("Project …") cost no more than one.
    """

    def __init__(self, phrases: Iterable[str] = (), onto: Mapping[str, tuple[_Entry, ...]] | None = None) -> None:
        self._entries = dict(onto or {})
        split = {phrase: list(_WORD.finditer(fold(phrase))) for phrase in phrases}
        shared = Counter(word.group() for words in split.values() for word in words)
        new: dict[str, set[_Entry]] = {}
        for phrase, words in split.items():
            if words:
                rarest = min(words, key=lambda word: (shared[word.group()] + self._filed(word), -len(word.group())))
                new.setdefault(rarest.group(), set()).add(_Entry(phrase, fold(phrase), rarest.start()))
        for word, entries in new.items():
            every = entries.union(self._entries.get(word, ()))
            self._entries[word] = tuple(sorted(every, key=lambda entry: (-len(entry.phrase), entry.phrase)))

    def changed(self, added: Collection[str], removed: Iterable[str]) -> "PhraseIndex":
        """Return an index with some phrases more and some fewer; this one stays as it is."""
        gone = set(removed)
        touched = {word.group() for phrase in gone for word in _WORD.finditer(fold(phrase))} & self._entries.keys()
        rest = {word: tuple(entry for entry in self._entries[word] if entry.phrase not in gone) for word in touched}
        there = {entry.phrase for phrase in added for entry in self._under(phrase)} - gone
        return PhraseIndex((phrase for phrase in added if phrase not in there), {**self._entries, **rest})

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

    def _filed(self, word: re.Match[str]) -> int:
        return len(self._entries.get(word.group(), ()))

    def _under(self, phrase: str) -> Iterator[_Entry]:
        for word in _WORD.finditer(fold(phrase)):
            yield from (entry for entry in self._entries.get(word.group(), ()) if entry.phrase == phrase)


def _bordered(text: str, start: int, end: int) -> bool:
    opens = start == 0 or not (_is_word(text[start - 1]) and _is_word(text[start]))
    closes = end == len(text) or not (_is_word(text[end - 1]) and _is_word(text[end]))
    return opens and closes


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
