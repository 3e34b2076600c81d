"""Turns a person's correction into a lesson: keyed by what it is about, with the part that can be checked by rule."""

import re

from hybridmesh.schemas.feedback import FeedbackGiven
from hybridmesh.schemas.memory import Kind, MemoryItem

_FORBIDDING = re.compile(r"\b(?:never|not|don't|avoid|without|nie|nicht|kein\w*|nunca|jamais|ne pas)\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“„«]([^\"”“»]{1,200})[\"”“»]")


def lesson_key(workflow: str | None, step_id: str | None) -> str:
    """Return the key under which the lessons of a kind of step are found; ``any`` where the person named none."""
    return f"lesson/{workflow or 'any'}/{step_id or 'any'}"


def make_lesson(feedback: FeedbackGiven) -> MemoryItem | None:
    """Return the lesson, or None when the feedback says only good or bad.

    What a correction puts in quotes is a rule: forbidden when a word before it in the same sentence forbids,
    required otherwise; the verifier holds later drafts against it.
    """
    if not feedback.correction.strip():
        return None
    forbidden, required = _rules(feedback.correction)
    return MemoryItem(
        kind=Kind.LESSON,
        text=feedback.correction.strip(),
        key=lesson_key(feedback.workflow, feedback.step_id),
        data={"must_not_contain": forbidden, "must_contain": required, "evidence_task": feedback.task_id},
        source=f"feedback:{feedback.task_id}/{feedback.number}",
        author=feedback.by,
        origin="feedback",
        created_at=feedback.given_at,
    )


def _rules(correction: str) -> tuple[list[str], list[str]]:
    forbidden: list[str] = []
    required: list[str] = []
    for sentence in re.split(r"(?<=[.!?;])\s+|\n", correction):
        for quote in _QUOTED.finditer(sentence):
            before = sentence[: quote.start()]
            (forbidden if _FORBIDDING.search(before) else required).append(quote[1])
    return forbidden, required
