"""No one gets in: what the server answers goes no further than the account of who asked, whatever reply was named."""

import asyncio

import pytest
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from bus_surface import NAMES, concrete
from guarded_bus import Guarded
from hybridmesh.bus.borders import PROVISIONERS, is_enclosed
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.errors import InvalidMessage
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.seats import seat_of
from hybridmesh.bus.state import State
from hybridmesh.bus.topology import Account, Ask, Bucket, bucket_stream, bucket_subject, queue_stream
from hybridmesh.infra.nats.permissions import permissions_of
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.policies import TermShard
from hybridmesh.schemas.tasks import TaskSubmitted

MARK = "injected"
ENCLOSED = tuple(name for name in NAMES if is_enclosed(seat_of(name).row))


async def contexts(guarded: Guarded) -> list[JetStreamContext]:
    return [(await guarded.connect(name)).jetstream() for name in PROVISIONERS]


async def targets(guarded: Guarded) -> list[str]:
    """Return a subject of each stream and bucket of both accounts, marked."""
    found: list[str] = []
    for js in await contexts(guarded):
        for info in await js.streams_info():
            for pattern in info.config.subjects or ():
                *words, _ = pattern.split(".")
                found.append(concrete(".".join([*words, MARK])))
    return found


async def marked(guarded: Guarded) -> list[str]:
    """Return the marked subjects under which something was stored."""
    found: list[str] = []
    for js in await contexts(guarded):
        for info in await js.streams_info():
            named = await js.stream_info(info.config.name or "", subjects_filter=">")
            found += [subject for subject in named.state.subjects or {} if subject.endswith(MARK)]
    return found


@pytest.mark.parametrize("name", ENCLOSED)
async def test_an_answer_goes_nowhere_but_to_who_asked(guarded: Guarded, name: str) -> None:
    """No one gets in: of all that an identity outside may publish, nothing is answered into a stream or a bucket."""
    client = await guarded.connect(name)
    places = await targets(guarded)
    assert len(places) > 25
    for subject in map(concrete, permissions_of(seat_of(name)).publish):
        for place in places:
            await client.publish(subject, b"{}", reply=place)
    task = TaskSubmitted(task_id=new_task_id(), goal="x", tenant="acme", submitted_at=utc_now())
    submitter = await guarded.links("submitter-acme")
    await submitter.publisher.publish(task)
    await client.flush()
    await asyncio.sleep(0.5)
    assert await marked(guarded) == []
    # An agent in the account where the streams are would be answered there, so the look above is one that sees.
    router = await guarded.links("router")
    envelope = seal(AuditEvent(agent="router", action=Action.AGENT_STARTED, at=utc_now()), router.identity, utc_now())
    place = bucket_subject(Bucket.POLICY, MARK)
    await router.client.publish(envelope.subject, envelope.body, headers=envelope.headers, reply=place)
    await router.client.flush()
    async with asyncio.timeout(5):
        while await marked(guarded) != [place]:
            await asyncio.sleep(0.1)
    policy: State[TermShard] = (await guarded.links("decomposer")).state(Bucket.POLICY, TermShard)
    with pytest.raises(InvalidMessage):
        await policy.get(MARK)


async def test_nothing_is_answered_over_the_border(guarded: Guarded) -> None:
    """Nothing private leaves: neither a step, nor what the memory says, nor a record is sent to the cloud's queue."""
    memory, worker = await guarded.connect("memory"), await guarded.links("worker")
    js = (await guarded.connect("provisioner")).jetstream()
    place = f"mesh.consult.requested.{MARK}"

    async def reply(message: Msg) -> None:
        await message.respond(b"private")

    await memory.subscribe(Ask.SEARCH, cb=reply)
    await memory.flush()
    await js.publish(f"mesh.step.local.{new_task_id()}", b"private")
    await js.publish(bucket_subject(Bucket.VAULT, "x"), b"private")
    vault = bucket_stream(Bucket.VAULT)
    asked = {
        Ask.SEARCH: b"{}",
        f"$JS.API.CONSUMER.MSG.NEXT.{queue_stream('worker')}.worker": b'{"batch":1}',
        f"$JS.API.STREAM.MSG.GET.{vault}": b'{"seq":1}',
        f"$JS.API.DIRECT.GET.{vault}": b'{"seq":1}',
    }
    for subject, body in asked.items():
        await worker.client.publish(subject, body, reply=place)
    await worker.client.flush()
    for _ in range(10):  # no time-out around it: nats-py may lose the one cancellation
        assert await guarded.stored(queue_stream("consultant"), Account.CLOUD) == 0
        await asyncio.sleep(0.1)
    assert guarded.refused["worker"] == []


def test_whoever_may_publish_over_the_border_has_an_account_alone() -> None:
    """Nothing private leaves: the classifier, and people outside; no other agent's words get to the cloud."""
    assert {seat_of(name).row.agent for name in ENCLOSED} == {
        "classifier", "publisher", "submitter", "reader", "observer",
    }  # fmt: skip
