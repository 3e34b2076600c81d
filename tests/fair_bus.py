"""The decomposer's real loop over its lanes, on a real bus, with handlers that do nothing but count."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from harness import Bus
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.app import make_admission
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.endings import Endings, HeardEndings
from hybridmesh.bus.links import Links
from hybridmesh.bus.topology import loops_of
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.steps import StepContext, StepReady
from hybridmesh.schemas.tasks import TaskFailed, TaskSubmitted


def submission(tenant: str, profile: str = "balanced") -> TaskSubmitted:
    """Return a task."""
    return TaskSubmitted(
        task_id=new_task_id(), goal="g", tenant=tenant, profile=profile, submitted_at=datetime.now(UTC)
    )


async def flood(links: Links, tenant: str, count: int, profile: str = "balanced") -> None:
    """Submit many tasks, some at a time."""
    for _ in range(0, count, 50):
        await asyncio.gather(*(links.publisher.publish(submission(tenant, profile)) for _ in range(50)))


@dataclass(slots=True)
class Desk:
    """What was taken on, in order, and the end of each when its work is done."""

    links: Links
    work_s: float
    order: list[TaskSubmitted] = field(default_factory=list[TaskSubmitted])
    ended_at: dict[str, float] = field(default_factory=dict[str, float])
    most_open: int = 0
    _open: set[str] = field(default_factory=set[str])  # until their end is said, which the loop may hear before us
    _workers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    _working: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def take_on(self, task: TaskSubmitted) -> Sequence[Message]:
        """Take a task on: it has one step, which a worker does in turn."""
        self.order.append(task)
        working = asyncio.create_task(self._work(task))
        self._working.add(working)
        working.add_done_callback(self._working.discard)
        self._open.add(task.task_id)
        self.most_open = max(self.most_open, len(self._open))
        context = StepContext(goal="g", profile="balanced", spec=StepSpec(id="a", title="A", instruction="i"))
        return [StepReady(task_id=task.task_id, step_id="a", context=context)]

    async def _work(self, task: TaskSubmitted) -> None:
        async with self._workers:
            await asyncio.sleep(self.work_s)
        end = TaskFailed(
            task_id=task.task_id, tenant=task.tenant, outcome="failed", reason="r", finished_at=datetime.now(UTC)
        )
        self._open.discard(task.task_id)
        await self.links.publisher.publish(end)
        self.ended_at[task.task_id] = time.perf_counter()

    async def close(self) -> None:
        """Let go of what is not done."""
        await end_tasks(self._working)


@contextlib.asynccontextmanager
async def deciding(bus: Bus, *, work_s: float = 0.0, replicas: int = 1) -> AsyncGenerator[Desk]:
    """Run the decomposer's loop over its lanes, as its application does."""
    links = await bus.links("decomposer")
    desk = Desk(links, work_s)
    (group,) = (group for group in loops_of("decomposer") if group[0].admits)
    loops: list[WorkLoop] = []
    for _ in range(replicas):
        endings = HeardEndings(bus.client, Endings(bus.js, links.ring), links.clock)
        await endings.listen()
        agent = Agent("decomposer", handlers={TaskSubmitted: desk.take_on})
        loops.append(
            WorkLoop(
                bus.js, group[0], agent, links.publisher, links.ring, bus.settings.bus,
                slots=8, endings=endings, beside=group[1:], admission=make_admission(links, endings),
            )
        )  # fmt: skip
    running = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield desk
    finally:
        for loop in loops:
            loop.stop()
        await asyncio.gather(*running)
        await desk.close()
