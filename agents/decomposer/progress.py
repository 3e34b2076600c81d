"""The life of a task as a value: what each message changes.

A transition returns the same object when it changes nothing. What is released is remembered with the identity of
the message that released it, so that the same message, handled again after a crash, brings forth the same
messages, and no other message repeats them. Once a task has its end, nothing changes it.
"""

from datetime import datetime
from decimal import Decimal

from hybridmesh.agents.decomposer.task_state import StepState, TaskState, label_floor, spec_of, tenant_of
from hybridmesh.schemas.message import Message, StepId
from hybridmesh.schemas.plans import Plan
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.steps import StepFailed, StepVerified
from hybridmesh.schemas.tasks import (
    CancelTask,
    StepSummary,
    TaskCompleted,
    TaskExpiring,
    TaskFailed,
    TaskSubmitted,
)

_GONE = "-"  # in place of a text


def start(task: TaskSubmitted, plan: Plan, floor: Sensitivity, *, now: datetime, due_at: datetime) -> TaskState:
    """Return the task with its first steps released."""
    state = TaskState(
        task=task,
        plan=plan,
        steps={step.id: StepState() for step in plan.steps},
        floor=floor,
        accepted_at=now,
        due_at=due_at,
    )
    return _release(state, task)


def refuse(task: TaskSubmitted, reason: str, detail: str, now: datetime) -> TaskState:
    """Return a task that ended before it began; it is due at once, as its timer clears away what was stored of it."""
    state = TaskState(task=task, accepted_at=now, due_at=now)
    return _end(
        state,
        task,
        TaskFailed(
            task_id=task.task_id,
            tenant=task.tenant,
            outcome="refused",
            reason=reason,
            detail=detail,
            finished_at=now,
        ),
    )


def accept(before: TaskState | None, fresh: TaskState, task: TaskSubmitted, now: datetime) -> TaskState:
    """Return the state to keep: the one that is there, or the fresh one, which a cancellation may have overtaken."""
    if before is None:
        return fresh
    if before.task is not None:
        return before
    return _end(fresh.model_copy(update={"end": None, "cancelled": True}), task, _cancelled(task, now))


def step_done(state: TaskState, message: StepVerified, now: datetime) -> TaskState:
    """Note a step's checked result and release what waited for it; the last one ends the task."""
    step = _open_step(state, message.step_id)
    if step is None:
        return state
    spec = spec_of(state, message.step_id)
    summary = StepSummary(
        step_id=message.step_id,
        title=spec.title,
        result=message.result,
        lane=message.lane,
        why=message.decision.reason,
        label=max(message.label, label_floor(state, spec)),
        attempts=message.attempt,
        cost_usd=message.cost_usd,
        other_cost_usd=message.decision.other_cost_usd,
        verified=message.verdict.passed,
        evidence=tuple(dict.fromkeys(place for claim in message.verdict.claims for place in claim.evidence)),
        decision=message.decision,
        verdict=message.verdict,
    )
    state = _with_step(state, message.step_id, step.model_copy(update={"status": "done", "summary": summary}))
    if all(other.status == "done" for other in state.steps.values()):
        return _end(state, message, _completed(state, message.task_id, now))
    return _release(state, message)


def step_failed(state: TaskState, message: StepFailed, now: datetime) -> TaskState:
    """End the task: a plan has no step that it can do without."""
    step = _open_step(state, message.step_id)
    if step is None:
        return state
    state = _with_step(state, message.step_id, step.model_copy(update={"status": "failed"}))
    return _end(
        state,
        message,
        TaskFailed(
            task_id=message.task_id,
            tenant=tenant_of(state),
            outcome="failed",
            reason=message.reason,
            detail=message.detail,
            step_id=message.step_id,
            finished_at=now,
        ),
    )


def cancel(state: TaskState | None, message: CancelTask, now: datetime) -> TaskState:
    """End the task as cancelled; a cancellation that comes first is kept for the task that follows."""
    if state is None:
        return TaskState(cancelled=True, accepted_at=now)
    if state.end is not None or state.task is None:
        return state
    return _end(state.model_copy(update={"cancelled": True}), message, _cancelled(state.task, now))


def expire(state: TaskState, message: TaskExpiring, now: datetime) -> TaskState:
    """End a task that is not over in time."""
    if state.end is not None or now < message.due_at:
        return state
    return _end(
        state,
        message,
        TaskFailed(
            task_id=message.task_id,
            tenant=tenant_of(state),
            outcome="failed",
            reason="deadline",
            detail="the task was not done in time",
            finished_at=now,
        ),
    )


def give_up(state: TaskState, task_id: str, reason: str, detail: str, now: datetime) -> TaskState:
    """End a task that nobody goes on with."""
    if state.end is not None:
        return state
    end = TaskFailed(
        task_id=task_id, tenant=tenant_of(state), outcome="failed", reason=reason, detail=detail, finished_at=now
    )
    return _over(state, end)


def _release(state: TaskState, cause: Message) -> TaskState:
    for spec in state.plan.steps if state.plan else ():
        needed = all(state.steps[name].status == "done" for name in spec.uses)
        if needed and state.steps[spec.id].status == "waiting":
            state = _with_step(state, spec.id, StepState(status="released", released_by=cause.identity()))
    return state


def _completed(state: TaskState, task_id: str, now: datetime) -> TaskCompleted:
    plan = state.plan
    summaries = {name: step.summary for name, step in state.steps.items() if step.summary is not None}
    wanted = [summaries[name] for name in (plan.results if plan else ())]
    alone = len(wanted) == 1
    return TaskCompleted(
        workflow=state.task.workflow if state.task else None,
        task_id=task_id,
        tenant=tenant_of(state),
        result="\n\n".join(part.result if alone else f"## {part.title}\n\n{part.result}" for part in wanted),
        steps=tuple(summaries.values()),
        cost_usd=sum((part.cost_usd for part in summaries.values()), Decimal(0)),
        finished_at=now,
    )


def _cancelled(task: TaskSubmitted, now: datetime) -> TaskFailed:
    return TaskFailed(
        task_id=task.task_id,
        tenant=task.tenant,
        outcome="cancelled",
        reason="cancelled",
        detail="the task was cancelled before it was done",
        finished_at=now,
    )


def _end(state: TaskState, cause: Message, end: TaskCompleted | TaskFailed) -> TaskState:
    return _over(state, end).model_copy(update={"ended_by": cause.identity()})


def _over(state: TaskState, end: TaskCompleted | TaskFailed) -> TaskState:
    """Give a task its end; what was asked is private, may be long and is nobody's any more, and the record stays."""
    task = state.task and state.task.model_copy(update={"goal": _GONE, "inputs": ()})
    plan = state.plan
    if plan is not None:
        steps = tuple(step.model_copy(update={"instruction": _GONE}) for step in plan.steps)
        plan = plan.model_copy(update={"steps": steps})
    return state.model_copy(update={"end": end, "task": task, "plan": plan})


def _open_step(state: TaskState, name: StepId) -> StepState | None:
    """Return a step that can still change; None once it is over, its task is, or it never was released."""
    step = state.steps.get(name)
    return step if state.end is None and step is not None and step.status == "released" else None


def _with_step(state: TaskState, name: StepId, step: StepState) -> TaskState:
    return state.model_copy(update={"steps": {**state.steps, name: step}})
