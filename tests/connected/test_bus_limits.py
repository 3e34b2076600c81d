"""What is more than the server takes: it is refused before it is sent, buried without its body, and closes nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import cast

import nats.errors
import pytest
from nats.aio.client import Client

from harness import Bus, eventually
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.connection import open_connection
from hybridmesh.bus.envelope import Envelope
from hybridmesh.bus.errors import PermanentError
from hybridmesh.bus.graveyard import LEFT_OUT, REASON
from hybridmesh.bus.identity import read_identity
from hybridmesh.bus.links import Links, make_links
from hybridmesh.bus.topology import DEAD, loops_of, subject_for
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.tasks import TaskSubmitted

pytestmark = pytest.mark.connected

SUBMITTED = subject_for(TaskSubmitted, "acme.3")


@pytest.fixture
async def decomposer(bus: Bus) -> AsyncIterator[Links]:
    """A decomposer's links over such a connection as agents have."""
    identity = read_identity(bus.keys, "decomposer")
    async with open_connection([bus.url], identity.name, None, None, within_s=10) as client:
        yield await make_links(client, identity, bus.ring, bus.settings)


def loop_of(links: Links) -> WorkLoop:
    """The loop over a decomposer's lanes."""

    async def never(_: TaskSubmitted) -> Sequence[Message]:
        raise AssertionError

    first, *beside = next(group for group in loops_of("decomposer") if group[0].admits)
    agent = Agent("decomposer", handlers={TaskSubmitted: never})
    bus = links.settings.bus
    return WorkLoop(links.js, first, agent, links.publisher, links.ring, bus, slots=4, beside=beside)


def largest(client: Client) -> bytes:
    """A body beside which there is room for a few letters of headers."""
    return b"x" * (client.max_payload - 40)


@pytest.mark.parametrize(
    ("headers", "size"),
    [({"ce-type": "x"}, None), ({"ce-type": "x", "x-long": "y" * 65_400}, 9), ({"ce-type": "x", "odd(name": "y"}, 9)],
    ids=["body", "headers", "name"],
)
async def test_what_cannot_be_buried_whole_is_buried_without_its_body(
    bus: Bus, decomposer: Links, headers: dict[str, str], size: int | None
) -> None:
    """Nothing is lost: one submission as large as can be stops nobody, and the letter says what was left out."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"ce-id": "rubbish", **headers}.items())
    head = f"NATS/1.0\r\n{lines}\r\n".encode()
    body = b"x" * (bus.client.max_payload - len(head) if size is None else size)
    await _publish_raw(bus, head, body)
    loop = loop_of(decomposer)
    running = asyncio.create_task(loop.run())

    async def buried() -> bool:
        return await bus.count(DEAD.name) == 1 and not await bus.count("INTAKE_DECOMPOSER_LANES")

    await eventually(buried, timeout=40)
    loop.stop()
    await running
    letter = await bus.js.get_msg(DEAD.name, seq=1)
    found = cast("dict[str, str]", letter.headers or {})
    assert not decomposer.client.is_closed
    assert (letter.data or b"", found["ce-id"], found[LEFT_OUT]) == (b"", "rubbish", str(len(body)))
    assert found[REASON] == "unknown-type"


async def _publish_raw(bus: Bus, head: bytes, body: bytes) -> None:
    """Publish as a program does that knows no rules for headers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(bus.url.rpartition(":")[2]))
    writer.write(b'CONNECT {"verbose":false,"headers":true,"pedantic":false}\r\n')
    writer.write(f"HPUB {SUBMITTED} {len(head)} {len(head) + len(body)}\r\n".encode() + head + body + b"\r\nPING\r\n")
    async with asyncio.timeout(20):
        while await reader.readline() != b"PONG\r\n":
            pass
    writer.close()


async def test_too_large_a_message_is_refused_and_the_connection_stays(bus: Bus, decomposer: Links) -> None:
    """Nothing is lost: the server never sees what it would close the connection for."""
    envelope = Envelope(SUBMITTED, {"ce-type": "x", "ce-id": "y" * 100}, largest(decomposer.client))
    with pytest.raises(PermanentError) as caught:
        await decomposer.publisher.send(envelope)
    assert caught.value.reason == "too-large"
    with pytest.raises(nats.errors.MaxPayloadError):
        await decomposer.client.publish(SUBMITTED, envelope.body, headers=envelope.headers)
    await decomposer.client.flush()
    assert await bus.count("INTAKE_DECOMPOSER_LANES") == 0
