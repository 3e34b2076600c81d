"""Puts originals back into a reply of any form: inside JSON they go into the strings, so that it stays JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from hybridmesh.schemas.plans import OutputForm
from hybridmesh.schemas.surrogates import restore


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply with its originals; ``used`` counts the surrogates replaced, ``unresolved`` those nobody issued."""

    text: str
    used: int
    unresolved: int


def restore_answer(reply: str, originals: Mapping[str, str], output: OutputForm) -> Answer:
    """Restore plain text as it stands, and JSON string by string: an original may hold quotes or line ends."""
    if output.kind == "json":
        try:
            parsed: object = json.loads(reply)
        except (ValueError, RecursionError):
            parsed = None
        if parsed is not None:
            used: set[str] = set()
            unresolved: list[str] = []
            whole = _restore_strings(parsed, originals, used, unresolved)
            return Answer(json.dumps(whole, ensure_ascii=False), len(used), len(unresolved))
    restored = restore(reply, originals)
    return Answer(restored.text, len(restored.used), len(restored.unresolved))


def _restore_strings(value: object, originals: Mapping[str, str], used: set[str], unresolved: list[str]) -> object:
    if isinstance(value, str):
        restored = restore(value, originals)
        used |= restored.used
        unresolved.extend(restored.unresolved)
        return restored.text
    if isinstance(value, list):
        return [_restore_strings(part, originals, used, unresolved) for part in cast("list[object]", value)]
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return {
            restore(key, originals).text: _restore_strings(part, originals, used, unresolved) for key, part in pairs
        }
    return value
