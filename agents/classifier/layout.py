"""How a text is built: what of it are values that may be private, and what keys, syntax and program text.

JSON and tables are read as lines of "key: value", so that a key speaks for its value as a word before it would; of
program text only literals, comments and assigned values are believed to hold names.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol, TypeVar

from hybridmesh.agents.classifier.code_layout import find_code
from hybridmesh.agents.classifier.code_values import values_in
from hybridmesh.agents.classifier.csv_layout import Table, find_tables
from hybridmesh.agents.classifier.json_layout import Record, find_records, unescaped
from hybridmesh.agents.classifier.recognizers.credentials import names_secret
from hybridmesh.agents.classifier.spans import GUESSES, subtract
from hybridmesh.agents.classifier.views import Drawing, View
from hybridmesh.schemas.privacy import Span

_HUMP = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-ZÀ-Þ])|[_.-]+")
_IN_ONE = frozenset({"PHONE", "BANK_ACCOUNT", "TAX_ID", "NATIONAL_ID", "PASSPORT", "DRIVERS_LICENSE"})
_SECRET_MOST = 200  # characters
_DEPTH = 3  # JSON in a string of JSON, and so on


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some characters of the view."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Value(Stretch):
    """A stretch of the view that stands for a value.

    A ``number`` is taken as a whole or not at all; so is a ``secret``, which its key calls a password or the like.
    """

    number: bool = False
    secret: bool = False


class _Placed(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


_Kind = TypeVar("_Kind", bound=_Placed)


@dataclass(frozen=True, slots=True)
class Layout:
    """The text as it is to be read.

    ``values`` are the stretches of the view in which a span may lie, in order, None meaning everywhere; ``syntax`` are
    those of which a guess takes nothing, in order; ``keys`` are the names in it, which can never be replaced.
    """

    view: View
    values: tuple[Value, ...] | None = None
    syntax: tuple[Stretch, ...] = ()
    keys: tuple[str, ...] = ()

    def spans(self, found: Sequence[Span]) -> Iterator[Span]:
        """Yield what the found spans (of the view) take of the text below: values, or whole parts of them."""
        for span in found:
            for rest in self._outside_syntax(span):
                for piece in self._pieces(rest):
                    yield self.view.below(piece)

    def _outside_syntax(self, span: Span) -> list[Span]:
        met = [(syntax.start, syntax.end) for syntax in _met(self.syntax, span)] if span.source in GUESSES else []
        return subtract([span], met, self.view.text) if met else [span]

    def _pieces(self, span: Span) -> Iterator[Span]:
        if self.values is None:
            yield span
            return
        met = _met(self.values, span)
        if span.source == "model" and span.type in _IN_ONE and len(met) > 1:
            return  # numbers of two cells, read as one
        for value in met:
            start, end = max(span.start, value.start), min(span.end, value.end)
            if any(map(str.isalnum, self.view.text[start:end])):
                if value.number or (value.secret and span.type == "SECRET"):
                    start, end = value.start, value.end
                yield span.model_copy(update={"start": start, "end": end, "bare": value.number})


def _met(stretches: Sequence[_Kind], by: _Placed) -> Sequence[_Kind]:
    """Return which of the stretches (disjoint, in order) share characters with another one."""
    first = bisect_right(stretches, by.start, key=attrgetter("end"))
    return stretches[first : bisect_left(stretches, by.end, lo=first, key=attrgetter("start"))]


def lay_out(text: str, depth: int = _DEPTH) -> Layout:
    """Return the layout of a text."""
    records = [*find_records(text)]
    code = [Stretch(*place) for place in find_code(text)]
    tables = [table for table in find_tables(text) if not _met(records, table) and not _met(code, table)]
    blocks: list[Record | Table] = [*records, *tables]
    if not blocks:
        return Layout(View(text), syntax=tuple(_syntax(text, code)))
    return _Draft(text, depth).draw(sorted(blocks, key=lambda block: block.start))


def _syntax(text: str, code: Sequence[Stretch], base: int = 0) -> Iterator[Stretch]:
    """Yield what of the program text is neither a literal, a comment nor an assigned value; ``base`` is added to it."""
    for block in code:
        at = block.start
        for left, right in (*values_in(text, block.start, block.end), (block.end, block.end)):
            if at < left:
                yield Stretch(base + at, base + left)
            at = max(at, right)


class _Draft:
    """A layout in the making."""

    def __init__(self, text: str, depth: int) -> None:
        self._text = text
        self._depth = depth
        self._drawing = Drawing()
        self._values: list[Value] = []
        self._syntax: list[Stretch] = []
        self._keys: list[str] = []
        self._secret = False  # whether the name that was drawn last is that of a secret

    def draw(self, blocks: Sequence[Record | Table]) -> Layout:
        """Return the layout: prose as it is, blocks as lines."""
        at = 0
        for block in blocks:
            self._prose(at, block.start)
            if isinstance(block, Record):
                self._record(block)
            else:
                self._table(block)
            at = block.end
        self._prose(at, len(self._text))
        return Layout(self._drawing.view(), tuple(self._values), tuple(self._syntax), tuple(self._keys))

    def _prose(self, start: int, end: int) -> None:
        if start >= end:
            return
        base = len(self._drawing)
        prose = self._text[start:end]
        self._drawing.keep(prose, start)
        self._values.append(Value(base, base + len(prose)))
        self._syntax += _syntax(prose, [Stretch(*place) for place in find_code(prose)], base)

    def _record(self, record: Record) -> None:
        self._keys += [unescaped(key, 0).text for key in record.keys]
        for leaf in record.leaves:
            self._name(unescaped(leaf.key, 0).text, leaf.start)
            if leaf.number:
                self._value(View(self._text[leaf.start : leaf.end], *_same(leaf.start, leaf.end)), number=True)
            else:
                self._string(unescaped(self._text[leaf.start : leaf.end], leaf.start))
            self._drawing.put("\n\n", leaf.end, leaf.end)

    def _string(self, said: View) -> None:
        inner = lay_out(said.text, self._depth - 1) if self._depth > 1 and said.text[:1] in "{[" else None
        if inner is None or inner.values is None:
            self._value(said)
            return
        base = len(self._drawing)
        view = inner.view.over(said)
        self._drawing.lay(view)
        # A number in there is replaced as text: a quoted surrogate would end the string that it stands in.
        self._values += [Value(base + value.start, base + value.end) for value in inner.values]
        self._keys += inner.keys

    def _table(self, table: Table) -> None:
        self._keys += table.names
        for cell in table.cells:
            content = self._text[cell.start : cell.end]
            if not content.strip():
                continue
            self._name(cell.name, cell.start)
            self._value(_undoubled(content, cell.start) if cell.quoted else View(content, *_same(cell.start, cell.end)))
            self._drawing.put("\n\n" if table.named else "\n", cell.end, cell.end)

    def _name(self, name: str, at: int) -> None:
        words = " ".join(_HUMP.sub(" ", name).split())
        self._secret = names_secret(words)
        if words:
            self._drawing.put(f"{words}: ", at, at)

    def _value(self, said: View, *, number: bool = False) -> None:
        base = len(self._drawing)
        self._drawing.lay(said)
        secret = self._secret and len(said.text) <= _SECRET_MOST
        self._values.append(Value(base, len(self._drawing), number, secret))


def _same(start: int, end: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(range(start, end)), tuple(range(start + 1, end + 1))


def _undoubled(content: str, at: int) -> View:
    drawing = Drawing()
    last = 0
    for match in re.finditer('""', content):
        drawing.keep(content[last : match.start()], at + last)
        drawing.put('"', at + match.start(), at + match.end())
        last = match.end()
    drawing.keep(content[last:], at + last)
    return drawing.view()
