"""The yardstick: five hops in bare nats-py on the same server, with the same promises and nothing else.

A work queue and a connection a hop, a message id on every publish, each publish stored (and synced) before its cause is
acknowledged, acknowledgements confirmed. No envelope, signature, state, audit or decision. With ``BESIDE`` it makes as
many synced writes as the mesh does: how fast any mesh could be that keeps a log and records.
"""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncGenerator, Sequence

import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig

from bench.measuring import Task

HOPS = 5
SLOTS = 16
_END = "bare.end"
_LOG, _RECORD, _ENDED = "bare.beside.log", "bare.beside.record", "bare.beside.ended"
# By hop: an audit event each, the step that is parked, the task's record, its end.
BESIDE = ((_LOG,), (_LOG, _RECORD), (_LOG,), (_LOG,), (_LOG, _RECORD, _ENDED))
_BODY = b'{"text":"' + b"a customer writes that a payment was taken twice; " * 8 + b'"}'


@contextlib.asynccontextmanager
async def bare_sender(url: str) -> AsyncGenerator[Task]:
    """Make the streams; yields what sends one message through all hops, which run elsewhere."""
    client = await nats.connect(url)
    js = client.jetstream()
    await _provision(js)
    waiting: dict[str, asyncio.Future[None]] = {}
    run, numbers = secrets.token_hex(4), itertools.count()  # another run's ids would be taken for repeats

    async def arrived(message: Msg) -> None:
        waiting.pop((message.headers or {})["Nats-Msg-Id"].partition("/")[0]).set_result(None)

    async def run_one() -> None:
        name = f"{run}.{next(numbers)}"
        waiting[name] = asyncio.get_running_loop().create_future()
        ended = waiting[name]
        await js.publish(_subject(0), _BODY, headers={"Nats-Msg-Id": f"{name}/0"})
        await ended

    await client.subscribe(_END, cb=arrived)
    await client.flush()
    try:
        yield run_one
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def bare_hop(url: str, hop: int, beside: Sequence[Sequence[str]] = ((),) * HOPS) -> AsyncGenerator[None]:
    """Run one hop over a connection of its own; ``beside`` says where each writes before it sends the next message."""
    client = await nats.connect(url)
    passing = asyncio.create_task(_pass_on(client.jetstream(), hop, beside[hop]))
    try:
        yield
    finally:
        passing.cancel()
        await asyncio.gather(passing, return_exceptions=True)
        await client.close()


def _subject(hop: int) -> str:
    return f"bare.{hop}" if hop < HOPS else _END


async def _provision(js: JetStreamContext) -> None:
    for hop in range(HOPS + 1):
        await js.add_stream(
            StreamConfig(
                name=f"BARE_{hop}",
                subjects=[_subject(hop)],
                retention=RetentionPolicy.WORK_QUEUE if hop < HOPS else RetentionPolicy.LIMITS,
                storage=StorageType.FILE,
            )
        )
    for number, subject in enumerate((_LOG, _RECORD, _ENDED)):
        await js.add_stream(StreamConfig(name=f"BESIDE_{number}", subjects=[subject], storage=StorageType.FILE))
    for hop in range(HOPS):
        config = ConsumerConfig(durable_name="hop", ack_policy=AckPolicy.EXPLICIT, ack_wait=30)
        await js.add_consumer(f"BARE_{hop}", config)


async def _pass_on(js: JetStreamContext, hop: int, beside: Sequence[str]) -> None:
    subscription = await js.pull_subscribe_bind("hop", f"BARE_{hop}")
    slots = asyncio.Semaphore(SLOTS)

    async def pass_on(message: Msg) -> None:
        try:
            name = (message.headers or {})["Nats-Msg-Id"].partition("/")[0]
            for subject in beside:
                await js.publish(subject, message.data, headers={"Nats-Msg-Id": f"{name}/{hop}"})
            await js.publish(_subject(hop + 1), message.data, headers={"Nats-Msg-Id": f"{name}/{hop + 1}"})
            await message.ack_sync(timeout=5)
        finally:
            slots.release()

    async with asyncio.TaskGroup() as handling:
        while True:
            await slots.acquire()
            held = 1
            while held < SLOTS and not slots.locked():
                await slots.acquire()
                held += 1
            messages: list[Msg] = []
            with contextlib.suppress(TimeoutError):  # an empty queue
                messages = await subscription.fetch(held, timeout=1)
            for _ in range(held - len(messages)):
                slots.release()
            for message in messages:
                handling.create_task(pass_on(message))
