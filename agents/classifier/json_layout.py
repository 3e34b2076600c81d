"""JSON in a text: where its values stand, and what they say once their escapes are undone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hybridmesh.agents.classifier.views import Drawing, View

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:"
    r"(?P<string>\"(?:[^\"\\]|\\[\"\\/bfnrt]|\\u[0-9A-Fa-f]{4})*\")"
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>true|false|null|NaN|-?Infinity)"
    r"|(?P<sign>[{}\[\],:]))"
)
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\.", re.DOTALL)
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_OPENING = re.compile(r"[{\[](?=[ \t\r\n]*[\"{\[\]}0-9tfn-])")
# What may follow: the value of a key or item, a comma, an end.
_VALUE, _ITEM, _KEY, _FIRST_KEY, _COLON, _NEXT = range(6)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value: its stretch without quotes, the key that it stands under, and whether it is a number."""

    start: int
    end: int
    key: str
    number: bool = False


@dataclass(slots=True)
class Record:
    """One JSON object or array of a text."""

    start: int
    end: int
    leaves: list[Leaf] = field(default_factory=list[Leaf])
    keys: list[str] = field(default_factory=list[str])


def find_records(text: str) -> Iterator[Record]:
    """Yield the JSON objects and arrays in a text that hold a key or a string, or are all of it; linear in its length.

    Text that opens brackets again and again without ever closing them is given up on after four times its length.
    """
    at, spent = 0, 0
    while (opening := _OPENING.search(text, at)) is not None and spent <= 4 * len(text):
        record = _Scan(text, opening.start())
        found = record.run()
        if found is not None and (_says_something(found) or found.end - found.start == len(text.strip())):
            yield found
            at = found.end
        else:
            spent += record.at - opening.start()
            at = opening.end()


def _says_something(record: Record) -> bool:
    return bool(record.keys) or any(not leaf.number for leaf in record.leaves)  # "[1, 2]" in prose is a footnote


def unescaped(text: str, at: int) -> View:
    """Return what a JSON string's inside says; its places are those of the whole text, in which it starts at ``at``."""
    drawing = Drawing()
    last = 0
    for match in _ESCAPE.finditer(text):
        drawing.keep(text[last : match.start()], at + last)
        drawing.put(_character(match.group()), at + match.start(), at + match.end())
        last = match.end()
    drawing.keep(text[last:], at + last)
    return drawing.view()


def _character(escape: str) -> str:
    if escape[1] != "u":
        return _SIMPLE.get(escape[1], escape[1])
    code = int(escape[2:6], 16)
    if len(escape) > 6:  # noqa: PLR2004 - a pair of surrogates
        return chr(0x10000 + ((code - 0xD800) << 10) + (int(escape[8:], 16) - 0xDC00))
    return chr(code)


class _Scan:
    """One pass over a value from its opening bracket; keeps its own stack, so that depth is bounded by length only."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._record = Record(start, start)
        self._open: list[str] = []  # the bracket that closes each level
        self._names: list[str] = [""]  # the key over each level
        self._key = ""
        self._wanted = _VALUE
        self.at = start

    def run(self) -> Record | None:
        """Return the record, None when it is no JSON."""
        while (token := _TOKEN.match(self._text, self.at)) is not None:
            self.at = token.end()
            if not self._take(token):
                return None
            if not self._open:
                self._record.end = self.at
                return self._record
        return None

    def _take(self, token: re.Match[str]) -> bool:
        sign = token["sign"]
        if sign is None:
            return self._take_scalar(token)
        if sign in "{[":
            if self._wanted not in (_VALUE, _ITEM):
                return False
            self._names.append(self._key)
            self._open.append("}" if sign == "{" else "]")
            self._wanted = _FIRST_KEY if sign == "{" else _ITEM
            return True
        if sign in "}]":
            return self._close(sign)
        if sign == ":":
            allowed, self._wanted = self._wanted == _COLON, _VALUE
            return allowed
        allowed = self._wanted == _NEXT
        self._wanted = _KEY if self._open[-1] == "}" else _VALUE
        self._key = self._names[-1] if self._open[-1] == "]" else ""
        return allowed

    def _close(self, sign: str) -> bool:
        if not self._open or self._open.pop() != sign or self._wanted not in (_NEXT, _FIRST_KEY, _ITEM):
            return False
        self._key = self._names.pop()
        self._wanted = _NEXT
        return True

    def _take_scalar(self, token: re.Match[str]) -> bool:
        kind = token.lastgroup or ""
        start, end = token.span(kind)
        if self._wanted in (_KEY, _FIRST_KEY):
            self._key = self._text[start + 1 : end - 1]
            self._record.keys.append(self._key)
            self._wanted = _COLON
            return kind == "string"
        if self._wanted not in (_VALUE, _ITEM):
            return False
        self._wanted = _NEXT
        if kind == "string":
            self._record.leaves.append(Leaf(start + 1, end - 1, self._label()))
        elif kind == "number":
            self._record.leaves.append(Leaf(start, end, self._label(), number=True))
        return True

    def _label(self) -> str:
        """Return the key, with the one above it where it says nothing by itself: "passport number"."""
        above = self._names[-1]
        return f"{above} {self._key}" if self._key.lower() in _GENERAL and above else self._key


_GENERAL = frozenset({
    "number", "no", "nr", "num", "id", "value", "code", "nummer", "numero", "número", "numéro", "text", "content",
})  # fmt: skip
