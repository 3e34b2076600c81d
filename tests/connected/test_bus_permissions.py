"""No one gets in: every identity tries what every other may do, on a real server, and is refused all but its own."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import cast

import nats
import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError, NotFoundError

from bus_surface import NAMES, covers, heard, published, refusals
from guarded_bus import SETTINGS, Guarded
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.bodies import body_name, fetch_body, forget_bodies, put_body
from hybridmesh.bus.client import connect
from hybridmesh.bus.envelope import BODY_REFERENCE, open_envelope
from hybridmesh.bus.errors import BodyMissing, InvalidMessage, MeshUnavailable, UntrustedMessage
from hybridmesh.bus.identity import KeyRing, read_identity, read_seed
from hybridmesh.bus.links import make_links
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.seats import seat_of
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.topology import (
    BODIES_STREAM,
    RESULTS,
    ROOT,
    Account,
    Ask,
    consumers,
    lanes_stream,
    queue_stream,
    streams,
)
from hybridmesh.bus.work import WorkLoop
from hybridmesh.infra.nats.access import accounts_block
from hybridmesh.infra.nats.permissions import permissions_of
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.infra.provision import create_keys, provision_bus
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import ConsultAdvised
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.tasks import TaskFailed, TaskSubmitted, end_id

TASK = "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11"


@pytest.mark.parametrize("name", NAMES)
async def test_an_identity_publishes_what_the_table_says_and_nothing_else(visitor: Guarded, name: str) -> None:
    """Nothing private leaves: of all that anybody could publish, the server refuses what is not the identity's own."""
    client = await visitor.connect(name)
    subjects = published()
    for subject in subjects:
        await client.publish(subject, b"")
    allowed = permissions_of(seat_of(name)).publish
    expected = {subject.lower() for subject in subjects if not covers(allowed, subject)}
    assert await refusals(visitor, name, client) == expected
    assert len(expected) > 300


@pytest.mark.parametrize("name", NAMES)
async def test_an_identity_hears_what_the_table_says_and_nothing_else(visitor: Guarded, name: str) -> None:
    """Nothing private leaves: nobody listens to another's queue, replies or records."""
    client = await visitor.connect(name)
    subjects = heard()
    for subject in subjects:
        await client.subscribe(subject)
    allowed = permissions_of(seat_of(name)).subscribe
    expected = {subject.lower() for subject in subjects if subject not in allowed}
    assert await refusals(visitor, name, client) == expected


async def test_nobody_gets_in_without_a_key_of_the_mesh(guarded: Guarded, tmp_path: Path) -> None:
    """Nothing private leaves: neither without a key nor with one of another mesh."""
    create_keys(tmp_path / "others")
    for seed in (None, read_seed(tmp_path / "others", "publisher")):
        client = Client()
        with pytest.raises((nats.errors.Error, OSError)):
            await client.connect(guarded.server.url, nkeys_seed_str=seed, allow_reconnect=False, error_cb=_ignore)
        await client.close()


async def _ignore(_: Exception) -> None:
    pass


def failed(reason: str = "x") -> TaskFailed:
    """Return the end of a task."""
    return TaskFailed(task_id=TASK, outcome="failed", reason=reason, finished_at=utc_now())


async def test_the_cloud_account_sees_nothing_of_what_is_private(guarded: Guarded) -> None:
    """Nothing private leaves: even who may do everything in the account of the cloud hears no private message."""
    cloud = await guarded.connect("provisioner-cloud")
    caught: list[str] = []

    async def hear(message: object) -> None:
        caught.append(getattr(message, "subject", ""))

    await cloud.subscribe(">", cb=hear)
    await cloud.flush()
    publisher = await guarded.links("publisher")
    await publisher.publisher.publish(TaskSubmitted(task_id=TASK, goal="Ask Mia Canary.", submitted_at=utc_now()))
    decomposer = await guarded.links("decomposer")
    await decomposer.publisher.publish(failed())
    await asyncio.sleep(0.3)
    ended = [subject for subject in caught if not subject.startswith(("$JS", "_INBOX"))]
    assert set(ended) == {f"{ROOT}.ended.failed.default.{TASK}"}
    with pytest.raises((APIError, nats.errors.Error)):
        await cloud.jetstream().stream_info(RESULTS.name)


async def test_what_the_cloud_account_hears_of_an_end_has_no_body(guarded: Guarded) -> None:
    """Nothing private leaves: a result stays in its own account; over the border goes that there is one."""
    decomposer = await guarded.links("decomposer")
    await decomposer.publisher.publish(failed("canary-reason"))
    cloud = (await guarded.connect("provisioner-cloud")).jetstream()
    async with asyncio.timeout(5):
        while not (await cloud.stream_info("ENDED")).state.messages:
            await asyncio.sleep(0.02)
    message = await cloud.get_msg("ENDED", seq=1)
    assert not message.data
    assert "canary" not in str(cast("dict[str, str]", message.headers))


def advice() -> ConsultAdvised:
    """Return an answer of the cloud."""
    return ConsultAdvised.model_validate(
        {
            "task_id": TASK, "step_id": "a", "attempt": 1, "purpose": "answer", "advice": "x", "complete": True,
            "usage": {"input_tokens": 1, "output_tokens": 1, "cost_usd": None}, "model": "m", "provider": "p",
            "simulated": True, "sent_sha256": "0" * 64,
        }
    )  # fmt: skip


async def test_an_answer_crosses_the_border_and_is_stored_once(guarded: Guarded) -> None:
    """Nothing is lost: the cloud's answer reaches the worker's queue, a repeat is dropped, a large one comes whole."""
    consultant = await guarded.links("consultant")
    large = advice().model_copy(update={"advice": "y" * 1_000_000})
    for message in (advice(), advice(), large.model_copy(update={"step_id": "b"})):
        await consultant.publisher.publish(message)
    assert await guarded.stored(queue_stream("worker")) == 2


@pytest.mark.parametrize("target", ["task.submitted", "step.verified", "consult.advised", "task.completed"])
async def test_a_pull_of_the_cloud_agent_cannot_be_answered_into_another_queue(guarded: Guarded, target: str) -> None:
    """Nothing private leaves, nobody gets in: the reply subject of a request is no way over the border."""
    cloud = await guarded.connect("provisioner-cloud")
    await cloud.jetstream().publish(f"{ROOT}.consult.requested.{TASK}", b"confused", stream=queue_stream("consultant"))
    consultant = await guarded.connect("consultant")
    queue = queue_stream("consultant")
    await consultant.publish(
        f"$JS.API.CONSUMER.MSG.NEXT.{queue}.consultant", b'{"batch":1}', reply=f"{ROOT}.{target}.{TASK}"
    )
    await consultant.publish(f"{ROOT}.consult.refused.{TASK}", b"x", reply=f"{ROOT}.{target}.{TASK}")
    await consultant.flush()
    await asyncio.sleep(0.3)
    received = {
        stream.name: await guarded.stored(stream.name) for stream in streams() if stream.account is Account.LOCAL
    }
    assert {name: count for name, count in received.items() if count} == {queue_stream("router"): 1}


async def test_a_publisher_of_large_bodies_needs_no_store_where_it_has_none(guarded: Guarded) -> None:
    """Nothing is lost: who only submits sees no bodies of others, and a large text of its own arrives all the same."""
    submitter = await guarded.links("submitter")
    task = TaskSubmitted(task_id=TASK, goal="x" * 900_000, submitted_at=utc_now())
    await submitter.publisher.publish(task)
    assert await guarded.stored(lanes_stream("decomposer")) == 1


async def test_a_large_body_reaches_another_agent_by_the_object_store(guarded: Guarded) -> None:
    """Nothing is lost: putting one there and reading it needs no more than the table gives."""
    publisher, decomposer = await guarded.links("publisher"), await guarded.links("decomposer")
    task = TaskSubmitted(task_id=TASK, goal="x" * 900_000, submitted_at=utc_now())
    await publisher.publisher.publish(task)
    subject, headers, body = await injected(guarded, lanes_stream("decomposer"))
    assert not body
    whole = await fetch_body(decomposer.js, headers, body)
    assert open_envelope(subject, headers, whole, decomposer.ring).message == task


async def test_a_message_that_is_made_again_leaves_the_body_of_the_first(guarded: Guarded) -> None:
    """Nothing is lost: a repeat that came out otherwise is dropped with its body, the first still holds."""
    publisher, decomposer = await guarded.links("publisher"), await guarded.links("decomposer")
    first, again = (TaskSubmitted(task_id=TASK, goal=goal * 600_000, submitted_at=utc_now()) for goal in "xy")
    await publisher.publisher.publish(first)
    await publisher.publisher.publish(again)
    assert await guarded.stored(lanes_stream("decomposer")) == 1
    subject, headers, body = await injected(guarded, lanes_stream("decomposer"))
    whole = await fetch_body(decomposer.js, headers, body)
    assert open_envelope(subject, headers, whole, decomposer.ring).message == first


async def test_stored_bodies_go_when_the_task_is_over_but_for_its_end_and_timers(guarded: Guarded) -> None:
    """Nothing private leaves: what was kept on the way is removed, by the agent that knows of the end."""
    links = await guarded.links("decomposer")
    other = new_task_id()
    stay = {
        body_name(end_id(TASK), b"r" * 300_000): b"r" * 300_000,
        body_name(f"{TASK}/a/approval.requested/1/egress", b"t"): b"t",
        f"{other}_task.submitted": b"o" * 300_000,
    }
    for name, body in {f"{TASK}_task.submitted": b"x" * 300_000, f"{TASK}_a_step.ready_1": b"y", **stay}.items():
        await put_body(links.js, name, body)
    assert await forget_bodies(links.js, TASK) == 2
    for name, body in stay.items():
        assert await fetch_body(links.js, {BODY_REFERENCE: name}, b"") == body
    with pytest.raises(BodyMissing):
        await fetch_body(links.js, {BODY_REFERENCE: f"{TASK}_task.submitted"}, b"")
    assert await forget_bodies(links.js, TASK) == 0
    provisioner = (await guarded.connect("provisioner")).jetstream()
    assert (await provisioner.stream_info(BODIES_STREAM)).state.bytes < 700_000


async def test_an_observer_follows_the_audit_log_from_its_start(guarded: Guarded, tmp_path: Path) -> None:
    """Nothing is hidden: who may read the log alone reads all of it, and submits nothing."""
    router = await guarded.links("router")
    event = AuditEvent(agent="router", action=Action.AGENT_STARTED, at=utc_now(), nonce="x")
    await router.publisher.record(event)
    settings = MeshSettings(data=tmp_path)
    async with connect(guarded.server.url, keys=guarded.keys, settings=settings, role="observer") as mesh:
        async with asyncio.timeout(10):
            assert await anext(mesh.audit(from_start=True)) == event
        with pytest.raises(MeshUnavailable):
            await mesh.ended(TASK)


async def test_what_was_stored_before_there_were_accounts_is_still_there(tmp_path: Path) -> None:
    """Nothing is lost: a data folder of an earlier version goes on, with its tasks and its log."""
    keys = tmp_path / "keys"
    users = create_keys(keys)
    ring = json.loads((keys / "ring.json").read_text("utf-8"))
    (keys / "ring.json").write_text(json.dumps({name: found[0] for name, found in ring.items()}), "utf-8")
    with NatsServer(tmp_path / "nats") as server:
        await provision_bus(server.url, SETTINGS, replicas=1, keys=keys)
        client = await nats.connect(server.url)
        links = await make_links(client, read_identity(keys, "router"), KeyRing.read(keys), SETTINGS)
        await links.publisher.record(AuditEvent(agent="router", action=Action.AGENT_STARTED, at=utc_now(), nonce="x"))
        await client.close()
    with NatsServer(tmp_path / "nats", access=accounts_block(users)) as server:
        await provision_bus(server.url, SETTINGS, replicas=1, keys=keys)
        async with contextlib.AsyncExitStack() as stack:
            guarded = Guarded(server, keys, stack)
            assert await guarded.stored("AUDIT") == 1
            with pytest.raises(NotFoundError):
                await guarded.stored(queue_stream("consultant"))
            assert await guarded.stored(queue_stream("consultant"), Account.CLOUD) == 0


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_lets_nobody_in_is_named(guarded: Guarded, tmp_path: Path) -> None:
    """It runs on what you have: keys of another mesh are a clear error."""
    with pytest.raises(MeshUnavailable, match="keys"):
        await provision_bus(guarded.server.url, SETTINGS, replicas=1, keys=tmp_path / "others")


async def injected(guarded: Guarded, stream: str) -> tuple[str, dict[str, str], bytes]:
    """Return what has got into a queue."""
    js = (await guarded.connect("provisioner")).jetstream()
    async with asyncio.timeout(5):
        while not (await js.stream_info(stream)).state.messages:
            await asyncio.sleep(0.02)
    message = await js.get_msg(stream, seq=1)
    return message.subject or "", dict(cast("dict[str, str] | None", message.headers) or {}), message.data or b""


async def test_work_that_is_pulled_into_another_queue_is_refused_there(guarded: Guarded) -> None:
    """No one gets in: within an account a reply subject can be abused; what comes that way ends no task."""
    await (await guarded.links("consultant")).publisher.publish(advice())
    worker = await guarded.links("worker")
    pull = f"$JS.API.CONSUMER.MSG.NEXT.{queue_stream('worker')}.worker"
    await worker.client.publish(pull, b'{"batch":1}', reply=f"{ROOT}.step.verified.{TASK}")
    await injected(guarded, queue_stream("decomposer"))
    links = await guarded.links("decomposer")
    agent = Agent("decomposer", handlers={})
    (queue,) = (consumer for consumer in consumers() if consumer.durable == "decomposer")
    loop = WorkLoop(links.js, queue, agent, links.publisher, links.ring, SETTINGS.bus, slots=1)
    working = asyncio.create_task(loop.run())
    async with asyncio.timeout(10):
        while await guarded.stored(queue_stream("decomposer")):
            await asyncio.sleep(0.05)
    loop.stop()
    await working
    counts = {name: await guarded.stored(name) for name in ("DEAD", "AUDIT", "RESULTS", queue_stream("router"))}
    assert counts == {"DEAD": 1, "AUDIT": 1, "RESULTS": 0, queue_stream("router"): 0}


async def test_an_answer_that_is_sent_into_a_queue_is_refused_there(guarded: Guarded) -> None:
    """No one gets in: who may ask can name any reply subject; what the answering agent says there is no message."""
    memory, worker = await guarded.connect("memory"), await guarded.links("worker")

    async def reply(message: Msg) -> None:
        await message.respond(b"{}")

    await memory.subscribe(Ask.SEARCH, cb=reply)
    await memory.flush()
    await worker.client.publish(Ask.SEARCH, b"{}", reply=f"{ROOT}.step.verified.{TASK}")
    with pytest.raises((UntrustedMessage, InvalidMessage)):
        open_envelope(*await injected(guarded, queue_stream("decomposer")), worker.ring)
