"""Many phrases looked for at once: an index by word, so that the cost does not grow with their number."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
# Blanks with a line break among them, at most, and the sign of a quoted mail behind it; a single blank is none.
_GAP = re.compile(r"(?=[\t\n]|\r\n| (?:[ \t\n]|\r\n))[ \t]*+(?:\r?\n[ \t]*+(?:>[> \t]*+)?)?")


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
    even: str
    offset: int


@dataclass(frozen=True, slots=True)
class _Even:
    """A folded text with every gap as one blank: a phrase is itself across a line break, too.

    ``blanks`` are the ends of those blanks, ``longer`` by how much the text is longer before and after each.
    """

    text: str
    blanks: list[int]
    longer: list[int]

    def place(self, offset: int) -> int:
        """Return where an offset is in the text as it was."""
        return offset + self.longer[bisect_right(self.blanks, offset)]


def _even(folded: str) -> _Even:
    pieces: list[str] = []
    blanks, longer, at = list[int](), [0], 0
    for gap in _GAP.finditer(folded):
        pieces.append(folded[at : gap.start()])
        blanks.append(gap.start() - longer[-1] + 1)
        longer.append(longer[-1] + gap.end() - gap.start() - 1)
        at = gap.end()
    return _Even(" ".join([*pieces, folded[at:]]), blanks, longer)


class PhraseIndex:
    """Phrases matched at word borders, without regard to case, to how many blanks part two words, and to a line break.

    Each is filed under the word of its own that the fewest others have, so that thousands of phrases that begin alike
    ("Project …") cost no more than one.
    """

    def __init__(self, phrases: Iterable[str] = (), onto: Mapping[str, tuple[_Entry, ...]] | None = None) -> None:
        self._entries = dict(onto or {})
        split = {phrase: list(_WORD.finditer(_even(fold(phrase)).text)) for phrase in phrases}
        shared = Counter(word.group() for words in split.values() for word in words)
        new: dict[str, set[_Entry]] = {}
        for phrase, words in split.items():
            if words:
                rarest = min(words, key=lambda word: (shared[word.group()] + self._filed(word), -len(word.group())))
                new.setdefault(rarest.group(), set()).add(_Entry(phrase, rarest.string, rarest.start()))
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
        even = _even(fold(text))
        for word in _WORD.finditer(even.text):
            for entry in self._entries.get(word.group(), ()):
                start = word.start() - entry.offset
                end = start + len(entry.even)
                if start >= 0 and even.text.startswith(entry.even, start) and _bordered(even.text, start, end):
                    yield even.place(start), even.place(end), entry.phrase

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
