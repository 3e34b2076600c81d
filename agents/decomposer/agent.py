"""The decomposer: plans a task, releases its steps as their inputs arrive, and gives it exactly one end.

Consumes task.submitted, task.cancel, step.verified and step.failed, and its own timer task.expiring. Publishes
step.ready, task.completed, task.failed, task.expiring and audit events. Needs the bucket TASKS, and the local model
for long goals without a workflow; it plans by itself when no model answers. Looks after tasks that stand still.
"""

from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from hybridmesh.agents.decomposer import events
from hybridmesh.agents.decomposer.admission import floor_of, refusal
from hybridmesh.agents.decomposer.following import messages
from hybridmesh.agents.decomposer.model_plan import plan_request, read_plan, worth_asking
from hybridmesh.agents.decomposer.progress import (
    accept,
    cancel,
    expire,
    refuse,
    start,
    step_done,
    step_failed,
)
from hybridmesh.agents.decomposer.split import structural
from hybridmesh.agents.decomposer.task_state import TaskState, late_s, tenant_of
from hybridmesh.agents.decomposer.workflows import Workflow
from hybridmesh.bus.agent import Agent, Clock
from hybridmesh.bus.errors import Deferred, TransientError
from hybridmesh.bus.ports import LocalModel
from hybridmesh.bus.settings import PlanSettings
from hybridmesh.bus.state import State
from hybridmesh.bus.sweeping import keep_swept
from hybridmesh.schemas.measured import PLAN, Figures, relied_on
from hybridmesh.schemas.message import Message, TaskMessage
from hybridmesh.schemas.plans import Plan
from hybridmesh.schemas.steps import StepFailed, StepVerified
from hybridmesh.schemas.tasks import CancelTask, TaskExpiring, TaskSubmitted

PLAN_TIMEOUT_S = 30.0
LOOK_AGAIN_S = (2.0, 60.0)
RECONCILE_S = 60.0


async def _nothing(_: str) -> None:
    """Nothing was stored."""


async def _not_yet(_: str) -> bool:
    """No end was told."""
    return False


class DecomposerAgent:
    """Thin: each handler applies one transition of ``progress`` by compare-and-swap and publishes what follows.

    ``planner`` says the local model's name, if known: one that was measured to cut goals wrongly is not asked.
    ``figures`` are those to go by instead of the shipped.
    ``told`` says whether the end of a task was published, ``clear_away`` removes what was stored for one that is over;
    ``reconcile`` takes up what stands still.
    """

    def __init__(
        self,
        *,
        tasks: State[TaskState],
        workflows: Mapping[str, Workflow],
        profiles: Collection[str],
        limits: PlanSettings,
        clock: Clock,
        model: LocalModel | None = None,
        planner: Callable[[], str | None] = lambda: None,
        figures: Figures | None = None,
        told: Callable[[str], Awaitable[bool]] = _not_yet,
        clear_away: Callable[[str], Awaitable[object]] = _nothing,
        reconcile: Callable[[], Awaitable[int]] | None = None,
        watches: tuple[Callable[[], Coroutine[None, None, None]], ...] = (),
    ) -> None:
        self._tasks = tasks
        self._workflows = workflows
        self._profiles = profiles
        self._limits = limits
        self._told = told
        self._clear_away = clear_away
        self._clock = clock
        self._model = model
        self._planner = planner
        self._figures = figures
        self._watches = watches
        self._reconcile = reconcile

    def agent(self) -> Agent:
        """Return the wiring."""
        return Agent(
            name="decomposer",
            handlers={
                TaskSubmitted: self.plan,
                CancelTask: self.cancel,
                StepVerified: self.advance,
                StepFailed: self.give_up,
                TaskExpiring: self.expire,
            },
            tenant_of=self._tenant_of,
            watches=(
                *self._watches,
                *(() if self._reconcile is None else (partial(self._keep_going, self._reconcile),)),
            ),
        )

    async def plan(self, task: TaskSubmitted) -> Sequence[Message]:
        """Refuse the task, or plan it and release its first steps; planned once, however often it is delivered."""
        known = await self._tasks.get(task.task_id)
        if known is None or known.task is None:
            fresh = await self._begin(task)
            known = await self._tasks.change(task.task_id, lambda found: accept(found, fresh, task, self._clock()))
        if known is None:
            return ()
        timer = [] if known.due_at is None else [TaskExpiring(task_id=task.task_id, due_at=known.due_at)]
        return [*events.begun(known, task), *timer, *await self._following(known, task)]

    async def cancel(self, message: CancelTask) -> Sequence[Message]:
        """Stop the task, or see to it that it ends as soon as it arrives."""
        state = await self._tasks.change(message.task_id, lambda found: cancel(found, message, self._clock()))
        return [] if state is None else await self._following(state, message)

    async def advance(self, message: StepVerified) -> Sequence[Message]:
        """Take a result in and release what waited for it."""
        state = await self._tasks.change(
            message.task_id, lambda found: found and step_done(found, message, self._clock())
        )
        return [] if state is None else await self._following(state, message)

    async def give_up(self, message: StepFailed) -> Sequence[Message]:
        """End the task of a step that cannot be done."""
        state = await self._tasks.change(
            message.task_id, lambda found: found and step_failed(found, message, self._clock())
        )
        return [] if state is None else await self._following(state, message)

    async def expire(self, message: TaskExpiring) -> Sequence[Message]:
        """End a task that is not over in time; looks again after as long as the task has been under way.

        What was stored for a task goes once its end is told, and again after the time in which more may come.
        """
        now = self._clock()
        state = await self._tasks.get(message.task_id)
        if state is None:
            return ()
        if state.end is None and now < message.due_at:
            raise Deferred(_pause(state.accepted_at, now, message.due_at))
        state = await self._tasks.change(message.task_id, lambda found: found and expire(found, message, now))
        following: Sequence[Message] = [] if state is None else await self._following(state, message)
        if following:
            return following
        if not await self._told(message.task_id):
            # Whoever ended the task may still need what is stored for it; when that is over, the reconciler tells.
            raise Deferred(LOOK_AGAIN_S[1])
        await self._clear_away(message.task_id)
        if state is not None and (left_s := late_s(state, now)) > 0:
            raise Deferred(left_s)
        return ()

    async def _following(self, state: TaskState, cause: TaskMessage) -> Sequence[Message]:
        """Return what follows; an end that was told is not told again, however long after it its cause comes back.

        The stream drops a repeated end too, but only for as long as it remembers ids.
        """
        following = messages(state, cause)
        if state.end is None or not following:
            return following
        return [] if await self._told(cause.task_id) else [events.ended(state.end), *following]

    async def _tenant_of(self, task_id: str) -> str:
        return tenant_of(await self._tasks.get(task_id))

    async def _keep_going(self, reconcile: Callable[[], Awaitable[int]]) -> None:
        await keep_swept("decomposer", reconcile, min(RECONCILE_S, self._limits.stall_s / 4))

    async def _begin(self, task: TaskSubmitted) -> TaskState:
        now = self._clock()
        refused = refusal(task, self._workflows, self._profiles, now)
        if refused is not None:
            return refuse(task, refused.reason, refused.detail, now)
        due_at = now + timedelta(seconds=self._limits.task_timeout_s)
        if task.deadline is not None:
            due_at = min(due_at, task.deadline)
        return start(task, await self._draw_up(task, due_at - now), floor_of(task), now=now, due_at=due_at)

    async def _draw_up(self, task: TaskSubmitted, left: timedelta) -> Plan:
        """Return the plan: the workflow's, the goal's own list, the model's, or the goal as one step."""
        if task.workflow is not None:
            return self._workflows[task.workflow].plan
        plan = structural(task.goal, self._limits)
        planner = self._planner()
        asked = self._model is not None and relied_on(planner, PLAN, figures=self._figures) and worth_asking(task.goal)
        if len(plan.steps) > 1 or self._model is None or not asked:
            return plan
        patience = min(PLAN_TIMEOUT_S, left.total_seconds() / 4)
        try:
            answer = await self._model.complete(plan_request(task.goal, patience))
        except TransientError:
            return plan  # a task never waits for a model to say how to cut it
        # Another model may have taken its place.
        if planner is not None and not relied_on(answer.model, PLAN, figures=self._figures):
            return plan
        return read_plan(task.goal, answer, self._limits) or plan


def _pause(accepted_at: datetime, now: datetime, due_at: datetime) -> float:
    """Return the seconds to the next look: timers of short tasks go soon, long ones are looked at rarely."""
    shortest, longest = LOOK_AGAIN_S
    elapsed = (now - accepted_at).total_seconds()
    return min(max(shortest, min(elapsed, longest)), max(0.1, (due_at - now).total_seconds()))
