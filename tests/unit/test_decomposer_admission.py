"""What a task is refused for, and what its publisher is told."""

from datetime import UTC, datetime, timedelta

import pytest

from hybridmesh.agents.decomposer.admission import floor_of, refusal
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.tasks import Document, TaskSubmitted

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WORKFLOWS = ("support-triage", "meeting-summary")
PROFILES = ("balanced", "secure-research")


def task(**fields: object) -> TaskSubmitted:
    return TaskSubmitted.model_validate({"task_id": new_task_id(), "goal": "do it", "submitted_at": NOW, **fields})


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"goal": " \n"}, "empty-goal", "empty"),
        ({"workflow": "suport-triage"}, "unknown-workflow", "did you mean 'support-triage'?"),
        ({"workflow": "zzz"}, "unknown-workflow", "known are: meeting-summary, support-triage"),
        ({"profile": "secure"}, "unknown-profile", "known are: balanced, secure-research"),
        ({"labels": {"sensitivity": "cosmic"}}, "unknown-label", "public, internal, personal, secret"),
        ({"deadline": NOW - timedelta(seconds=1)}, "past-deadline", "had passed"),
        ({"deadline": datetime(2026, 3, 2)}, "bad-deadline", "time zone"),  # noqa: DTZ001 - what is to be refused
        ({"inputs": (Document(name="a", text=""), Document(name="a", text="x"))}, "duplicate-input", "same name"),
    ],
)
def test_a_task_that_cannot_begin_is_refused_with_a_reason(fields: dict[str, object], reason: str, words: str) -> None:
    """Nothing is lost: a task that cannot be done has its end at once, with what to change."""
    refused = refusal(task(**fields), WORKFLOWS, PROFILES, NOW)
    assert refused is not None
    assert refused.reason == reason
    assert words in refused.detail


def test_a_refusal_does_not_repeat_what_was_written() -> None:
    """Nothing private leaves: a name in the wrong field does not come back in a message for people and logs."""
    refused = refusal(task(workflow="Erika Mustermann"), WORKFLOWS, PROFILES, NOW)
    assert refused is not None
    assert "Erika" not in refused.detail


def test_a_sound_task_is_taken_with_its_publishers_label() -> None:
    """Nothing private leaves: a publisher can say that a task is secret, and it holds from the first step on."""
    sound = task(workflow="support-triage", labels={"sensitivity": "Secret"}, deadline=NOW + timedelta(hours=1))
    assert refusal(sound, WORKFLOWS, PROFILES, NOW) is None
    assert floor_of(sound) is Sensitivity.SECRET
    assert floor_of(task()) is Sensitivity.PUBLIC
    assert floor_of(task(labels={"sensitivity": "?"})) is Sensitivity.SECRET
