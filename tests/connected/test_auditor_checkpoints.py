"""The auditor on a real server: its checkpoints against a tree worked out from the stream by other means."""

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest
import rfc8785

from harness import Bus, eventually
from hybridmesh.agents.auditor.agent import Auditor
from hybridmesh.agents.auditor.audit_stream import JetStreamAuditStream, LogReader
from hybridmesh.agents.auditor.bundle import Part, write_line
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.errors import MeshUnavailable, PermanentError
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.log_check import check_log
from hybridmesh.bus.proofs import LogEntry
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.publisher import Publisher, utc_now
from hybridmesh.bus.settings import RetentionSettings
from hybridmesh.bus.topology import AUDIT, CHECKPOINTS, subject_for
from hybridmesh.infra import offline_verifier
from hybridmesh.infra.audit_check import verify_entries, verify_log
from hybridmesh.infra.audit_log import read_log
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


async def test_a_beginning_that_moved_meanwhile_is_signed_at_the_start(bus: Bus) -> None:
    """Nothing is hidden: an auditor that was away signs where the log begins at once, though nothing is added to it."""
    retention = RetentionSettings(audit_days=3 / 86_400)
    await provision(bus.js, bus.settings.bus.model_copy(update={"retention": retention}))
    async with running(auditor_of(bus)[0]):
        await record(bus, 1, 20)
        await reach(bus, 20)

    async def gone() -> bool:
        return (await bus.js.stream_info(AUDIT.name)).state.first_seq > 20

    async def signed() -> bool:
        return any(item.first == 21 for item in await checkpoints(bus))

    await eventually(gone, timeout=20)
    async with running(auditor_of(bus)[0]):
        await eventually(signed, timeout=2)
    checked = await verify_log(bus.js, KeyRing.read(bus.keys))
    assert (checked.begins, checked.findings) == (21, ())


async def test_a_wiped_store_is_a_new_log(bus: Bus) -> None:
    """Nothing is hidden: an auditor that lives on through it signs for the new log alone, from its first entry."""
    auditor, _ = auditor_of(bus)
    async with running(auditor):
        await record(bus, 1, 20)
        await reach(bus, 20)
        for stream in (AUDIT, CHECKPOINTS):
            await bus.js.delete_stream(stream.name)
        await provision(bus.js, bus.settings.bus)
        await record(bus, 101, 110)
        await reach(bus, 10)
        await record(bus, 111, 125)
        found = await reach(bus, 25)
    assert found[-1].root == await independent_root(bus, 25)
    assert (await verify_log(bus.js, bus.ring)).findings == ()


async def test_a_log_that_is_made_anew_beside_its_checkpoints_stops_the_auditor(bus: Bus) -> None:
    """Nothing is hidden: also while it runs."""
    await record(bus, 1, 20)
    auditor, _ = auditor_of(bus)
    following = asyncio.create_task(auditor.follow())
    await reach(bus, 20)
    await bus.js.delete_stream(AUDIT.name)
    await provision(bus.js, bus.settings.bus)
    await record(bus, 101, 130)
    with pytest.raises(PermanentError) as caught:
        await asyncio.wait_for(following, 30)
    assert caught.value.reason == "audit-tail-cut"
    assert [item.size for item in await checkpoints(bus)][-1] == 20


async def test_what_was_signed_is_found_behind_any_number_of_others(bus: Bus) -> None:
    """Nothing is hidden: who fills the checkpoints' stream does not make a new auditor forget the log's length."""
    await publisher_of(bus, "auditor").publish(Checkpoint(size=9, root="00" * 32, at=utc_now()))
    await asyncio.gather(
        *(bus.js.publish(subject_for(Checkpoint, "7"), b"junk", headers={"ce-id": "x"}) for _ in range(1200))
    )
    auditor, stream = auditor_of(bus)
    signed = await stream.last_checkpoint()
    assert (signed and signed.size, await stream.checkpoint_over(10)) == (9, None)
    await record(bus, 1, 5)
    with pytest.raises(PermanentError) as caught:
        await asyncio.wait_for(auditor.follow(), 20)
    assert caught.value.reason == "audit-tail-cut"


async def test_a_server_that_stands_still_is_no_end_of_the_log(bus: Bus) -> None:
    """Nothing is hidden: a log is read to the end that it has, or not at all."""
    await asyncio.gather(
        *(bus.js.publish(subject_for(AuditEvent, "router.-"), b"x", headers={"ce-id": str(n)}) for n in range(700))
    )
    found: list[int] = []
    entries = LogReader(bus.js, AUDIT).read_all()
    async for entry in entries:
        found.append(entry.sequence)
        if len(found) == 1:  # the rest is more than is fetched at once
            os.kill(bus.server.pid, signal.SIGSTOP)
            asyncio.get_running_loop().call_later(1.5, os.kill, bus.server.pid, signal.SIGCONT)
    assert found == list(range(1, 701))


async def test_entries_that_never_come_are_told(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is hidden: a log that cannot be read to its end does not pass for a shorter one."""
    await record(bus, 1, 3)
    reader = LogReader(bus.js, AUDIT)

    async def nothing(_after: int, _wait_s: float) -> list[LogEntry]:
        return []

    monkeypatch.setattr(reader, "read", nothing)
    with pytest.raises(MeshUnavailable, match="nothing behind entry 0"):
        assert [entry async for entry in reader.read_all()]


async def test_what_passes_its_retention_while_it_is_read_is_no_failure(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost: a reader who is too late for the last entries is at the end."""
    await provision(bus.js, bus.settings.bus.model_copy(update={"retention": RetentionSettings(audit_days=1 / 86_400)}))
    await record(bus, 1, 3)
    reader = LogReader(bus.js, AUDIT)
    read = reader.read

    async def read_late(after: int, wait_s: float) -> Sequence[LogEntry]:
        async def gone() -> bool:
            return (await bus.js.stream_info(AUDIT.name)).state.messages == 0

        await eventually(gone)
        return await read(after, wait_s)

    monkeypatch.setattr(reader, "read", read_late)
    assert [entry async for entry in reader.read_all()] == []


async def test_a_log_is_whole_also_while_its_oldest_entries_go(bus: Bus) -> None:
    """Nothing is hidden: that the auditor is about to sign for what has just gone is no gap, here and in an export."""
    retention = RetentionSettings(audit_days=6 / 86_400)
    await provision(bus.js, bus.settings.bus.model_copy(update={"retention": retention}))
    async with running(auditor_of(bus)[0]):
        await record(bus, 1, 20)
        await reach(bus, 20)

    async def gone() -> bool:
        return (await bus.js.stream_info(AUDIT.name)).state.first_seq > 20

    await eventually(gone, timeout=30)
    await record(bus, 21, 24)
    parts: dict[Part, list[LogEntry]] = {"log": [], "checkpoints": []}
    reading = asyncio.create_task(read_log(bus.js, bus.ring, lambda part, entries: parts[part].extend(entries)))
    await asyncio.sleep(0.5)
    assert not reading.done()
    await record(bus, 25, 26)
    async with running(auditor_of(bus)[0]):
        await asyncio.wait_for(reading, 30)
    checked = verify_entries(parts["log"], parts["checkpoints"], bus.ring)
    assert (checked.begins, checked.findings) == (21, ())
    keys = json.loads((bus.keys / "ring.json").read_text("utf-8"))
    lines = [json.loads(write_line(part, entry)) for part, entries in parts.items() for entry in entries]
    assert offline_verifier.check_export(lambda: lines, keys, [])[0] == []
