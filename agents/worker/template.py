"""Fills a framework's template, line by line and in one pass: what was put in is never read as template again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hybridmesh.schemas.destinations import Destinations
from hybridmesh.schemas.requests import would_leave

_NAME = r"[a-z][a-z0-9_]{0,39}"
_PLACE = re.compile(rf"\{{({_NAME})\}}")
_CONDITION = re.compile(rf"\{{([?!])({_NAME})\}}")
_HOST = re.compile(r"\.[A-Za-z]")
_ANY_VALUE = "0"  # begins nothing that leaves


def fill(template: str, values: Mapping[str, str], truths: Mapping[str, bool | None]) -> str | None:
    """Return the text, as the docstring of ``Framework`` says; None where a value in it would leave again.

    ``values`` are the slots and formulas that have one, as text; ``truths`` are all checks and formulas, None
    where there is no answer. Blank lines are never doubled.
    """
    lines = [line for line in map(_read, template.splitlines()) if line.stays(values, truths)]
    filled = [line.filled(values) for line in lines]
    if _carry_out(filled):
        return None
    return re.sub(r"\n{3,}", "\n\n", "\n".join("".join(pieces).rstrip() for pieces in filled)).strip()


def names_in(template: str) -> frozenset[str]:
    """Return every name that the template speaks of, in places and conditions."""
    return frozenset(_PLACE.findall(template)) | {name for _, name in _CONDITION.findall(template)}


def carries_out(template: str) -> bool:
    """Say whether a value would leave again if every line stayed; ``fill`` looks at those that do."""
    lines = map(_read, template.splitlines())
    return _carry_out([line.filled(dict.fromkeys(line.names, _ANY_VALUE)) for line in lines])


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a template: when it stays, and its own words and the names of its values in turn."""

    conditions: Sequence[tuple[str, str]]
    pieces: Sequence[str]

    @property
    def names(self) -> Sequence[str]:
        return self.pieces[1::2]

    def stays(self, values: Mapping[str, str], truths: Mapping[str, bool | None]) -> bool:
        holds = all(truths.get(name, name in values) is (sign == "?") for sign, name in self.conditions)
        return holds and all(name in values for name in self.names)

    def filled(self, values: Mapping[str, str]) -> Sequence[str]:
        return [values[piece] if at % 2 else piece for at, piece in enumerate(self.pieces)]


def _read(line: str) -> _Line:
    conditions: list[tuple[str, str]] = []
    while condition := _CONDITION.match(line):
        conditions.append((condition[1], condition[2]))
        line = line[condition.end() :]
    return _Line(conditions, _PLACE.split(line))


def _carry_out(lines: Sequence[Sequence[str]]) -> bool:
    """Say whether a value stands in a link, an image, a tag, a tool call or a request, or begins the name of a host."""
    watch = Destinations()
    for pieces in lines:
        for at, piece in enumerate(pieces):
            if at % 2 and (watch.leaving or _HOST.match("".join(pieces[at + 1 :]))):
                return True
            watch.read(piece)
        watch.read("\n")
    values = {piece for pieces in lines for piece in pieces[1::2]} - {""}
    text = "\n".join("".join(_without_quoted(pieces)) for pieces in lines)
    return would_leave(text, lambda part: any(value in part for value in values))


def _without_quoted(pieces: Sequence[str]) -> Iterator[str]:
    """Leave out what stands between backticks alone: a command that somebody told of is no other's value."""
    for at, piece in enumerate(pieces):
        quoted = at % 2 and pieces[at - 1].endswith("`") and pieces[at + 1].startswith("`")
        yield "" if quoted else piece
