"""What a publisher asks for and what it gets back: exactly one terminal message a task."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from hybridmesh.schemas.lanes import lane_of
from hybridmesh.schemas.message import DEFAULT_TENANT, ConversationId, Frozen, StepId, TaskMessage, Tenant
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.verdicts import Verdict


class Document(Frozen):
    """A named text: an input of a task, or the result of an earlier step."""

    name: str = Field(max_length=200)
    text: str


class TaskSubmitted(TaskMessage):
    """A publisher's task. ``budget_usd`` bounds what its cloud calls may cost; None leaves it to the profile.

    Tasks of one ``conversation`` share their surrogates: whoever was named in one turn has the same in the next.
    ``tenant`` is on whose behalf: 1 to 32 small letters, digits and hyphens.
    """

    NAME = "task.submitted"

    goal: str = Field(min_length=1)
    inputs: tuple[Document, ...] = ()
    workflow: str | None = None
    profile: str = "balanced"
    deadline: datetime | None = None
    budget_usd: Decimal | None = Field(default=None, ge=0)
    labels: dict[str, str] = {}
    conversation: ConversationId | None = None
    tenant: Tenant = DEFAULT_TENANT
    submitted_at: datetime

    def topic(self) -> str:
        """Return ``tenant.lane``: how many wait in a lane is bounded for each of them."""
        return f"{self.tenant}.{lane_of(self.tenant, self.profile)}"

    def topics(self) -> tuple[str, ...]:
        """Return also the task id: what names no tenant may come under that, in a lane of its own."""
        return (self.topic(), self.task_id) if self.tenant == DEFAULT_TENANT else (self.topic(),)


class CancelTask(TaskMessage):
    """Stop a task: steps in flight end unused, the task ends as cancelled."""

    NAME = "task.cancel"

    by: str = "publisher"


class TaskExpiring(TaskMessage):
    """A timer of the decomposer's own: the task must be over by ``due_at``."""

    NAME = "task.expiring"

    due_at: datetime


class StepSummary(Frozen):
    """How one step was done: what a publisher may want to know beside the result."""

    step_id: StepId
    title: str
    result: str
    lane: Lane
    why: str
    label: Sensitivity
    attempts: int
    cost_usd: Decimal = Decimal(0)
    other_cost_usd: Decimal | None = None
    verified: bool = True
    evidence: tuple[str, ...] = ()
    decision: Decision | None = None
    verdict: Verdict | None = None


def end_id(task_id: str) -> str:
    """Return the one id of all terminal messages of a task."""
    return f"{task_id}/end"


class TaskEnd(TaskMessage):
    """A terminal message; all of a task's share one id, so a stream keeps the first."""

    workflow: str | None = None
    tenant: Tenant = DEFAULT_TENANT

    def identity(self) -> str:
        """Return the one terminal id of the task."""
        return end_id(self.task_id)

    def topic(self) -> str:
        """Return ``tenant.task``: who reads one tenant's results may read these subjects and no others."""
        return f"{self.tenant}.{self.task_id}"

    def topics(self) -> tuple[str, ...]:
        """Return also the task id: ends that were stored before there were tenants."""
        return (self.topic(), self.task_id) if self.tenant == DEFAULT_TENANT else (self.topic(),)


class TaskCompleted(TaskEnd):
    """The task is done; ``result`` joins the results of the plan's result steps."""

    NAME = "task.completed"

    result: str
    steps: tuple[StepSummary, ...]
    cost_usd: Decimal
    finished_at: datetime


class TaskFailed(TaskEnd):
    """The task ended without a result; ``reason`` is a code, ``detail`` is for people and holds no private text."""

    NAME = "task.failed"

    outcome: Literal["failed", "refused", "cancelled"]
    reason: str
    detail: str = ""
    step_id: StepId | None = None
    finished_at: datetime
