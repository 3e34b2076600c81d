"""Fills a framework's template, line by line and in one pass: what was put in is never read as template again."""

import re
from collections.abc import Mapping

from hybridmesh.schemas.restoring import open_reply

_NAME = r"[a-z][a-z0-9_]{0,39}"
_PLACE = re.compile(rf"\{{({_NAME})\}}")
_CONDITION = re.compile(rf"\{{([?!])({_NAME})\}}")


def fill(template: str, values: Mapping[str, str], truths: Mapping[str, bool | None]) -> str:
    """Return the text, as the docstring of ``Framework`` says.

    ``values`` are the slots and formulas that have one, as text; ``truths`` are all checks and formulas, None
    where there is no answer. Blank lines are never doubled.
    """
    kept = [line for line in (_line(line, values, truths) for line in template.splitlines()) if line is not None]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def names_in(template: str) -> frozenset[str]:
    """Return every name that the template speaks of, in places and conditions."""
    return frozenset(_PLACE.findall(template)) | {name for _, name in _CONDITION.findall(template)}


def carries_out(template: str) -> bool:
    """Say whether a place stands where its value would leave again: in a link, an image, a tag or a tool call."""
    place = "[PLACE_0000]"
    stream = open_reply({place: ""}, "text")
    stream.feed(_PLACE.sub(place, template))
    stream.finish()
    return bool(stream.tally.withheld)


def _line(line: str, values: Mapping[str, str], truths: Mapping[str, bool | None]) -> str | None:
    rest = line
    while condition := _CONDITION.match(rest):
        sign, name = condition.groups()
        if truths.get(name, name in values) is not (sign == "?"):
            return None
        rest = rest[condition.end() :]
    if any(place[1] not in values for place in _PLACE.finditer(rest)):
        return None
    return _PLACE.sub(lambda place: values[place[1]], rest).rstrip()
