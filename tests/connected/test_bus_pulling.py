"""A queue that is listened to: no more comes than there is room for, and none is left with who stops."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

import nats.errors
import pytest

from harness import Bus, eventually
from hybridmesh.bus.connection import open_connection
from hybridmesh.bus.jetstream import JetStream
from hybridmesh.bus.pulling import Pull
from hybridmesh.bus.topology import consumers_of, subject_for
from hybridmesh.schemas.feedback import FeedbackGiven

pytestmark = pytest.mark.connected

(QUEUE,) = consumers_of("memory")


@contextlib.asynccontextmanager
async def pulling(bus: Bus, durable: str = QUEUE.durable) -> AsyncGenerator[Pull]:
    """Listen to a queue as a work loop does."""
    async with open_connection([bus.url], "memory", None, None, within_s=10) as client:
        pull = await JetStream(client).pull_subscribe_bind(durable, QUEUE.stream)
        assert isinstance(pull, Pull)
        yield pull


async def publish(bus: Bus, *names: str) -> None:
    for name in names:
        await bus.js.publish(subject_for(FeedbackGiven, name), name.encode())


async def in_hand(bus: Bus) -> int:
    """How many messages were handed out and not acknowledged."""
    return (await bus.js.consumer_info(QUEUE.stream, QUEUE.durable)).num_ack_pending or 0


async def test_no_more_comes_than_there_is_room_for(bus: Bus) -> None:
    """Nothing is lost: what nobody has room for stays in the queue, for another replica."""
    await publish(bus, *"abcdef")
    async with pulling(bus) as pull:
        found = await pull.fetch(4)
        while len(found) < 4:
            found += await pull.fetch(4 - len(found))
        await asyncio.sleep(0.1)
        assert (await in_hand(bus), pull.pending_msgs) == (4, 0)
        assert [message.data for message in found] == [b"a", b"b", b"c", b"d"]
        for message in found:
            await message.ack_sync()
        assert [message.data for message in await pull.fetch(1)] == [b"e"]


async def test_what_was_asked_for_comes_without_being_asked_for_again(bus: Bus) -> None:
    """Nothing is lost: the next message of a quiet queue comes by itself, and is handed out once."""
    async with pulling(bus) as pull:
        await publish(bus, "a")
        assert [message.data for message in await pull.fetch(8)] == [b"a"]
        sent = pull._nc.stats["out_msgs"]
        await publish(bus, "b")
        assert [message.data for message in await pull.fetch(7)] == [b"b"]
        assert pull._nc.stats["out_msgs"] == sent
        assert await in_hand(bus) == 2


async def test_who_stops_hands_back_what_still_comes(bus: Bus) -> None:
    """Nothing is lost: another replica has it at once, and not when its acknowledgement is overdue."""
    async with pulling(bus) as pull:
        await publish(bus, "a")
        (first,) = await pull.fetch(8, timeout=0.5)
        await first.ack_sync()
        stopping = asyncio.create_task(pull.unsubscribe())
        await publish(bus, "b")
        await stopping
        begun = time.monotonic()
        async with pulling(bus) as other:
            (again,) = await other.fetch(8)
            assert (again.data, again.metadata.num_delivered) == (b"b", 2)
            assert time.monotonic() - begun < bus.settings.bus.ack_wait_s / 2


async def test_an_empty_queue_is_no_error_and_one_that_is_not_there_is(bus: Bus) -> None:
    """Nothing is hidden: the loop tells the two apart."""
    async with pulling(bus) as pull:
        with pytest.raises(TimeoutError):
            await pull.fetch(8, timeout=0.1)
    async with pulling(bus, "nobody") as pull:
        with pytest.raises(nats.errors.Error) as caught:
            await pull.fetch(8, timeout=1)
        assert not isinstance(caught.value, TimeoutError)


async def test_a_lost_connection_takes_along_what_was_asked_over_it(bus: Bus) -> None:
    """Nothing is lost: over the next one it is asked anew, before the time of what was asked is over."""
    async with pulling(bus) as pull:
        await publish(bus, "a")
        assert len(await pull.fetch(8, timeout=20)) == 1
        await pull._nc.force_reconnect()

        async def back() -> bool:
            return pull._nc.stats["reconnects"] == 1 and pull._nc.is_connected

        await eventually(back)
        await publish(bus, "b")
        async with asyncio.timeout(5):
            assert [message.data for message in await pull.fetch(7, timeout=20)] == [b"b"]


async def test_a_lost_connection_does_not_keep_a_queue_waiting(bus: Bus) -> None:
    """Nothing is lost: what was asked for went with the server, and is asked for again once, as soon as it is back."""
    async with pulling(bus) as pull:
        fetching = asyncio.create_task(pull.fetch(4, timeout=30))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(bus.server.stop)
        await asyncio.sleep(1.5)
        await asyncio.to_thread(bus.server.restart)
        async with open_connection([bus.url], "publisher", None, None, within_s=10) as client:
            js, begun = JetStream(client), time.monotonic()
            await js.publish(subject_for(FeedbackGiven, "a"), b"a")
            assert [message.data for message in await fetching] == [b"a"]
            assert time.monotonic() - begun < 10
            waiting = (await js.consumer_info(QUEUE.stream, QUEUE.durable)).num_waiting or 0
            assert waiting <= 1
