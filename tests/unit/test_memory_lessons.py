"""Mistakes are not repeated: a correction becomes a keyed lesson, and its quotes become rules."""

from datetime import UTC, datetime

import pytest

from hybridmesh.agents.memory.lessons import make_lesson
from hybridmesh.schemas.feedback import FeedbackGiven
from hybridmesh.schemas.memory import lesson_key
from hybridmesh.schemas.message import new_task_id


def feedback(correction: str) -> FeedbackGiven:
    return FeedbackGiven(
        task_id=new_task_id(),
        correction=correction,
        workflow="support-triage",
        step_id="reply",
        given_at=datetime.now(UTC),
    )


@pytest.mark.parametrize(
    ("correction", "forbidden", "required"),
    [
        ('Never say "free of charge".', ["free of charge"], []),
        ('Always close with "Your Northlight team".', [], ["Your Northlight team"]),
        ("Nicht „kostenlos“ schreiben. Sondern „ohne Aufpreis“.", ["kostenlos"], ["ohne Aufpreis"]),
        ("Be shorter.", [], []),
        ('Don’t say "free".', ["free"], []),
        ('Do not write: "free".', ["free"], []),
        ('Don\'t forget to say "thank you".', [], ["thank you"]),
        ('Never close without "Regards".', [], ["Regards"]),
        ('Instead of "free" say "included".', ["free"], ["included"]),
        ('Not "free" but "included".', ["free"], ["included"]),
        ('Never say "free" or "gratis".', ["free", "gratis"], []),
        ('Not only "A" but also "B".', [], ["A", "B"]),
        ('Say "A", not "B", and close with "C".', ["B"], ["A", "C"]),
        ('You wrote "Dear Sir", use "Dear Ms Lopez".', [], ["Dear Ms Lopez"]),
        ('The word "free" must not be used.', ["free"], []),
        ('The reply said "free", which is wrong.', ["free"], []),
        ('"Regards" is missing.', [], ["Regards"]),
        ('It is "A". It was "B".', [], []),
        ('Never say "Thank you. Bye".', ["Thank you. Bye"], []),
        ("Ne dites pas « gratuit ».", ["gratuit"], []),
        ("N’écrivez jamais « gratuit », mais « inclus ».", ["gratuit"], ["inclus"]),
        ("No diga nunca «gratis», sino «incluido».", ["gratis"], ["incluido"]),
        ("Vergiss nicht „Danke“ zu sagen.", [], ["Danke"]),
    ],
)
def test_quotes_become_rules(correction: str, forbidden: list[str], required: list[str]) -> None:
    """Mistakes are not repeated: what can be held by rule is, and what a correction only quotes is no rule."""
    lesson = make_lesson(feedback(correction))
    assert lesson is not None
    assert lesson.key == lesson_key("support-triage", "reply") == "lesson/support-triage/reply"
    assert (lesson.data["must_not_contain"], lesson.data["must_contain"]) == (forbidden, required)
    assert lesson.origin == "feedback"


def test_a_rating_alone_is_no_lesson() -> None:
    """Mistakes are not repeated, and noise is not remembered."""
    assert make_lesson(feedback("  ")) is None
