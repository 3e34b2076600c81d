"""Lessons of earlier corrections: under which key they stand, and what they ask of a draft."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from hybridmesh.agents.verifier.names import fold
from hybridmesh.schemas.memory import Hit, Kind, lesson_key
from hybridmesh.schemas.phrases import says
from hybridmesh.schemas.steps import StepContext


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a draft must and must not say, as a person said of an earlier one."""

    id: str
    must_contain: tuple[str, ...]
    must_not_contain: tuple[str, ...]


def read_lessons(hits: Iterable[Hit], context: StepContext) -> list[Lesson]:
    """Return the lessons that can be checked on a text; the others are for whoever writes the next draft.

    What must be said counts only where the lesson is about this very step and its result is a text: a category need
    not hold the greeting that somebody missed in the reply.
    """
    own = lesson_key(context.workflow, context.spec.id)
    text = context.spec.output.kind == "text"
    found: dict[str, Lesson] = {}
    for hit in hits:
        item = hit.item
        if item.kind is Kind.LESSON:
            required = _texts(item.data.get("must_contain")) if text and item.key == own else ()
            found[item.id] = Lesson(item.id, required, _texts(item.data.get("must_not_contain")))
    return [lesson for lesson in found.values() if lesson.must_contain or lesson.must_not_contain]


def find_breaches(draft: str, lessons: Iterable[Lesson]) -> Iterator[str]:
    """Yield, in words that a model can act on, what a draft does against the lessons."""
    text = _plain(draft)
    for lesson in lessons:
        yield from (
            f'do not say "{part}": it was corrected before'
            for part in lesson.must_not_contain
            if says(text, _plain(part))
        )
        yield from (f'say "{part}": it was missing before' for part in lesson.must_contain if not _in(part, text))


def _in(part: str, text: str) -> bool:
    return _plain(part) in text


def _plain(text: str) -> str:
    return " ".join(fold(text).split())


def _texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - a lesson's data is any JSON
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        return ()
    return tuple(part for part in cast("list[object]", value) if isinstance(part, str) and part.strip())
