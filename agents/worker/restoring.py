"""Puts originals back into a reply of any form, as far as its step's own prompt held their surrogates."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from hybridmesh.agents.worker.miscopied import count_miscopied
from hybridmesh.schemas.plans import OutputForm
from hybridmesh.schemas.restoring import open_reply
from hybridmesh.schemas.steps import Redacted
from hybridmesh.schemas.surrogates import SURROGATE

_JSON_ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9A-Fa-f]{4})|[bfnrt])")


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply with its originals; ``used`` counts the surrogates replaced.

    ``unresolved`` counts those that stand in it for nothing: nobody issued them for this step, they stand where a
    value would leave again (``withheld`` of them), or they are written so that nobody can be sure of them.
    """

    text: str
    used: int
    unresolved: int
    withheld: int = 0


def issued_for(redacted: Redacted | None, originals: Mapping[str, str]) -> dict[str, str]:
    """Return the surrogates that the step's own text held: a reply that names another's does not get its value."""
    seen = {match.group() for match in SURROGATE.finditer(said_in(redacted))}
    return {surrogate: value for surrogate, value in originals.items() if surrogate in seen}


def said_in(redacted: Redacted | None) -> str:
    """Return all that the cloud was shown of a step."""
    if redacted is None:
        return ""
    inputs = [part for item in redacted.inputs for part in (item.name, item.text)]
    return "\n".join([redacted.goal, redacted.instruction, *inputs])


def restore_answer(reply: str, originals: Mapping[str, str], output: OutputForm, said: str = "") -> Answer:
    """Restore plain text as it stands, and JSON string by string: an original may hold quotes or line ends.

    What only looks a little like a surrogate may be a word of the step's own: ``said`` is what the reply answers.
    """
    members = frozenset(_members(output.json_schema))
    read = _without_escapes(reply) if output.kind == "json" else reply
    stream = open_reply(originals, "json" if output.kind == "json" else "text", members=members)
    text = stream.feed(reply) + stream.finish()
    tally = stream.tally
    unresolved = len(tally.unresolved) + len(tally.withheld) + count_miscopied(read, originals, said)
    return Answer(text, len(tally.used), unresolved, len(tally.withheld))


def _without_escapes(reply: str) -> str:
    """Return JSON with what its escapes stand for, also where two of them are one character."""
    read = _JSON_ESCAPE.sub(_read_escape, reply)
    return read.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read_escape(escape: re.Match[str]) -> str:
    """Return the character that an escape of JSON stands for; a line end as a blank, and the others as they are."""
    return chr(int(escape["code"], 16)) if escape["code"] else " "


def _members(schema: object) -> Iterator[str]:
    """Yield the names of all members that a JSON Schema speaks of."""
    if isinstance(schema, dict):
        node = cast("dict[str, object]", schema)
        if isinstance(properties := node.get("properties"), dict):
            yield from cast("dict[str, object]", properties)
        for part in node.values():
            yield from _members(part)
    elif isinstance(schema, list):
        for part in cast("list[object]", schema):
            yield from _members(part)
