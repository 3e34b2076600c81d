"""A task as it stands in the bucket TASKS, and what can be read off it."""

from datetime import datetime
from typing import Literal

from hybridmesh.schemas.message import DEFAULT_TENANT, Frozen, StepId, Tenant
from hybridmesh.schemas.plans import Plan, StepSpec
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.tasks import StepSummary, TaskCompleted, TaskFailed, TaskSubmitted

_LATE_S = 900.0  # longer than any agent has a step in hand, calls to the cloud among them


class StepState(Frozen):
    """Where a step stands; ``released_by`` is the identity of the message that set it going."""

    status: Literal["waiting", "released", "done", "failed"] = "waiting"
    released_by: str = ""
    summary: StepSummary | None = None


class TaskState(Frozen):
    """One task; ``task`` is None while only its cancellation has arrived.

    ``floor`` is the lowest label of everything in the task, as its publisher asked for.
    """

    task: TaskSubmitted | None = None
    plan: Plan | None = None
    steps: dict[StepId, StepState] = {}
    floor: Sensitivity = Sensitivity.PUBLIC
    cancelled: bool = False
    accepted_at: datetime
    due_at: datetime | None = None
    end: TaskCompleted | TaskFailed | None = None
    ended_by: str = ""


def tenant_of(state: TaskState | None) -> Tenant:
    """Return on whose behalf a task is."""
    return DEFAULT_TENANT if state is None or state.task is None else state.task.tenant


def late_s(state: TaskState, now: datetime) -> float:
    """Return for how long yet something of a task that is over may be stored: by who had a step of it in hand.

    However wrong the clock was that the end was written by, it is no longer than that.
    """
    if state.end is None or state.plan is None:
        return 0.0
    return min(max(0.0, _LATE_S - (now - state.end.finished_at).total_seconds()), _LATE_S)


def spec_of(state: TaskState, name: StepId) -> StepSpec:
    """Return a step of the plan."""
    return next(step for step in (state.plan.steps if state.plan else ()) if step.id == name)


def summary_of(state: TaskState, name: StepId) -> StepSummary:
    """Return how a step was done; raises LookupError while it is not."""
    summary = state.steps[name].summary
    if summary is None:
        raise LookupError("the step has no result yet")
    return summary


def label_floor(state: TaskState, spec: StepSpec) -> Sensitivity:
    """Return the lowest label a step may have: what it reads is at least as private as where it came from."""
    return max((state.floor, *(summary_of(state, name).label for name in spec.uses)))
