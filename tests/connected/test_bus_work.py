"""The work loop on a real server: nothing is lost, nothing is done by strangers, what cannot be done is buried."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness import Bus, eventually
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.errors import Deferred, Unanswerable
from hybridmesh.bus.links import Links
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import StepClassified, StepFailed, StepLocal, StepReady
from hybridmesh.schemas.tasks import TaskFailed, TaskSubmitted
from queue_bench import classified, consumer_of, make_ready, working


async def test_a_message_becomes_what_the_handler_returns_and_leaves_the_queue(bus: Bus) -> None:
    """Nothing is lost."""
    decomposer = await bus.links("decomposer")

    async def handle(ready: StepReady) -> Sequence[Message]:
        return (classified(ready),)

    async with working(bus, handle):
        sent = [make_ready() for _ in range(20)]
        for ready in sent:
            await decomposer.publisher.publish(ready)
        found = {StepClassified.model_validate_json(body).task_id for body in await bus.collect(StepClassified, 20)}
        assert found == {ready.task_id for ready in sent}

        async def empty() -> bool:
            return await bus.count("WORK_CLASSIFIER") == 0

        await eventually(empty)


async def test_a_repeated_message_has_its_effect_once(bus: Bus) -> None:
    """Nothing is lost, and effects are counted once."""
    decomposer = await bus.links("decomposer")
    ready = make_ready()

    async def handle(message: StepReady) -> Sequence[Message]:
        return (classified(message),)

    async with working(bus, handle):
        for _ in range(3):
            await decomposer.publisher.publish(ready)
        await bus.collect(StepClassified, 1)
    assert await bus.count("WORK_ROUTER") == 1


async def test_a_step_of_a_task_that_is_over_is_dropped_unread(bus: Bus) -> None:
    """Nothing is lost, and nothing is done for nobody: after a cancellation no step costs time or money."""
    seen: list[str] = []

    async def handle(ready: StepReady) -> Sequence[Message]:
        seen.append(ready.task_id)
        return (classified(ready),)

    decomposer = await bus.links("decomposer")
    over, alive = make_ready(), make_ready()
    await decomposer.publisher.publish(
        TaskFailed(
            task_id=over.task_id, outcome="cancelled", reason="cancelled", detail="", finished_at=datetime.now(UTC)
        )
    )
    async with working(bus, handle) as loop:
        for ready in (over, alive):
            await decomposer.publisher.publish(ready)

        async def done() -> bool:
            return loop.handled == 2

        await eventually(done)
    assert seen == [alive.task_id]
    assert await bus.count("WORK_CLASSIFIER") == 0


async def test_a_permanent_failure_is_buried_at_once(bus: Bus) -> None:
    """Nothing is lost."""
    tries = 0

    async def handle(_: StepReady) -> Sequence[Message]:
        nonlocal tries
        tries += 1
        raise Unanswerable(reason="no-such-thing")

    decomposer = await bus.links("decomposer")
    async with working(bus, handle):
        await decomposer.publisher.publish(make_ready())
        await bus.collect(StepFailed, 1)
    assert tries == 1


async def test_a_deferred_message_comes_back_without_counting_as_a_try(bus: Bus) -> None:
    """Nothing is lost."""
    seen = 0

    async def handle(ready: StepReady) -> Sequence[Message]:
        nonlocal seen
        seen += 1
        if seen < 4:
            raise Deferred(0.05)
        return (classified(ready),)

    decomposer = await bus.links("decomposer")
    async with working(bus, handle):
        await decomposer.publisher.publish(make_ready())
        await bus.collect(StepClassified, 1)
    assert seen == 4


async def test_a_slow_handler_keeps_its_message(bus: Bus) -> None:
    """Nothing is done twice: a job longer than the ack wait is not given to another."""
    runs = 0

    async def handle(ready: StepReady) -> Sequence[Message]:
        nonlocal runs
        runs += 1
        await asyncio.sleep(3.5)
        return (classified(ready),)

    decomposer = await bus.links("decomposer")
    async with working(bus, handle):
        await decomposer.publisher.publish(make_ready())
        await bus.collect(StepClassified, 1)
    assert runs == 1


async def test_a_stop_is_heard_while_every_slot_is_taken(bus: Bus) -> None:
    """Nothing is lost: the grace time begins with the stop, and what is not done by its end goes to another replica."""
    begun = asyncio.Event()

    async def handle(_: StepReady) -> Sequence[Message]:
        begun.set()
        await asyncio.sleep(60)
        return ()

    decomposer = await bus.links("decomposer")
    ready = make_ready()
    bus = replace(bus, settings=MeshSettings(bus=bus.settings.bus.model_copy(update={"drain_s": 1.0})))
    async with asyncio.timeout(bus.settings.bus.drain_s + 5):
        async with working(bus, handle, slots=1):
            await decomposer.publisher.publish(ready)
            await begun.wait()
        async with working(bus, lambda ready: answered(classified(ready)), slots=1):
            body = (await bus.collect(StepClassified, 1))[0]
    assert StepClassified.model_validate_json(body).task_id == ready.task_id


async def answered(message: Message) -> Sequence[Message]:
    """What a handler returns at once."""
    return (message,)


async def test_a_stranger_is_refused_and_audited(bus: Bus) -> None:
    """Nothing private leaves by a forged hop: the topology names who may publish what."""
    runs = 0

    async def handle(_: StepReady) -> Sequence[Message]:
        nonlocal runs
        runs += 1
        return ()

    async with working(bus, handle):
        stranger: Links = await bus.links("consultant")
        await stranger.publisher.publish(make_ready())
        unsigned = make_ready()
        await bus.js.publish(
            f"mesh.step.ready.{unsigned.task_id}",
            unsigned.model_dump_json().encode(),
            headers={"ce-type": StepReady.event_type(), "ce-id": unsigned.identity()},
        )

        async def buried() -> bool:
            return await bus.count("DEAD") == 2

        await eventually(buried)
    assert runs == 0
    assert await bus.count("AUDIT") == 2
    assert await bus.count("WORK_DECOMPOSER") == 0


async def test_garbage_is_buried_and_does_not_stop_the_queue(bus: Bus) -> None:
    """Nothing is lost."""

    async def handle(ready: StepReady) -> Sequence[Message]:
        return (classified(ready),)

    decomposer = await bus.links("decomposer")
    async with working(bus, handle):
        await bus.js.publish("mesh.step.ready.x", b"\xff\x00garbage")
        await decomposer.publisher.publish(make_ready())
        await bus.collect(StepClassified, 1)
    assert await bus.count("DEAD") == 1


async def test_a_large_body_goes_by_the_object_store(bus: Bus) -> None:
    """Nothing is lost, and its signature still covers every byte."""
    seen: list[int] = []

    async def handle(ready: StepReady) -> Sequence[Message]:
        seen.append(len(ready.context.spec.instruction))
        return ()

    decomposer = await bus.links("decomposer")
    async with working(bus, handle):
        await decomposer.publisher.publish(make_ready(text="x" * 3_000_000))

        async def arrived() -> bool:
            return bool(seen)

        await eventually(arrived)
    assert seen == [3_000_006]


async def test_two_replicas_share_the_work(bus: Bus) -> None:
    """It runs on what you have: a second replica takes its share of the same queue."""
    first, second = 0, 0

    async def handle_first(_: StepReady) -> Sequence[Message]:
        nonlocal first
        first += 1
        await asyncio.sleep(0.02)
        return ()

    async def handle_second(_: StepReady) -> Sequence[Message]:
        nonlocal second
        second += 1
        await asyncio.sleep(0.02)
        return ()

    decomposer = await bus.links("decomposer")
    async with working(bus, handle_first, 1), working(bus, handle_second, 1):
        for _ in range(30):
            await decomposer.publisher.publish(make_ready())

        async def done() -> bool:
            return first + second == 30

        await eventually(done)
    assert min(first, second) >= 5


async def test_open_types_need_no_signature_but_a_bad_one_is_refused(bus: Bus) -> None:
    """Anybody may submit; nobody may submit under another's name."""
    seen: list[str] = []

    async def handle(task: TaskSubmitted) -> Sequence[Message]:
        seen.append(task.task_id)
        return ()

    links = await bus.links("decomposer")
    agent = Agent("decomposer", handlers={TaskSubmitted: handle})
    loop = WorkLoop(
        bus.js, consumer_of("decomposer-intake"), agent, links.publisher, links.ring, bus.settings.bus, slots=2
    )
    running = asyncio.create_task(loop.run())
    task = TaskSubmitted(task_id=new_task_id(), goal="g", submitted_at=datetime.now(UTC))
    forged = task.model_copy(update={"task_id": new_task_id()})
    for message, extra in ((task, {}), (forged, {"mesh-signature": "AAAA", "ce-source": "/hybridmesh/publisher"})):
        headers = {"ce-type": message.event_type(), "ce-id": message.identity(), **extra}
        await bus.js.publish(
            f"mesh.task.submitted.{message.task_id}", message.model_dump_json().encode(), headers=headers
        )

    async def buried() -> bool:
        return await bus.count("DEAD") == 1 and bool(seen)

    await eventually(buried)
    loop.stop()
    await running
    assert seen == [task.task_id]


async def test_a_strangers_rubbish_is_buried_in_sight_and_without_its_words(bus: Bus) -> None:
    """Nothing is hidden, and nothing private leaves: the log knows of the burial, not of what the id said."""

    async def handle(_: TaskSubmitted) -> Sequence[Message]:
        return ()

    links = await bus.links("decomposer")
    agent = Agent("decomposer", handlers={TaskSubmitted: handle})
    loop = WorkLoop(
        bus.js, consumer_of("decomposer-intake"), agent, links.publisher, links.ring, bus.settings.bus, slots=2
    )
    running = asyncio.create_task(loop.run())
    headers = {"ce-type": TaskSubmitted.event_type(), "ce-id": f"{new_task_id()}/Dana Whitfield/b/\u00b2"}
    await bus.js.publish(f"mesh.task.submitted.{new_task_id()}", b"{}", headers=headers)
    (body,) = await bus.collect(AuditEvent, 1)
    loop.stop()
    await running
    assert AuditEvent.model_validate_json(body).action is Action.MESSAGE_BURIED
    assert b"Dana" not in body
    assert await bus.count("DEAD") == 1
    assert await bus.count("INTAKE_DECOMPOSER") == 0


@pytest.mark.parametrize("lane", list(Lane))
def test_a_summary_and_the_answer_of_one_attempt_have_different_ids(lane: Lane) -> None:
    """Nothing is lost: the stream would drop the second of two messages with one id."""
    ready = make_ready()
    common = {"task_id": ready.task_id, "step_id": "a", "context": ready.context, "label": Sensitivity.PUBLIC}
    decision = Decision(lane=lane, reason="r")
    first = StepLocal.model_validate({**common, "decision": decision, "mode": "summarise"})
    second = StepLocal.model_validate({**common, "decision": decision, "mode": "answer"})
    assert first.identity() != second.identity()


async def test_a_strangers_message_dies_without_ending_a_task(bus: Bus) -> None:
    """Nothing is lost: who knows a task's id can not end it with a message that cannot be read."""

    async def handle(_: StepReady) -> Sequence[Message]:
        return ()

    ready = make_ready()
    async with working(bus, handle):
        headers = {"ce-type": StepReady.event_type(), "ce-id": ready.identity()}
        await bus.js.publish(f"mesh.step.ready.{ready.task_id}", b"{}", headers=headers)

        async def buried() -> bool:
            return await bus.count("DEAD") == 1 and await bus.count("AUDIT") >= 1

        await eventually(buried)
    assert await bus.count("WORK_DECOMPOSER") == 0


async def test_a_queue_that_is_gone_is_told_of_once_and_asked_ever_less_often(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost or hidden: no flood of lines, and when the queue is there again work goes on."""

    async def handle(ready: StepReady) -> Sequence[Message]:
        return (classified(ready),)

    decomposer = await bus.links("decomposer")
    queue = consumer_of("classifier")
    async with working(bus, handle) as loop:
        await bus.js.delete_consumer(queue.stream, queue.durable)
        asked = bus.client.stats["out_msgs"]
        await asyncio.sleep(3)
        assert bus.client.stats["out_msgs"] - asked < 12
        await provision(bus.js, bus.settings.bus)
        await decomposer.publisher.publish(make_ready())

        async def done() -> bool:
            return loop.handled == 1

        await eventually(done)
    told = [record.getMessage() for record in caplog.records]
    assert len([words for words in told if "fetch failed" in words]) == 1
    assert len([words for words in told if "fetches again" in words]) == 1
