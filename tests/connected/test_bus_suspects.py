"""What ends its process each time is given up, and what only dies with it is not; on a real server."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from fatal_agent import FATAL, SETTINGS
from guarded_bus import Guarded
from harness import Bus, eventually
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.errors import CloudUnavailable, MeshUnavailable
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.suspects import UNEXPLAINED, Begun, Suspects
from hybridmesh.bus.topology import Bucket, bucket_stream
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.steps import StepClassified, StepFailed, StepReady
from queue_bench import Handle, classified, consumer_of, make_ready

QUEUE = "WORK_CLASSIFIER"
NOTES = bucket_stream(Bucket.BEGUN)
MOST = 4


@contextlib.asynccontextmanager
async def working(bus: Bus, handle: Handle) -> AsyncGenerator[asyncio.Task[None]]:
    """A classifier with another handler that suspects what nobody saw the end of."""
    links = await bus.links("classifier")
    suspects = Suspects(links.state(Bucket.BEGUN, Begun), "classifier", MOST)
    agent = Agent("classifier", handlers={StepReady: handle})
    settings, queue = bus.settings.bus, consumer_of("classifier")
    loop = WorkLoop(bus.js, queue, agent, links.publisher, links.ring, settings, slots=4, suspects=suspects)
    task = asyncio.create_task(loop.run())
    try:
        yield task
    finally:
        loop.stop()
        await task


async def classify(ready: StepReady) -> Sequence[Message]:
    """What a handler does that works."""
    return (classified(ready),)


async def hand_out(bus: Bus, times: int) -> list[Msg]:
    """Have all that waits handed out so often, to somebody who says nothing of what came of it."""
    # By an option nats-py's own, which asks for one batch and no more: what is handed back goes to who asks next.
    queue = await bus.js.pull_subscribe_bind(durable="classifier", stream=QUEUE)
    waiting = await bus.count(QUEUE)
    found: list[Msg] = []
    for _ in range(times):
        found = []
        while len(found) < waiting:  # a busy server may give some now and the others later
            found += await queue.fetch(waiting - len(found), timeout=5)
        for message in found:
            await message.nak()
    await queue.unsubscribe()
    return found


async def notes(bus: Bus) -> dict[str, Begun]:
    """What is noted."""
    return await bus.state(Bucket.BEGUN, Begun).records()


async def empty(bus: Bus) -> bool:
    """Whether nothing waits."""
    return await bus.count(QUEUE) == 0


async def test_who_ends_its_process_is_given_up_and_its_neighbours_are_not(bus: Bus) -> None:
    """Nothing is lost: whatever shares a process with a message that kills it is done, once, and that one is buried."""
    await provision(bus.js, SETTINGS.bus)
    decomposer = await bus.links("decomposer")
    fatal, *others = (make_ready(text=FATAL if number == 0 else "") for number in range(9))
    for ready in (*others[:4], fatal, *others[4:]):
        await decomposer.publisher.publish(ready)
    script = Path(__file__).parents[1] / "fatal_agent.py"
    begun: list[str] = []
    deaths = 0
    async with asyncio.timeout(90):
        while not await empty(bus):
            words = (sys.executable, str(script), bus.url, str(bus.keys))
            process = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            ended = asyncio.create_task(process.communicate())
            while not ended.done() and not await empty(bus):
                await asyncio.sleep(0.05)
            deaths += ended.done()
            if not ended.done():
                process.terminate()
            begun += (await ended)[0].decode().split()
    assert begun.count(fatal.task_id) == deaths == UNEXPLAINED + MOST
    done = [StepClassified.model_validate_json(body).task_id for body in await bus.collect(StepClassified, 8)]
    assert sorted(done) == sorted(ready.task_id for ready in others)
    failed = [StepFailed.model_validate_json(body) for body in await bus.collect(StepFailed, 1)]
    assert [(end.task_id, end.reason) for end in failed] == [(fatal.task_id, "buried:ends-its-process")]
    assert (await bus.count("DEAD"), await bus.count("WORK_DECOMPOSER")) == (1, 1)
    assert [found.times for found in (await notes(bus)).values()] == [MOST]


async def test_a_hop_that_nobody_suspects_writes_no_note(bus: Bus) -> None:
    """It runs on what you have: notes cost only where a process died over what it had in hand, and again."""
    decomposer = await bus.links("decomposer")
    for _ in range(5):
        await decomposer.publisher.publish(make_ready())
    await hand_out(bus, UNEXPLAINED - 1)
    async with working(bus, classify):
        await eventually(lambda: empty(bus))
    assert (await bus.js.stream_info(NOTES)).state.last_seq == 0


async def test_an_innocent_suspect_is_handled_alone_and_its_note_goes(bus: Bus) -> None:
    """Nothing is lost: who died with others has all tries, also those that fail, and nothing is kept of it."""
    inside = 0
    company: dict[str, int] = {}

    async def handle(ready: StepReady) -> Sequence[Message]:
        nonlocal inside
        inside += 1
        before = inside
        await asyncio.sleep(0.05)
        first = ready.task_id not in company
        company.setdefault(ready.task_id, max(before, inside))
        inside -= 1
        if first:
            raise CloudUnavailable
        return (classified(ready),)

    decomposer = await bus.links("decomposer")
    for _ in range(6):
        await decomposer.publisher.publish(make_ready())
    await hand_out(bus, UNEXPLAINED)
    async with working(bus, handle):
        await eventually(lambda: empty(bus))
    assert list(company.values()) == [1] * 6
    assert (await notes(bus), await bus.count("DEAD")) == ({}, 0)
    # What failed is no suspect any more, as this process lived through it: noted, taken back and removed once each.
    assert (await bus.js.stream_info(NOTES)).state.last_seq == 6 * 3


async def test_a_note_of_another_message_does_not_count(bus: Bus) -> None:
    """Nothing is lost: numbers begin anew with a stream that was made anew, and what was noted before is not meant."""
    decomposer = await bus.links("decomposer")
    await decomposer.publisher.publish(make_ready())
    (message,) = await hand_out(bus, UNEXPLAINED)
    before = Begun(times=MOST, stored_at=message.metadata.timestamp.replace(year=2020))
    await bus.state(Bucket.BEGUN, Begun).put(f"classifier.{QUEUE}.1", before)
    async with working(bus, classify):
        await eventually(lambda: empty(bus))
    assert (await bus.count("DEAD"), await notes(bus)) == (0, {})


async def test_who_gets_no_memory_ends_its_process_until_it_is_given_up(bus: Bus) -> None:
    """Nothing is lost: no try is taken in a process that cannot be trusted, and what asks for too much is found."""
    await provision(bus.js, SETTINGS.bus)
    decomposer = await bus.links("decomposer")
    greedy, other = make_ready(), make_ready()
    for ready in (greedy, other):
        await decomposer.publisher.publish(ready)
    await hand_out(bus, UNEXPLAINED)
    done: list[str] = []

    async def handle(ready: StepReady) -> Sequence[Message]:
        done.append(ready.task_id)
        if ready.task_id == greedy.task_id:
            raise MemoryError
        await asyncio.sleep(0.1)
        return (classified(ready),)

    deaths = 0
    async with asyncio.timeout(60):
        while not await empty(bus):
            try:
                async with working(bus, handle) as running:
                    while not running.done() and not await empty(bus):
                        await asyncio.sleep(0.02)
            except MemoryError:
                deaths += 1
    assert (deaths, done.count(greedy.task_id), done.count(other.task_id)) == (MOST, MOST, 1)
    assert await bus.count("DEAD") == 1


async def test_where_no_note_can_be_kept_a_suspect_is_handled_all_the_same(bus: Bus) -> None:
    """Nothing is lost: a bus of before the notes, or one without room, gives nothing up for that."""
    decomposer = await bus.links("decomposer")
    await decomposer.publisher.publish(make_ready())
    await hand_out(bus, UNEXPLAINED)
    await bus.js.delete_stream(NOTES)
    async with working(bus, classify):
        await eventually(lambda: empty(bus), timeout=30)
    assert await bus.count("DEAD") == 0


@pytest.mark.parametrize("others", [1, 3])
async def test_a_suspect_waits_for_those_that_are_under_way(bus: Bus, others: int) -> None:
    """Nothing is lost: if a process dies over a suspect, it had nothing else in its hands."""
    going, alone = asyncio.Event(), asyncio.Event()
    under_way = 0

    async def handle(ready: StepReady) -> Sequence[Message]:
        nonlocal under_way
        if "suspect" in ready.context.spec.instruction:
            assert under_way == 0
            alone.set()
            return (classified(ready),)
        under_way += 1
        await going.wait()
        under_way -= 1
        return (classified(ready),)

    decomposer = await bus.links("decomposer")
    await decomposer.publisher.publish(make_ready(text="suspect"))
    await hand_out(bus, UNEXPLAINED)
    for _ in range(others):
        await decomposer.publisher.publish(make_ready())
    async with working(bus, handle):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(alone.wait(), 0.5)
        going.set()
        await eventually(lambda: empty(bus))
    assert alone.is_set()
    assert await bus.count("WORK_ROUTER") == others + 1


async def test_an_agent_writes_its_own_notes_and_no_others(guarded: Guarded) -> None:
    """No one gets in: nobody has another agent's messages given up; and in an account of its own one has notes too."""
    notes = (await guarded.links("classifier")).state(Bucket.BEGUN, Begun)
    now = datetime.now(UTC)
    await notes.change("classifier.S.1", lambda _: Begun(times=1, stored_at=now))
    await notes.change("classifier.S.1", lambda note: note and note.model_copy(update={"times": 2}))
    found = await notes.get("classifier.S.1")
    assert found is not None
    assert found.times == 2
    assert await notes.discard("classifier.S.1", lambda note: note.times == 2)
    with pytest.raises(MeshUnavailable):
        await notes.put("router.S.1", found)
