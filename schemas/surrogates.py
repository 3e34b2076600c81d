"""The grammar of surrogates (``[PERSON_7Q2M]``) and how originals are put back, in a whole text or in a stream.

A surrogate is a type (upper-case letters, underscores between words), an underscore, and a code of four or more
characters of Crockford's base 32 of which at least one is a digit: so ``[YOUR_NAME]`` is none. One word of a name
says which: ``[PERSON_LAST_7Q2M]`` is the last word of the name that ``[PERSON_7Q2M]`` stands for.

A type that ends in ``_DIGITS`` stands for a number of JSON. In its place the surrogate is a string, quotes and all, as
JSON would break without them; they go when the number comes back.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SHORTEST, LONGEST = 4, 51  # characters of a code; 51 hold a whole SHA-256
TYPE_WORDS, WORD_LETTERS = 5, 24  # words of a type and letters of each, at most
PARTS = ("FIRST", "MIDDLE", "LAST")  # which word of a name a part is
DIGITS = "_DIGITS"  # the end of a type that stands for a number of JSON

_CODE = rf"(?=[A-Z]*[0-9])[{CROCKFORD}]{{{SHORTEST},{LONGEST}}}"
_TYPE = rf"[A-Z]{{1,{WORD_LETTERS}}}(?:_[A-Z]{{1,{WORD_LETTERS}}}){{0,{TYPE_WORDS - 1}}}"
SURROGATE = re.compile(rf"\[(?P<body>(?P<type>{_TYPE})_{_CODE})\]")

# As models give it back: another case, brackets lost or written as Markdown, HTML or a URL has them, and the
# underscore as Markdown or HTML has it.
BREAK = r"(?:\\?_|&(?:\#0{0,2}95|\#[xX]0{0,2}5[fF]|lowbar);)"
_BODY = (
    rf"[A-Za-z]{{1,{WORD_LETTERS}}}(?:{BREAK}[A-Za-z]{{1,{WORD_LETTERS}}}){{0,{TYPE_WORDS - 1}}}{BREAK}"
    rf"(?=[A-Za-z]*[0-9])[{CROCKFORD}{CROCKFORD[10:].lower()}]{{{SHORTEST},{LONGEST}}}"
)
_QUOTED = rf"(?=[A-Za-z\\_]{{1,{TYPE_WORDS * (WORD_LETTERS + 2)}}}_(?i:digits)\\?_){_BODY}"
_HTML_OPEN = r"&(?:\#0{0,2}91|\#[xX]0{0,2}5[bB]|lbrack|lsqb);"
_HTML_CLOSE = r"&(?:\#0{0,2}93|\#[xX]0{0,2}5[dD]|rbrack|rsqb);"
_LOOSE = re.compile(
    rf"(?:\"\[(?P<quoted>{_QUOTED})\]\""
    rf"|\[(?P<plain>{_BODY})\]"
    rf"|\\\[(?P<escaped>{_BODY})\\\]"
    rf"|{_HTML_OPEN}(?P<html>{_BODY}){_HTML_CLOSE}"
    rf"|%5[bB](?P<url>{_BODY})%5[dD]"
    rf"|(?:(?P<open>(?<!\\)\[)|(?<![^\W_]))(?P<bare>{_BODY})(?![^\W_])(?P<close>\])?)"
    r"(?P<host>(?=\.[A-Za-z]))?"
)
_CLOSED = re.compile(r"[^\[\]\n]*\]")
_UNCLOSED = re.compile(rf"(?<!\\)\[{_BODY}(?![^\W_])[^\[\]\n]*\Z")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_INSIDE = _LETTERS + '0123456789_\\[]&#;%"'  # no other character stands inside of a mark
# No mark is longer, with the two characters after it that it is told by.
_REACH = 2 * len("&lbrack;") + TYPE_WORDS * (WORD_LETTERS + len("&lowbar;")) + LONGEST + 2


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A piece of text that restoring could take for a surrogate: ``surrogate`` is the one it would stand for."""

    start: int
    end: int
    surrogate: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """A text with its originals back; ``unresolved`` are surrogates in it that this scope never issued."""

    text: str
    used: frozenset[str]
    unresolved: tuple[str, ...]


class Watch(Protocol):
    """Follows a text as it is written, and says whether what comes next would leave again."""

    @property
    def leaving(self) -> bool:
        """Whether the end of what was read stands inside of something that leaves."""
        ...

    def read(self, text: str) -> None:
        """Go on by a piece of the text."""
        ...


class Restorer:
    """Puts originals back into a text that comes in pieces; however it is cut, what comes out is the same.

    ``originals`` maps the surrogates that may be put back to their values. What was put in is never read for
    surrogates again. With a ``watch``, a surrogate that stands where it would leave again stays as it is, and is in
    ``withheld``. A value is written as its place needs it: ``encode`` is that of the whole text (inside a JSON
    string, say), and a mark whose brackets came as HTML or URL gets its value in that form too.
    """

    def __init__(
        self,
        originals: Mapping[str, str],
        *,
        watch: Watch | None = None,
        encode: Callable[[str], str] = str,
    ) -> None:
        self._originals = originals
        self._watch = watch
        self._encode = encode
        self._text = ""
        self._shown: list[str] = []
        self._open = 0  # brackets around what comes next
        self._at = 0  # what stands before is written already: at most one character, which borders on the next
        self.used: set[str] = set()
        self.unresolved: list[str] = []
        self.withheld: list[str] = []

    def feed(self, text: str, shown: Sequence[str] | None = None) -> str:
        """Take the next piece and return what is certain by now.

        ``shown`` are the pieces of source that stand for each character of ``text``, where these are not the same.
        """
        self._text += text
        self._shown += text if shown is None else shown
        # A character that no mark holds is a border; the two characters after a mark must be there as well.
        border = len(self._text[:-1].rstrip(_INSIDE))
        if unclosed := _UNCLOSED.search(self._text, self._at):  # what follows tells whether its bracket is its own
            border = min(border, unclosed.start())
        return self._write(max(border, len(self._text) - _REACH))

    def finish(self) -> str:
        """Return the rest: nothing comes any more, or what comes is another text."""
        rest = self._write(len(self._text) + 1)
        self._text, self._shown, self._at = "", [], 0
        return rest

    def _write(self, settled: int) -> str:
        pieces: list[str] = []
        while self._at < settled:
            match = _LOOSE.search(self._text, self._at)
            if match is None or match.start() >= settled:
                self._pass(min(settled, len(self._text)), pieces)
                break
            self._pass(match.start(), pieces)
            pieces.append(self._replace(match))
            self._at = match.end()
        keep = max(self._at - 1, 0)
        self._text, self._shown, self._at = self._text[keep:], self._shown[keep:], self._at - keep
        return "".join(pieces)

    def _pass(self, end: int, pieces: list[str]) -> None:
        """Write text as it came."""
        if end > self._at:
            pieces += self._shown[self._at : end]
            self._follow(self._text[self._at : end])
        self._at = max(self._at, end)

    def _replace(self, match: re.Match[str]) -> str:
        surrogate = _canonical(match)
        value = self._originals.get(surrogate)
        leaving = self._watch is not None and (self._watch.leaving or match["host"] is not None)
        if value is None or leaving:
            if value is not None:
                self.withheld.append(surrogate)
            elif SURROGATE.fullmatch(_unquoted(match)):
                self.unresolved.append(_unquoted(match))
            self._follow(match.group())
            return "".join(self._shown[match.start() : match.end()])
        self.used.add(surrogate)
        opening, closing = self._others_brackets(match)
        self._follow(opening)
        self._read(value)
        self._follow(closing)
        before = self._shown[match.start()] if opening else ""
        after = self._shown[match.end() - 1] if closing else ""
        return before + self._encode(_written(value, match)) + after

    def _others_brackets(self, match: re.Match[str]) -> tuple[str, str]:
        """Return the bracket on one side of a surrogate if it belongs to more than that: a list, say, or a link."""
        rest = self._text[match.end() : match.start() + _REACH]
        opening = "[" if match["open"] is not None and _CLOSED.match(rest) else ""
        return opening, "]" if match["close"] is not None and self._open else ""

    def _follow(self, text: str) -> None:
        """Go on by text that is written as it came."""
        for char in text:
            self._open = max(0, self._open + {"[": 1, "]": -1}.get(char, 0))
        self._read(text)

    def _read(self, text: str) -> None:
        if self._watch is not None:
            self._watch.read(text)


def find_lookalikes(text: str) -> Iterator[Lookalike]:
    """Yield all that looks like a surrogate, exactly or as a model might write one, from left to right."""
    for match in _LOOSE.finditer(text):
        exact = SURROGATE.fullmatch(_unquoted(match)) is not None
        start, end = match.span() if match["bare"] is None else match.span("bare")
        yield Lookalike(start, end, _canonical(match), exact)


def restore(text: str, originals: Mapping[str, str]) -> Restored:
    """Put the originals back in one pass from left to right; what was put in is never read again.

    ``originals`` maps the surrogates issued in this scope to values. Only these are also known in another case or
    without a bracket or both; a possessive or Markdown around one stays. This is the exact inverse of replacing, for
    text that stays at home: a reply from outside goes through a :class:`Restorer` with a watch.
    """
    restorer = Restorer(originals)
    whole = restorer.feed(text) + restorer.finish()
    return Restored(whole, frozenset(restorer.used), tuple(restorer.unresolved))


def kind_of(surrogate: str) -> str | None:
    """Return the type of value that a surrogate stands for (of a part, that of the whole); None if it is none."""
    match = SURROGATE.fullmatch(surrogate)
    return None if match is None else kind_of_type(match["type"])


def stands_for_number(surrogate: str) -> bool:
    """Say whether a surrogate stands for a number of JSON."""
    match = SURROGATE.fullmatch(surrogate)
    return match is not None and match["type"].endswith(DIGITS)


def kind_of_type(name: str) -> str:
    """Return a surrogate's type without the word that says which part of a name it is, or that it is a number."""
    name = name.removesuffix(DIGITS)
    kind, _, last = name.rpartition("_")
    return kind if kind and last in PARTS else name


def _canonical(match: re.Match[str]) -> str:
    body = next(part for part in match.group("quoted", "plain", "escaped", "html", "url", "bare") if part is not None)
    return f"[{re.sub(BREAK, '_', body).upper()}]"


def _unquoted(match: re.Match[str]) -> str:
    return match.group()[1:-1] if match["quoted"] else match.group()


def _written(value: str, match: re.Match[str]) -> str:
    if match["html"] is not None:
        return html.escape(value, quote=False)
    if match["url"] is not None:
        return quote(value, safe="", errors="surrogatepass")
    return value
