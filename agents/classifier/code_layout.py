"""Program text: fenced blocks, and lines that are code; ``code_values`` says where in them values may stand."""

import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.code_lines import (
    decorates,
    defines,
    goes_on,
    is_field,
    is_likely_code,
    is_surely_code,
    is_value_alone,
    opens_below,
    opens_type,
    stands_alone,
    without_comment,
)
from hybridmesh.agents.classifier.code_values import LITERAL

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*+([\w+#.-]*+)[^\n`]*$", re.MULTILINE)
# Fences of these languages are believed; anything else in a fence, a pasted letter above all, is looked at.
_LANGUAGES = frozenset({
    "python", "py", "javascript", "js", "jsx", "typescript", "ts", "tsx", "java", "c", "cpp", "c++", "cs", "csharp",
    "go", "rust", "rs", "ruby", "rb", "php", "kotlin", "swift", "scala", "sql", "css", "perl", "lua",
})  # fmt: skip
_LINE = re.compile(r"[^\n]*(?:\n|$)")
_LINES_LEAST = 2
_READ_MOST = 8  # times the text's length; a usual text is read once
_BRACE_BELOW = re.compile(r"[ \t]*\{[ \t]*(?:\r?\n|$)")
_REST = re.compile(r"[^\n]*")
_WORDS = re.compile(r"[^\W\d_] +[^\W\d_]")


def find_code(text: str) -> list[tuple[int, int]]:
    """Return the stretches of a text that are program text: fenced blocks, and lines that look like code."""
    fenced = list(_fenced(text))
    found = [(start, end) for start, end, language in fenced if language in _LANGUAGES]
    at = 0
    for start, end in (*list(found), (len(text), len(text))):
        found += _unfenced(text, at, start)
        at = end
    return sorted(found)


def _fenced(text: str) -> Iterator[tuple[int, int, str]]:
    fences = list(_FENCE.finditer(text))
    for opening, closing in zip(fences[::2], fences[1::2], strict=False):
        yield opening.end(), closing.start(), opening[1].lower()


def _unfenced(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    literals = _Literals(text, end)
    block = _Block(text, end, literals)
    for match in _LINE.finditer(text, start, end):
        if not block.takes(match.start(), match.end()):
            yield from block.ended()
            block = _Block(text, end, literals)
            block.takes(match.start(), match.end())
        if match.end() >= end:
            break
    yield from block.ended()


class _Literals:
    """The next literal or comment behind a place, looked for once, however many blocks begin before it."""

    def __init__(self, text: str, limit: int) -> None:
        self._text = text
        self._limit = limit
        self._since: int | None = None  # nothing begins from here to what was found
        self._found: re.Match[str] | None = None
        self._left = _READ_MOST * len(text)  # characters to read: blocks may begin inside of one another's literals

    def behind(self, at: int) -> re.Match[str] | None:
        """Return the first that begins at the place or later."""
        known = self._since is not None and self._since <= at and (self._found is None or at <= self._found.start())
        if not known:
            self._since, self._found = at, LITERAL.search(self._text, at, self._limit) if self._left > 0 else None
            self._left -= (self._found.end() if self._found else self._limit) - at
        return self._found


class _Block:
    """Lines that look like one piece of program text, from the first that surely is on."""

    def __init__(self, text: str, limit: int, literals: _Literals) -> None:
        self._text = text
        self._limit = limit
        self._literals = literals
        self._start = self._end = -1
        self._lines = self._sure = 0  # without those that a literal of several lines holds
        self._silent = 0  # of them say nothing of what the others are
        self._goes_on = False
        self._literal: re.Match[str] | None = None  # the last that was read
        self._above = -1  # where the lines above a definition begin
        self._bodies: list[int] = []  # indents of the types whose bodies are open
        self._first = ""

    def takes(self, start: int, end: int) -> bool:
        """Go on by a line; say whether it does not end the block."""
        line = without_comment(self._text[start:end])
        if not line:
            return True
        if opens_below(line) and _BRACE_BELOW.match(self._text, end, self._limit):
            line += " {"
        if self._start < 0:
            return self._begins(line, start, end)
        if self._is_in_literal(start):
            self._end = end
            return True
        indent = len(self._text[start:end]) - len(self._text[start:end].lstrip(" \t"))
        while self._bodies and indent <= self._bodies[-1]:
            self._bodies.pop()
        sure = is_surely_code(line)
        if not (sure or is_likely_code(line, continues=self._goes_on) or (self._bodies and is_field(line))):
            return False
        self._count(line, indent, end, sure=sure)
        return True

    def ended(self) -> Iterator[tuple[int, int]]:
        """Yield the block if a third of it is surely code, or if its first line needs no other one beside it."""
        several = self._lines >= _LINES_LEAST and 3 * self._sure >= self._lines - self._silent
        if self._start >= 0 and (several or stands_alone(self._first)):
            yield self._start, self._end

    def _begins(self, line: str, start: int, end: int) -> bool:
        if is_surely_code(line):
            self._start = self._above if self._above >= 0 and defines(line) else start
            self._literal, self._first = self._literals.behind(self._start), line
            self._count(line, len(self._text[start:end]) - len(self._text[start:end].lstrip(" \t")), end, sure=True)
        elif not decorates(line):
            self._above = -1
        elif self._above < 0:
            self._above = start
        return True

    def _count(self, line: str, indent: int, end: int, *, sure: bool) -> None:
        self._lines += 1
        self._sure += sure
        self._goes_on = goes_on(line)
        self._silent += not sure and (is_value_alone(line) or bool(self._bodies and is_field(line)))
        self._end = end
        if opens_type(line):
            self._bodies.append(indent)

    def _is_in_literal(self, at: int) -> bool:
        """Say whether a place is inside of a literal or a comment of several lines, as ``values_in`` reads them.

        Not where a sentence follows its end: then a stray quote was taken for its beginning.
        """
        while self._literal is not None and self._literal.end() <= at:
            self._literal = self._literals.behind(self._literal.end())
        if self._literal is None or self._literal.start() >= at:
            return False
        rest = _REST.match(self._text, self._literal.end(), self._limit)
        return rest is None or _WORDS.search(rest.group()) is None
