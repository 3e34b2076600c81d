"""One tenant's results are its own: who reads them tries every way to another's, on a real server with permissions."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import nats.errors
import pytest
from nats.js.api import ConsumerConfig
from nats.js.errors import APIError

from bus_surface import concrete, covers, heard, published, refusals
from guarded_bus import Guarded
from hybridmesh.bus.borders import inbox_of
from hybridmesh.bus.client import Mesh, connect
from hybridmesh.bus.envelope import open_envelope, seal
from hybridmesh.bus.errors import InvalidMessage, UntrustedMessage, UsageError
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.seats import reader_of, seat_of
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.topology import (
    RESULTS,
    end_subjects,
    filter_of,
    lanes_stream,
    subject_of,
    tenant_filter,
)
from hybridmesh.bus.topology import Account as Zone
from hybridmesh.infra.nats.access import accounts_block
from hybridmesh.infra.nats.permissions import permissions_of
from hybridmesh.infra.provision import create_keys
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.tasks import TaskCompleted, TaskSubmitted

BOUND = ("submitter-acme", "reader-acme", "submitter-globex", "reader-globex")
SECRET = "canary-of-globex"


def completed(tenant: str, result: str) -> TaskCompleted:
    """Return an end of a tenant's task."""
    now = utc_now()
    return TaskCompleted(
        task_id=new_task_id(), tenant=tenant, result=result, steps=(), cost_usd=Decimal(0), finished_at=now
    )


@dataclass(slots=True)
class Stored:
    """A server on which two tenants and the default one have a result each."""

    guarded: Guarded
    acme: TaskCompleted
    globex: TaskCompleted
    default: TaskCompleted


@pytest.fixture
async def stored(guarded: Guarded) -> Stored:
    """Return a server with results."""
    found = Stored(guarded, completed("acme", "ours"), completed("globex", SECRET), completed("default", "ours"))
    decomposer = await guarded.links("decomposer")
    for end in (found.acme, found.globex, found.default):
        await decomposer.publisher.publish(end)
    return found


def mesh_as(stored: Stored, name: str, folder: Path) -> AbstractAsyncContextManager[Mesh]:
    """Connect as an identity."""
    return connect(stored.guarded.server.url, keys=stored.guarded.keys, settings=MeshSettings(data=folder), role=name)


@pytest.mark.parametrize("name", BOUND)
async def test_a_bound_identity_publishes_and_hears_its_own_and_nothing_else(visitor: Guarded, name: str) -> None:
    """No one gets in: of all that anybody could publish or hear, for any tenant, the server refuses all but its own."""
    client = await visitor.connect(name)
    seats = [seat_of(other) for other in (*BOUND, "reader", "submitter")]
    subjects = {*published(), *(concrete(own) for seat in seats for own in permissions_of(seat).publish)}
    ears = {*heard(), *(own for seat in seats for own in permissions_of(seat).subscribe)}
    for subject in subjects:
        await client.publish(subject, b"")
    for subject in ears:
        await client.subscribe(subject)
    mine = permissions_of(seat_of(name))
    expected = {subject.lower() for subject in subjects if not covers(mine.publish, subject)}
    expected |= {subject.lower() for subject in ears if subject not in mine.subscribe}
    assert await refusals(visitor, name, client) == expected
    assert len(expected) > 300


async def test_a_reader_gets_results_of_its_tenant_late_and_live(stored: Stored, tmp_path: Path) -> None:
    """Nothing is lost: with the key of one tenant its results are read by id, and heard as they come."""
    live = completed("acme", "y" * 900_000)
    async with mesh_as(stored, "reader-acme", tmp_path) as mesh:
        assert await mesh.ended(stored.acme.task_id) == stored.acme
        waiting = asyncio.create_task(mesh.result(live.task_id, timeout_s=10))
        following = asyncio.create_task(anext(mesh.results()))
        await asyncio.sleep(0.2)
        decomposer = await stored.guarded.links("decomposer")
        for end in (completed("globex", SECRET), live):
            await decomposer.publisher.publish(end)
        assert await waiting == live
        assert await following == live


async def test_a_reader_walks_through_its_results_with_the_one_consumer_it_may_make(stored: Stored) -> None:
    """Nothing is lost: who was away reads what came meanwhile, each once."""
    js = (await stored.guarded.connect("reader-acme")).jetstream()
    own = reader_of("reader-acme", TaskCompleted)
    config = ConsumerConfig(durable_name=own, name=own, filter_subject=tenant_filter(TaskCompleted, "acme"))
    await js.add_consumer(RESULTS.name, config)
    subscription = await js.pull_subscribe_bind(own, RESULTS.name)
    (message,) = await subscription.fetch(5, timeout=1)
    assert message.subject == subject_of(stored.acme)
    await message.ack_sync()


async def test_the_publisher_still_finds_everybodys_results(stored: Stored, tmp_path: Path) -> None:
    """Nothing is lost: who operates the mesh need not know whose a task was."""
    async with mesh_as(stored, "publisher", tmp_path) as mesh:
        for end in (stored.acme, stored.globex, stored.default):
            assert await mesh.ended(end.task_id) == end


@pytest.mark.parametrize("name", ["reader-acme", "reader", "publisher"])
async def test_a_reader_gets_nothing_of_another_tenant_in_any_way(stored: Stored, name: str, tmp_path: Path) -> None:
    """Nothing private leaves: by sequence, wildcards, other filters, consumers, reply subjects or listings.

    The publisher, who may, reads it by the same requests: they are such as the server answers.
    """
    client = await stored.guarded.connect(name)
    caught: list[bytes] = []

    async def note(message: object) -> None:
        caught.append(repr(message).encode() + getattr(message, "data", b""))

    inbox = f"{inbox_of(name)}.x"
    await client.subscribe(f"{inbox_of(name)}.>", cb=note)
    await client.flush()
    for subject, body in attempts(name, stored.globex, inbox):
        await client.publish(subject, body, reply=inbox)
    for subject in listening(stored.globex):
        await client.subscribe(subject, cb=note)
    await client.flush()
    decomposer = await stored.guarded.links("decomposer")
    await decomposer.publisher.publish(completed("globex", SECRET))
    for consumer in (reader_of(name, TaskCompleted), f"{name}-failed", "x"):
        for _ in range(3):
            pull = json.dumps({"batch": 10, "expires": 200_000_000}).encode()
            await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{RESULTS.name}.{consumer}", pull, reply=inbox)
    await client.flush()
    await asyncio.sleep(0.7)
    seen = b"\n".join(caught)
    assert b"ours" in seen, "nothing was answered at all"
    if name == "publisher":
        assert SECRET.encode() in seen
        return
    assert SECRET.encode() not in seen
    assert stored.globex.task_id.encode() not in seen
    async with mesh_as(stored, name, tmp_path) as mesh:
        assert await unread(mesh, stored.globex.task_id)


async def unread(mesh: Mesh, task_id: str) -> bool:
    """Say that the client's own call finds nothing either."""
    return await mesh.ended(task_id) is None


def attempts(name: str, other: TaskCompleted, inbox: str) -> list[tuple[str, bytes]]:
    """Return requests that would read another tenant's result, were they answered."""
    stream, theirs, api = RESULTS.name, subject_of(other), "$JS.API"
    mine = "default" if "-" not in name else name.partition("-")[2]
    own, ours = reader_of(name, TaskCompleted), tenant_filter(TaskCompleted, mine)
    everything = filter_of(TaskCompleted)
    wide = [theirs, everything, everything.replace(">", "*.*"), tenant_filter(TaskCompleted, "globex")]
    found = [(f"{api}.DIRECT.GET.{stream}.{subject}", b"") for subject in (*wide, "mesh.>", ">", ours)]
    found += [(f"{api}.DIRECT.GET.{stream}.{ours}", body(**asked)) for asked in requests_of(theirs)]
    found += [
        (f"{api}.{call}.{stream}", body(**asked))
        for call in ("DIRECT.GET", "STREAM.MSG.GET")
        for asked in requests_of(theirs)
    ]
    found.append((f"{api}.STREAM.INFO.{stream}", body(subjects_filter=">")))
    for filters in (
        {"filter_subject": theirs}, {"filter_subject": everything}, {"filter_subjects": [ours, *wide[:2]]}, {},
        {"filter_subject": ours, "filter_subjects": [everything]},
        {"filter_subject": ours.replace(mine, "*")}, {"filter_subject": everything, "deliver_subject": inbox},
    ):  # fmt: skip
        config = {"name": own, "durable_name": own, "ack_policy": "explicit", **filters}
        create = body(stream_name=stream, config=config)
        elsewhere = body(stream_name="AUDIT", config={**config, "filter_subject": ours})
        for place in (f"{stream}", f"{stream}.{own}", *(f"{stream}.{own}.{subject}" for subject in (ours, *wide))):
            found += [(f"{api}.CONSUMER.CREATE.{place}", create), (f"{api}.CONSUMER.CREATE.{place}", elsewhere)]
        found.append((f"{api}.CONSUMER.DURABLE.CREATE.{stream}.{own}", create))
    past = ours.replace(".*", ".>")
    config = {"name": own, "durable_name": own, "filter_subject": everything}
    found.append((f"{api}.CONSUMER.CREATE.{stream}.{own}.{past}", body(stream_name=stream, config=config)))
    found.append((f"{api}.DIRECT.GET.{stream}.{past}", b""))
    return found


def requests_of(theirs: str) -> list[dict[str, object]]:
    return [
        {"seq": 2}, {"seq": 1, "next_by_subj": theirs}, {"last_by_subj": theirs}, {"multi_last": [theirs, ">"]},
        {"seq": 1, "batch": 100}, {"start_time": "2020-01-01T00:00:00Z", "batch": 100},
    ]  # fmt: skip


def body(**fields: object) -> bytes:
    """Return a request's body."""
    return json.dumps(fields).encode()


def listening(other: TaskCompleted) -> list[str]:
    """Return what would hear another tenant's results."""
    stream, ends = end_subjects(other.task_id, Zone.LOCAL)
    kind = filter_of(TaskCompleted)
    wide = [kind, kind.replace(">", "*"), kind.replace(">", "*.*"), kind.replace(">", "*.>"), "mesh.ended.>"]
    return [
        subject_of(other),
        tenant_filter(TaskCompleted, "globex"),
        *ends,
        *wide,
        *stream.subjects,
        ">",
        "*.>",
        "_INBOX.>",
    ]


async def test_a_submission_for_another_tenant_is_refused(guarded: Guarded, tmp_path: Path) -> None:
    """No one gets in: by the client, by the server, and by who reads it, if it came all the same."""
    task = TaskSubmitted(task_id=new_task_id(), goal="g", tenant="globex", submitted_at=utc_now())
    async with connect(
        guarded.server.url, keys=guarded.keys, settings=MeshSettings(data=tmp_path), role="submitter-acme"
    ) as mesh:
        await mesh.submit("g")
        with pytest.raises(UsageError, match="another tenant"):
            await mesh.submit("g", tenant="globex")
    client = await guarded.connect("submitter-acme")
    with pytest.raises((nats.errors.Error, APIError, TimeoutError)):
        await client.jetstream().publish(subject_of(task), task.model_dump_json().encode(), timeout=0.5)
    assert await guarded.stored(lanes_stream("decomposer")) == 1
    identity, ring = read_identity(guarded.keys, "submitter-acme"), KeyRing.read(guarded.keys)
    forged = seal(task, identity, utc_now())
    with pytest.raises(UntrustedMessage, match="another tenant"):
        open_envelope(forged.subject, forged.headers, forged.body, ring)
    theirs = seal(task.model_copy(update={"tenant": "acme"}), identity, utc_now())
    assert open_envelope(theirs.subject, theirs.headers, theirs.body, ring).producer == "submitter-acme"
    plain = {"ce-type": task.event_type()}
    with pytest.raises(InvalidMessage, match="disagree"):
        open_envelope(theirs.subject, plain, task.model_dump_json().encode(), ring)


async def test_keys_of_a_tenant_that_were_removed_let_nobody_in(guarded: Guarded) -> None:
    """No one gets in: who is no tenant any more has no user, and its signature counts no more."""
    users = create_keys(guarded.keys)
    assert "submitter-globex" in users
    for kind in ("key", "nk"):
        (guarded.keys / f"submitter-globex.{kind}").unlink()
    assert users["submitter-globex"] not in accounts_block(create_keys(guarded.keys))
    with pytest.raises(KeyError):
        KeyRing.read(guarded.keys)["submitter-globex"]


def test_a_key_of_no_tenant_that_could_be_is_no_seat() -> None:
    """No one gets in: a name says whose it is in one way alone."""
    for name in (
        "publisher-acme",
        "router-acme",
        "submitter-",
        "submitter-A",
        "submitter-a.b",
        "stranger",
        "reader--a",
    ):
        with pytest.raises(KeyError):
            seat_of(name)
