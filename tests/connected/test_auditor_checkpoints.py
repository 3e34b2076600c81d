"""The auditor on a real server: its checkpoints against a tree worked out from the stream by other means."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import pytest
import rfc8785

from harness import Bus, eventually
from hybridmesh.agents.auditor.agent import Auditor
from hybridmesh.agents.auditor.audit_stream import JetStreamAuditStream, LogReader
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.errors import PermanentError
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.proofs import LogEntry, check_log
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.publisher import Publisher, utc_now
from hybridmesh.bus.settings import RetentionSettings
from hybridmesh.bus.topology import AUDIT, CHECKPOINTS
from hybridmesh.infra.audit_log import verify_log
from hybridmesh.schemas.audits import Action, AuditEvent, Checkpoint

pytestmark = pytest.mark.connected


def publisher_of(bus: Bus, name: str) -> Publisher:
    return Publisher(bus.js, read_identity(bus.keys, name), max_body_bytes=256 * 1024)


async def record(bus: Bus, first: int, last: int) -> None:
    """Write audit events as the router does."""
    log = publisher_of(bus, "router")
    for number in range(first, last + 1):
        event = AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=utc_now(), nonce=str(number))
        await log.record(event)


def auditor_of(bus: Bus) -> tuple[Auditor, JetStreamAuditStream]:
    ring = KeyRing.read(bus.keys)

    def signature(entry: LogEntry) -> str | None:
        return entry_problem(entry, ring)

    stream = JetStreamAuditStream(bus.js, signature)
    return Auditor(stream, publisher_of(bus, "auditor").publish, utc_now, interval_s=0.2), stream


@asynccontextmanager
async def running(*auditors: Auditor) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(auditor.follow()) for auditor in auditors]
    try:
        yield
    finally:
        await end_tasks(tasks)
    assert all(task.cancelled() for task in tasks), tasks


async def checkpoints(bus: Bus) -> list[Checkpoint]:
    return [Checkpoint.model_validate_json(entry.body) async for entry in LogReader(bus.js, CHECKPOINTS).read_all()]


async def reach(bus: Bus, size: int) -> list[Checkpoint]:
    async def reached() -> bool:
        return any(checkpoint.size == size for checkpoint in await checkpoints(bus))

    await eventually(reached, timeout=20)
    return await checkpoints(bus)


async def independent_root(bus: Bus, size: int) -> str:
    """Read entry by entry through the direct API, and hash by the recursive definition."""
    leaves: list[bytes] = []
    for sequence in range(1, size + 1):
        message = await bus.js.get_msg(AUDIT.name, seq=sequence, direct=True)
        headers = {name.lower(): value for name, value in cast("dict[str, str]", message.headers or {}).items()}
        fields: dict[str, int | str | dict[str, str]] = {
            "sequence": sequence,
            "subject": message.subject or "",
            "headers": {name: value for name, value in headers.items() if not name.startswith("nats-")},
            "body": hashlib.sha256(message.data or b"").hexdigest(),
        }
        leaves.append(hashlib.sha256(b"\x00" + rfc8785.dumps({**fields})).digest())

    def root(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        half = 1
        while half * 2 < len(part):
            half *= 2
        return hashlib.sha256(b"\x01" + root(part[:half]) + root(part[half:])).digest()

    return root(leaves).hex()


async def test_checkpoints_follow_the_log_over_a_restart(bus: Bus) -> None:
    """Nothing is hidden: the auditor's root is that of the stream, also when another auditor goes on."""
    await record(bus, 1, 300)
    first, _ = auditor_of(bus)
    async with running(first):
        found = await reach(bus, 300)
    assert {item.root for item in found if item.size == 300} == {await independent_root(bus, 300)}
    await record(bus, 301, 340)
    second, _ = auditor_of(bus)
    async with running(second):
        found = await reach(bus, 340)
    assert {item.root for item in found if item.size == 340} == {await independent_root(bus, 340)}
    log = [entry async for entry in LogReader(bus.js, AUDIT).read_all()]
    signed = [entry async for entry in LogReader(bus.js, CHECKPOINTS).read_all()]
    ring = KeyRing.read(bus.keys)
    assert check_log(log, signed, lambda entry: entry_problem(entry, ring)) == []
    assert len(log) == 340


async def test_two_auditors_do_not_fork_the_log(bus: Bus) -> None:
    """Nothing is hidden: replicas sign the same roots, and the stream keeps one checkpoint a size."""
    one, other = auditor_of(bus)[0], auditor_of(bus)[0]
    async with running(one, other):
        for first in range(1, 120, 20):
            await record(bus, first, first + 19)
            await asyncio.sleep(0.1)
        found = await reach(bus, 120)
    assert len({item.size for item in found}) == len(found)
    assert found[-1].root == await independent_root(bus, 120)


async def test_the_reader_goes_on_when_its_consumer_is_gone(bus: Bus) -> None:
    """Nothing is lost: an auditor whose consumer vanished (a restart of the server) misses no entry."""
    auditor, _ = auditor_of(bus)
    async with running(auditor):
        await record(bus, 1, 10)
        await reach(bus, 10)
        for consumer in await bus.js.consumers_info(AUDIT.name):
            await bus.js.delete_consumer(AUDIT.name, consumer.name)
        await record(bus, 11, 30)
        found = await reach(bus, 30)
    assert found[-1].root == await independent_root(bus, 30)


async def test_the_auditor_goes_on_after_a_restart_of_the_server(bus: Bus) -> None:
    """Nothing is lost: the log and its checkpoints continue when the server comes back."""
    auditor, _ = auditor_of(bus)
    async with running(auditor):
        await record(bus, 1, 10)
        await reach(bus, 10)
        await asyncio.to_thread(bus.server.stop)
        await asyncio.to_thread(bus.server.start)
        await record(bus, 11, 30)
        found = await reach(bus, 30)
    assert found[-1].root == await independent_root(bus, 30)


async def test_no_checkpoint_vouches_for_a_rewritten_log(bus: Bus) -> None:
    """Nothing is hidden: against an earlier signed root the auditor stops, and says so in the log."""
    await record(bus, 1, 20)
    forged = Checkpoint(size=10, root="00" * 32, at=utc_now())
    await publisher_of(bus, "auditor").publish(forged)
    auditor, _ = auditor_of(bus)
    with pytest.raises(PermanentError) as caught:
        await asyncio.wait_for(auditor.follow(), 10)
    assert caught.value.reason == "audit-rewritten"
    assert [item.size for item in await checkpoints(bus)] == [10]
    *_, last = [entry async for entry in LogReader(bus.js, AUDIT).read_all()]
    assert AuditEvent.model_validate_json(last.body).facts == {"reason": "audit-rewritten", "sequence": 10}


async def test_a_checkpoint_of_another_agent_is_passed_over(bus: Bus) -> None:
    """Nothing is hidden: nobody else can stop the auditor with a checkpoint that it did not sign."""
    await record(bus, 1, 5)
    forged = Checkpoint(size=900, root="00" * 32, at=utc_now())
    await publisher_of(bus, "router").publish(forged)
    auditor, _ = auditor_of(bus)
    async with running(auditor):
        found = await reach(bus, 5)
    assert found[-1].root == await independent_root(bus, 5)


async def test_a_log_shorter_than_its_checkpoint_stops_the_auditor(bus: Bus) -> None:
    """Nothing is hidden: a cut tail is seen at the start, before anything grows over it."""
    await record(bus, 1, 5)
    await publisher_of(bus, "auditor").publish(Checkpoint(size=9, root="00" * 32, at=utc_now()))
    auditor, _ = auditor_of(bus)
    with pytest.raises(PermanentError) as caught:
        await asyncio.wait_for(auditor.follow(), 10)
    assert caught.value.reason == "audit-tail-cut"


async def test_a_log_goes_on_past_its_retention(bus: Bus) -> None:
    """Nothing is hidden: when the server has let the oldest entries go, the rest is still proven, by a new auditor."""
    kept_s = 3.0
    retention = RetentionSettings(audit_days=kept_s / 86_400)
    await provision(bus.js, bus.settings.bus.model_copy(update={"retention": retention}))
    async with running(auditor_of(bus)[0]):
        await record(bus, 1, 20)
        await reach(bus, 20)
    last = await independent_root(bus, 20)

    async def gone() -> bool:
        return (await bus.js.stream_info(AUDIT.name)).state.first_seq > 20

    await eventually(gone, timeout=20)
    await record(bus, 21, 30)
    async with running(auditor_of(bus)[0]):
        found = await reach(bus, 30)
    assert last in {item.root for item in found if item.size == 20}
    assert found[-1].first == 21
    checked = await verify_log(bus.js, KeyRing.read(bus.keys))
    assert (checked.begins, checked.findings) == (21, ())
