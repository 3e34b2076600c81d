"""The decomposer's audit events: a task was accepted, planned, ended; codes, counts and amounts only."""

from datetime import datetime

from hybridmesh.agents.decomposer.plan import depth
from hybridmesh.agents.decomposer.task_state import TaskState
from hybridmesh.schemas.audits import Action, AuditEvent, Fact
from hybridmesh.schemas.plans import Plan
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed, TaskSubmitted


def begun(state: TaskState, task: TaskSubmitted) -> list[AuditEvent]:
    """Return the events of a task that was taken on; none for one that was refused."""
    if state.plan is None:
        return []
    accepted: dict[str, Fact] = {
        "tenant": task.tenant,
        "profile": task.profile,
        "workflow": task.workflow,
        "inputs": len(task.inputs),
        "chars": len(task.goal) + sum(len(document.text) for document in task.inputs),
        "floor": state.floor.name.lower(),
        "budget_usd": None if task.budget_usd is None else str(task.budget_usd),
    }
    return [
        _event(Action.TASK_ACCEPTED, task.task_id, state.accepted_at, accepted),
        _event(Action.STEP_PLANNED, task.task_id, state.accepted_at, _planned(state.plan)),
    ]


def resumed(task_id: str, at: datetime, steps: int, take: int) -> AuditEvent:
    """Return the event of a task that stood still and was taken up again, for the ``take``-th time."""
    return AuditEvent(
        agent="decomposer",
        action=Action.TASK_RESUMED,
        at=at,
        task_id=task_id,
        nonce=at.isoformat(),
        facts={"steps": steps, "take": take},
    )


def ended(end: TaskCompleted | TaskFailed) -> AuditEvent:
    """Return the event of a task's end."""
    facts: dict[str, Fact]
    if isinstance(end, TaskCompleted):
        facts = {"outcome": "completed", "steps": len(end.steps), "cost_usd": str(end.cost_usd)}
    else:
        facts = {"outcome": end.outcome, "reason": end.reason, "step": end.step_id}
    return _event(Action.TASK_ENDED, end.task_id, end.finished_at, facts)


def _planned(plan: Plan) -> dict[str, Fact]:
    return {
        "source": plan.source,
        "steps": len(plan.steps),
        "depth": depth(plan.steps),
        "results": len(plan.results),
        "kept_home": sum(step.lane == "local" for step in plan.steps),
    }


def _event(action: Action, task_id: str, at: datetime, facts: dict[str, Fact]) -> AuditEvent:
    return AuditEvent(agent="decomposer", action=action, at=at, task_id=task_id, facts=facts)
