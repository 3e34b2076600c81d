"""What was signed long before it came is refused and audited; what has waited, however long, is not."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from harness import Bus, eventually
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.identity import read_identity
from hybridmesh.bus.topology import queue_stream
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.steps import StepReady
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed, TaskSubmitted
from queue_bench import consumer_of, make_ready, working

pytestmark = pytest.mark.connected

WEEK = timedelta(days=7)


async def send(bus: Bus, agent: str, message: Message, age: timedelta) -> None:
    """Publish what an agent signed some time ago."""
    links = await bus.links(agent)
    await links.publisher.send(seal(message, read_identity(bus.keys, agent), datetime.now(UTC) - age))


def submission() -> TaskSubmitted:
    return TaskSubmitted(task_id=new_task_id(), goal="g", submitted_at=datetime.now(UTC))


async def admit(bus: Bus, *tasks: TaskSubmitted, age: timedelta) -> list[TaskSubmitted]:
    """Have old submissions come in one after the other; return those that were taken on."""
    taken: list[TaskSubmitted] = []

    async def handle(task: TaskSubmitted) -> Sequence[Message]:
        taken.append(task)
        return ()

    links = await bus.links("decomposer")
    agent = Agent("decomposer", handlers={TaskSubmitted: handle})
    lanes = [consumer_of(f"decomposer-lane-{lane}") for lane in range(16)]
    loop = WorkLoop(bus.js, lanes[0], agent, links.publisher, links.ring, bus.settings.bus, slots=1, beside=lanes[1:])
    running = asyncio.create_task(loop.run())
    for number, task in enumerate(tasks, start=1):
        await send(bus, "publisher", task, age)

        async def seen(number: int = number) -> bool:
            return len(taken) + await bus.count("DEAD") == number and await bus.count("INTAKE_DECOMPOSER_LANES") == 0

        await eventually(seen)
    loop.stop()
    await running
    return taken


@pytest.mark.parametrize("age", [WEEK + timedelta(hours=1), -WEEK - timedelta(hours=1)])
async def test_an_old_signature_is_refused_and_audited(bus: Bus, age: timedelta) -> None:
    """No one gets in: what was recorded and is sent again later is refused in sight, and fails no task by that."""

    async def handle(_: StepReady) -> Sequence[Message]:
        raise AssertionError

    ready = make_ready()
    async with working(bus, handle):
        await send(bus, "decomposer", ready, age)
        (body,) = await bus.collect(AuditEvent, 1)

        async def done() -> bool:
            return await bus.count(queue_stream("classifier")) == 0

        await eventually(done)
    event = AuditEvent.model_validate_json(body)
    assert (event.action, event.facts["reason"]) == (Action.MESSAGE_REFUSED, "expired-message")
    assert "signed 7.0 days" in str(event.facts["problem"])
    assert (await bus.count("DEAD"), await bus.count("AUDIT"), await bus.count(queue_stream("decomposer"))) == (1, 1, 0)


async def test_what_waited_in_its_queue_is_taken(bus: Bus) -> None:
    """Nothing is lost: an outage of a month is no reason, nor are clocks that differ by days."""
    seen: list[str] = []

    async def handle(ready: StepReady) -> Sequence[Message]:
        seen.append(ready.task_id)
        return ()

    links = await bus.links("classifier")
    loop = WorkLoop(
        bus.js,
        consumer_of("classifier"),
        Agent("classifier", handlers={StepReady: handle}),
        links.publisher,
        links.ring,
        bus.settings.bus,
        slots=1,
        clock=lambda: datetime.now(UTC) + timedelta(days=30),
    )
    steps = [make_ready() for _ in range(3)]
    for ready, days in zip(steps, (0, 6, -6), strict=True):
        await send(bus, "decomposer", ready, timedelta(days=days))
    running = asyncio.create_task(loop.run())

    async def done() -> bool:
        return len(seen) == len(steps)

    await eventually(done)
    loop.stop()
    await running
    assert await bus.count("DEAD") == 0


async def test_an_old_submission_ends_as_failed(bus: Bus) -> None:
    """Nothing is lost in silence: who submits by a clock that is wrong hears of it, once."""
    task = submission()
    assert await admit(bus, task, age=3 * WEEK) == []
    (body,) = await bus.collect(TaskFailed, 1)
    end = TaskFailed.model_validate_json(body)
    assert (end.task_id, end.reason) == (task.task_id, "buried:expired-message")
    assert "21.0 days before it came" in end.detail
    assert await bus.count("RESULTS") == 1


async def test_a_submission_of_a_task_that_is_over_gives_it_no_other_end(bus: Bus) -> None:
    """Nothing is done twice: a task has one end, whatever of it is sent again."""
    task = submission()
    done = TaskCompleted(task_id=task.task_id, result="r", steps=(), cost_usd=Decimal(0), finished_at=datetime.now(UTC))
    await (await bus.links("decomposer")).publisher.publish(done)
    await admit(bus, task, age=3 * WEEK)
    assert (await bus.count("RESULTS"), await bus.count("DEAD")) == (1, 1)


async def test_a_younger_submission_is_taken_on(bus: Bus) -> None:
    """Nothing is lost: what a client could not deliver for days is begun when it comes."""
    task = submission()
    assert await admit(bus, task, age=timedelta(days=6)) == [task]
