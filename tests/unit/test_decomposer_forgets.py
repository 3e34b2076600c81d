"""The record of a task that is over: it stays for a month, without what was asked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hybridmesh.agents.decomposer import events
from hybridmesh.agents.decomposer.following import messages
from hybridmesh.agents.decomposer.progress import accept, cancel, expire, give_up, refuse, start, step_failed
from hybridmesh.agents.decomposer.split import single
from hybridmesh.agents.decomposer.task_state import TaskState
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.steps import StepFailed
from hybridmesh.schemas.tasks import CancelTask, Document, TaskExpiring, TaskSubmitted

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DUE = NOW + timedelta(minutes=30)
TASK = TaskSubmitted(
    task_id="01890000-0000-7000-8000-000000000000",
    goal="Write to Mia Canary.",
    inputs=(Document(name="mail", text="Mia Canary lives here."),),
    workflow="none",
    tenant="acme",
    submitted_at=NOW,
)
FAILED = StepFailed(task_id=TASK.task_id, step_id="s1", reason="x")
EXPIRING = TaskExpiring(task_id=TASK.task_id, due_at=DUE)
CANCEL = CancelTask(task_id=TASK.task_id)


def begun() -> TaskState:
    """A task that is under way."""
    return start(TASK, single(TASK.goal), Sensitivity.PUBLIC, now=NOW, due_at=DUE)


ENDS: dict[str, tuple[Callable[[], TaskState], Message | None]] = {
    "failed": (lambda: step_failed(begun(), FAILED, NOW), FAILED),
    "cancelled": (lambda: cancel(begun(), CANCEL, NOW), CANCEL),
    "cancelled before": (lambda: accept(cancel(None, CANCEL, NOW), begun(), TASK, NOW), TASK),
    "expired": (lambda: expire(begun(), EXPIRING, DUE), EXPIRING),
    "refused": (lambda: refuse(TASK, "no-workflow", "", NOW), TASK),
    "given up": (lambda: give_up(begun(), TASK.task_id, "standstill", "", NOW), None),
}


@pytest.mark.parametrize("way", ENDS)
def test_a_task_that_is_over_keeps_nothing_of_what_was_asked(way: str) -> None:
    """Nothing private leaves, nothing is lost: its end is told as before, its record is read as before."""
    made, cause = ENDS[way]
    state = made()
    assert state.end is not None
    assert "Canary" not in state.model_dump_json()
    again = TaskState.model_validate_json(state.model_dump_json())
    assert again == state
    assert (again.task and again.task.tenant, again.end and again.end.tenant) == ("acme", "acme")
    if cause is not None:
        assert messages(again, cause) == [state.end]
    if state.plan is not None:  # a submission that comes again is told of in the log as it was the first time
        assert events.begun(state, TASK) == events.begun(begun(), TASK)


def test_a_task_that_is_under_way_keeps_all_of_it() -> None:
    """Nothing is lost: who takes it up again has what was asked."""
    assert begun().model_dump_json().count("Canary") == 3
