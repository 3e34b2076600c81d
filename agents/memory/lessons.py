"""Turns a person's correction into a lesson: keyed by what it is about, with the part that can be checked by rule."""

from hybridmesh.agents.memory.quoted_rules import quoted_rules
from hybridmesh.schemas.feedback import FeedbackGiven
from hybridmesh.schemas.memory import Kind, MemoryItem, lesson_key


def make_lesson(feedback: FeedbackGiven) -> MemoryItem | None:
    """Return the lesson, or None when the feedback says only good or bad.

    What a correction puts in quotes is a rule where the words between it and the quote before say so, and no rule
    where they only tell what there was; the verifier holds later drafts against it.
    """
    if not feedback.correction.strip():
        return None
    forbidden, required = quoted_rules(feedback.correction)
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
