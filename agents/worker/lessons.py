"""What people have taught: which lessons belong to a step, and making a text keep the rules that they hold."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from hybridmesh.schemas.phrases import says

_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?]+(?=\s|$)|\n|$)[ \t]*")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A correction in its own words, and the phrases that it asks for or forbids."""

    text: str
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


def read_lesson(text: str, data: Mapping[str, Any]) -> Lesson:
    """Return a lesson from its remembered text and data; rules that are not lists of texts are left out."""
    return Lesson(text, _phrases(data.get("must_contain")), _phrases(data.get("must_not_contain")))


def obey(text: str, lessons: Sequence[Lesson]) -> str:
    """Return ``text`` without the sentences that hold a forbidden phrase, and with each required one.

    A required phrase that is missing becomes a paragraph of its own before the last one, which is the sign-off.
    A text that would be left empty stays as it is, for the verifier to turn down.
    """
    forbidden = [phrase for lesson in lessons for phrase in lesson.forbidden]
    kept = "\n".join(_without(line, forbidden) for line in text.split("\n")) if forbidden else text
    kept = re.sub(r"\n{3,}", "\n\n", kept).strip() or text
    for phrase in dict.fromkeys(phrase for lesson in lessons for phrase in lesson.required):
        if phrase.casefold() not in kept.casefold():
            *body, last = kept.split("\n\n")
            kept = "\n\n".join([*body, phrase, last] if body else [last, phrase])
    return kept


def _without(line: str, forbidden: Sequence[str]) -> str:
    if not _breaks(line, forbidden):
        return line
    sentences = [match.group() for match in _SENTENCE.finditer(line)]
    kept = "".join(sentence for sentence in sentences if not _breaks(sentence, forbidden)).rstrip()
    return "" if _breaks(kept, forbidden) else kept


def _breaks(text: str, forbidden: Sequence[str]) -> bool:
    return any(says(text.casefold(), phrase.casefold()) for phrase in forbidden)


def _phrases(found: object) -> tuple[str, ...]:
    phrases = cast("list[object]", found) if isinstance(found, list) else []
    return tuple(phrase.strip() for phrase in phrases if isinstance(phrase, str) and phrase.strip())
