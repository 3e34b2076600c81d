"""Takes up again what nobody will go on with: tasks that are open while no queue holds a message of theirs.

A hop is lost only with what holds it (a stream that was wiped, restored from an old copy, or emptied by hand). What
was released is then published again under the same ids, so a hop that was not lost after all is dropped as a repeat.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hybridmesh.agents.decomposer import events
from hybridmesh.agents.decomposer.following import standing
from hybridmesh.agents.decomposer.progress import give_up
from hybridmesh.agents.decomposer.task_state import TaskState, late_s
from hybridmesh.bus.agent import Clock
from hybridmesh.bus.queues import Queued
from hybridmesh.bus.state import State
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.tasks import TaskExpiring

TAKES: Final = 3  # a task that stands still after so many new starts has something that starting does not mend


@dataclass(frozen=True, slots=True)
class _Standstill:
    """Since when no queue holds anything of a task, and how often it was taken up."""

    since: datetime
    takes: int = 0


class Reconciler:
    """Looks at every open task again and again; several replicas may, as all that they publish has derived ids.

    Only open tasks are remembered, and of all others only what changed is read: a month of tasks costs it nothing.

    ``survey`` says which tasks the queues hold messages of, ``told`` whether the end of a task was published; after
    ``told_s`` (0: never) that is forgotten.
    """

    def __init__(
        self,
        *,
        tasks: State[TaskState],
        survey: Callable[[], Awaitable[Queued]],
        told: Callable[[str], Awaitable[bool]],
        publish: Callable[[Message], Awaitable[None]],
        clock: Clock,
        stall_s: float,
        told_s: float = 0,
    ) -> None:
        self._tasks = tasks
        self._trail = tasks.trail()
        self._survey = survey
        self._told = told
        self._publish = publish
        self._clock = clock
        self._stall_s = stall_s
        self._told_s = told_s
        self._open: set[str] = set()
        self._still: dict[str, _Standstill] = {}

    async def sweep(self) -> int:
        """Look once; return how many tasks were taken up, ended, or had their end told.

        Raises:
            MeshUnavailable: the bus does not answer.

        """
        queued = await self._survey()
        moved = 0
        for task_id in tuple(self._open):
            if task_id in queued.at_work and task_id in queued.timed:
                self._still.pop(task_id, None)
            else:
                moved += await self._look(task_id, await self._tasks.get(task_id), queued)
        await self._trail.begins_anew()
        async for task_id, state in self._trail.readable():
            self._open.add(task_id)  # first of all: what fails now is looked at again
            moved += await self._look(task_id, state, queued)
        return moved

    async def _look(self, task_id: str, state: TaskState | None, queued: Queued) -> bool:
        """See to one task, and forget it when nothing is left to be done for it."""
        if state is None or state.task is None:  # gone, or a cancellation whose task has not come
            self._forget(task_id)
            return False
        if state.end is not None:
            told_now = task_id not in queued.at_work and await self._tell(task_id, state)
            await self._see_cleared(task_id, state, queued)
            return told_now
        if state.due_at is not None and task_id not in queued.timed:
            await self._publish(TaskExpiring(task_id=task_id, due_at=state.due_at))
        if task_id in queued.at_work:
            self._still.pop(task_id, None)
            return False
        now = self._clock()
        still = self._still.setdefault(task_id, _Standstill(now))
        if (now - still.since).total_seconds() < self._stall_s:
            return False
        return await self._move(task_id, state, still, now)

    async def _move(self, task_id: str, state: TaskState, still: _Standstill, now: datetime) -> bool:
        """Take up a task that stands still, or end it when that did not help."""
        if await self._told(task_id):  # with a message of it that was buried: nobody would take its steps up
            detail = "its end was told when a message of it was buried"
            await self._tasks.change(task_id, lambda found: found and give_up(found, task_id, "buried", detail, now))
            return False
        if still.takes < TAKES:
            return await self._take_up(task_id, state, still, now)
        ended = await self._tasks.change(
            task_id, lambda found: found and give_up(found, task_id, "standstill", "nobody went on with the task", now)
        )
        return ended is not None and await self._tell(task_id, ended)

    async def _take_up(self, task_id: str, state: TaskState, still: _Standstill, now: datetime) -> bool:
        steps = standing(state)
        await self._publish(events.resumed(task_id, now, len(steps), still.takes + 1))
        for step in steps:
            await self._publish(step)
        self._still[task_id] = _Standstill(now, still.takes + 1)
        return True

    async def _tell(self, task_id: str, state: TaskState) -> bool:
        """Publish the end of a task unless it was; return whether it was not."""
        end = state.end
        known = end is None or self._is_forgotten(end.finished_at) or await self._told(task_id)
        if end is not None and not known:
            await self._publish(events.ended(end))
            await self._publish(end)
        self._forget(task_id)
        return not known

    async def _see_cleared(self, task_id: str, state: TaskState, queued: Queued) -> None:
        """Set the timer of a task that ended without one, or by it: what was stored for the task goes with the timer.

        The stream may drop it as a repeat of the first, so the task is looked at until it has one.
        """
        if task_id not in queued.timed and late_s(state, now := self._clock()) > 0:
            self._open.add(task_id)
            await self._publish(TaskExpiring(task_id=task_id, due_at=state.due_at or now))

    def _forget(self, task_id: str) -> None:
        self._open.discard(task_id)
        self._still.pop(task_id, None)

    def _is_forgotten(self, finished_at: datetime) -> bool:
        return self._told_s > 0 and (self._clock() - finished_at).total_seconds() >= self._told_s
