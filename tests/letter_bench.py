"""Letters that died in a classifier's queue, and the command that sees to them: what tests of dead letters share."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from command_line import Ran, run_command
from harness import Bus, eventually
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.errors import Unanswerable
from hybridmesh.bus.topology import consumers
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.steps import StepContext, StepReady

SECRET = "Dana Whitfield"


def make_ready(text: str = SECRET) -> StepReady:
    """A step with private text."""
    context = StepContext(goal="g", profile="balanced", spec=StepSpec(id="a", title="A", instruction=text))
    return StepReady(task_id=new_task_id(), step_id="a", context=context)


class Classifier:
    """A classifier that refuses until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.handled: list[StepReady] = []

    async def handle(self, message: StepReady) -> Sequence[Message]:
        if not self.mended:
            raise Unanswerable("cannot")
        self.handled.append(message)
        return ()


@contextlib.asynccontextmanager
async def at_work(bus: Bus, classifier: Classifier) -> AsyncGenerator[None]:
    """The real work loop around it."""
    links = await bus.links("classifier")
    consumer = next(item for item in consumers() if item.durable == "classifier")
    agent = Agent("classifier", handlers={StepReady: classifier.handle})
    loop = WorkLoop(bus.js, consumer, agent, links.publisher, links.ring, bus.settings.bus, slots=2)
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        loop.stop()
        await task


async def bury(bus: Bus, *steps: StepReady) -> None:
    """Let steps die."""
    decomposer = await bus.links("decomposer")
    for step in steps:
        await decomposer.publisher.publish(step)

    async def dead() -> bool:
        return await bus.count("DEAD") == len(steps)

    async with at_work(bus, Classifier()):
        await eventually(dead)


async def letters(bus: Bus, data: Path, *words: str) -> Ran:
    """Run ``dead-letters``."""
    place = ["--nats", bus.url, "--keys", str(bus.keys), "--data", str(data)]
    return await asyncio.to_thread(run_command, "dead-letters", words, place)


async def actions(bus: Bus, action: Action) -> list[AuditEvent]:
    """The publisher's audit events of a kind."""
    count = await bus.count("AUDIT")
    events = [AuditEvent.model_validate_json(body) for body in await bus.collect(AuditEvent, count)]
    return [event for event in events if event.action is action and event.agent == "publisher"]
