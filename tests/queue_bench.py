"""A classifier with another handler, at work on its real queue: what tests of the work loop share."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from harness import Bus
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.topology import Consumer, consumers
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Findings, Sensitivity
from hybridmesh.schemas.steps import StepClassified, StepContext, StepReady

Handle = Callable[[StepReady], Awaitable[Sequence[Message]]]


def make_ready(task_id: str | None = None, text: str = "") -> StepReady:
    """A step that is ready, with as much text as asked for."""
    spec = StepSpec(id="a", title="A", instruction=f"do it {text}")
    context = StepContext(goal="g", profile="balanced", spec=spec)
    return StepReady(task_id=task_id or new_task_id(), step_id="a", context=context)


def classified(ready: StepReady) -> StepClassified:
    """What a classifier makes of it."""
    return StepClassified(
        task_id=ready.task_id,
        step_id=ready.step_id,
        context=ready.context,
        label=Sensitivity.PUBLIC,
        findings=Findings(),
    )


def consumer_of(durable: str) -> Consumer:
    """The durable of an agent's queue."""
    return next(item for item in consumers() if item.durable == durable)


@contextlib.asynccontextmanager
async def working(bus: Bus, handle: Handle, slots: int = 4) -> AsyncGenerator[WorkLoop]:
    """A classifier with another handler, at work."""
    links = await bus.links("classifier")
    agent = Agent("classifier", handlers={StepReady: handle})
    loop = WorkLoop(
        bus.js, consumer_of("classifier"), agent, links.publisher, links.ring, bus.settings.bus, slots=slots
    )
    task = asyncio.create_task(loop.run())
    try:
        yield loop
    finally:
        loop.stop()
        await task
