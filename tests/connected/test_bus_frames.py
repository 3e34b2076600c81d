"""What anybody who may submit could put on the wire: it is buried like any rubbish, and stops nobody's reading."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from harness import Bus, eventually
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.connection import open_connection
from hybridmesh.bus.frames import harmless
from hybridmesh.bus.identity import read_identity
from hybridmesh.bus.links import make_links
from hybridmesh.bus.topology import lanes_stream, loops_of, subject_for
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.tasks import TaskSubmitted

SUBMITTED = subject_for(TaskSubmitted, "acme.3").encode()


async def publish_raw(bus: Bus, subject: bytes, headers: bytes) -> None:
    """Publish bytes that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(bus.url.rpartition(":")[2]))
    await reader.readline()
    writer.write(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB answer 1\r\n')
    writer.write(b"HPUB %s answer %d %d\r\n%s\r\n" % (subject, len(headers), len(headers), headers))
    async with asyncio.timeout(5):
        while b'"seq"' not in await reader.readline():
            pass
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("subject", "headers"),
    [
        (SUBMITTED.replace(b"acme", b"\xff\xfe"), b"NATS/1.0\r\na: b\r\n\r\n"),
        (SUBMITTED, b"NATS/1.0 \xff\xff\xff\r\n\r\n"),
        (SUBMITTED, b"NATS/1.0 404 \xff\xff\r\na: b\r\n\r\n"),
        (SUBMITTED, b"NATS/1.0 409 Message Size Exceeds MaxBytes\r\n\r\n"),
        (SUBMITTED, b"NATS/1.0 100 Idle Heartbeat\r\n\r\n"),
        (SUBMITTED, b"NATS/1.0\r\nStatus: 404\r\n\r\n"),
        (SUBMITTED, b"NATS/1.0"),
    ],
    ids=["subject", "status", "description", "inline", "heartbeat", "header", "nothing"],
)
async def test_no_bytes_of_a_submitter_stop_the_queue(bus: Bus, subject: bytes, headers: bytes) -> None:
    """No one gets in, nothing is lost: it is a dead letter, and whoever submits next is served."""
    seen: list[str] = []

    async def handle(task: TaskSubmitted) -> Sequence[Message]:
        seen.append(task.task_id)
        return ()

    identity = read_identity(bus.keys, "decomposer")
    async with open_connection([bus.url], identity.name, None, None, within_s=10) as client:
        links = await make_links(client, identity, bus.ring, bus.settings)
        first, *beside = next(group for group in loops_of("decomposer") if group[0].admits)
        agent, settings = Agent("decomposer", handlers={TaskSubmitted: handle}), bus.settings.bus
        loop = WorkLoop(links.js, first, agent, links.publisher, links.ring, settings, slots=4, beside=beside)
        working = asyncio.create_task(loop.run())
        await publish_raw(bus, subject, headers)
        task = TaskSubmitted(task_id=new_task_id(), goal="g", submitted_at=datetime.now(UTC))
        await (await bus.links("publisher")).publisher.publish(task)

        async def done() -> bool:
            return await bus.count(lanes_stream("decomposer")) == 0 and await bus.count("DEAD") == 1

        await eventually(done)
        loop.stop()
        await working
    assert seen == [task.task_id]


@pytest.mark.parametrize(
    ("headers", "reply", "kept"),
    [
        (b"NATS/1.0 404 No Messages\r\n\r\n", b"", None),
        (b"NATS/1.0 503\r\n\r\n", b"", None),
        (b"NATS/1.0\r\na: Status\r\n\r\n", b"$JS.ACK.S.c.1.1.1.1.0", None),
        (b"NATS/1.0 404 x\r\nNats-Stream: S\r\nb: c\r\n\r\n", b"", b"NATS/1.0\r\nNats-Stream: S\r\nb: c\r\n\r\n"),
        (b"NATS/1.0\r\n Status : 1\r\n\r\n", b"$JS.ACK.S.c.1.1.1.1.0", b"NATS/1.0\r\nStored- Status : 1\r\n\r\n"),
    ],
)
def test_the_servers_own_answers_stay_as_they_are(headers: bytes, reply: bytes, kept: bytes | None) -> None:
    """Nothing is lost: only what was stored has no status; that a queue is empty is still heard."""
    assert harmless(headers, reply) == (headers if kept is None else kept)
