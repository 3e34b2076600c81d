"""The auditor's loop against a log that misbehaves: it waits where it must, and stops where it must."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hybridmesh.agents.auditor.agent import Auditor
from hybridmesh.bus.errors import MeshBusy, MeshUnavailable, PermanentError
from hybridmesh.bus.merkle import Frontier, root_of
from hybridmesh.bus.proofs import LogEntry, entry_leaf
from hybridmesh.schemas.audits import AuditEvent, Checkpoint
from hybridmesh.schemas.message import Message

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Log:
    """A log in memory; ``failures`` are raised by reads, one each."""

    def __init__(self, *sequences: int, checkpoint: Checkpoint | None = None, kept_s: float = 0) -> None:
        self.entries = [LogEntry(number, "mesh.audit.recorded.router.-", {}, b"{}") for number in sequences]
        self.checkpoint = checkpoint
        self.kept_s = kept_s
        self.failures = 0

    async def beginning(self) -> tuple[int, float]:
        return (self.entries[0].sequence, self.kept_s) if self.kept_s else (1, 0)

    async def checkpoint_over(self, size: int) -> Checkpoint | None:
        return self.checkpoint if self.checkpoint and self.checkpoint.size >= size else None

    async def read(self, after: int, wait_s: float) -> Sequence[LogEntry]:
        if self.failures:
            self.failures -= 1
            raise MeshUnavailable
        found = [entry for entry in self.entries if entry.sequence > after]
        if not found:
            await asyncio.sleep(wait_s)
        return found

    async def last_sequence(self) -> int:
        return self.entries[-1].sequence if self.entries else 0

    async def last_checkpoint(self) -> Checkpoint | None:
        return self.checkpoint


class Published(list[Message]):
    """What was published; the first ``failures`` tries are refused."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures

    async def publish(self, message: Message) -> None:
        if self.failures:
            self.failures -= 1
            raise MeshBusy("full", retry_after_s=1)
        self.append(message)


async def follow(log: Log, published: Published, seconds: float = 0.4) -> None:
    auditor = Auditor(log, published.publish, lambda: NOW, interval_s=0.05)
    (watch,) = auditor.agent().watches
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(watch(), seconds)


async def test_trouble_on_the_bus_is_waited_out() -> None:
    """Nothing is lost: after refused reads and a refused publish the checkpoint is there, once."""
    log, published = Log(1, 2, 3), Published(failures=1)
    log.failures = 2
    await follow(log, published)
    root = root_of(map(entry_leaf, log.entries)).hex()
    assert [(item.size, item.root) for item in published if isinstance(item, Checkpoint)] == [(3, root)]


async def test_no_checkpoint_more_often_than_asked() -> None:
    """It runs on what you have: a busy log costs one signature an interval, however many entries it gets."""
    log, published = Log(1), Published()

    async def grow() -> None:
        for number in range(2, 42):
            await asyncio.sleep(0.01)
            log.entries.append(LogEntry(number, "s", {}, b"{}"))

    begun = time.monotonic()
    following = asyncio.create_task(follow(log, published, seconds=60))
    await grow()
    while not any(isinstance(item, Checkpoint) and item.size == 41 for item in published):
        await asyncio.sleep(0.01)
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    assert 2 <= len(published) <= (time.monotonic() - begun) / 0.05 + 1
    assert [item.size for item in published if isinstance(item, Checkpoint)][-1] == 41


async def test_nothing_new_is_not_signed_again() -> None:
    """Nothing is hidden: a restart over the same log adds no checkpoint."""
    log, published = Log(1, 2), Published()
    log.checkpoint = Checkpoint(size=2, root=root_of(map(entry_leaf, log.entries)).hex(), at=NOW)
    await follow(log, published)
    assert published == []


@pytest.mark.parametrize(
    ("sequences", "checkpoint", "reason"),
    [
        ((1, 2, 4), None, "audit-gap"),
        ((2, 3), None, "audit-gap"),
        ((1, 2), Checkpoint(size=3, root="00", at=NOW), "audit-tail-cut"),
        ((1, 2, 3), Checkpoint(size=2, root="00", at=NOW), "audit-rewritten"),
    ],
)
async def test_a_broken_log_is_told_and_not_signed(
    sequences: tuple[int, ...], checkpoint: Checkpoint | None, reason: str
) -> None:
    """Nothing is hidden: the auditor says where the log broke, even if its first word is refused, and stops."""
    published = Published(failures=1)
    with pytest.raises(PermanentError) as caught:
        await follow(Log(*sequences, checkpoint=checkpoint), published, seconds=2)
    assert caught.value.reason == reason
    assert all(isinstance(item, AuditEvent) for item in published)
    assert [item.facts["reason"] for item in published if isinstance(item, AuditEvent)] == [reason]


def begun(size: int, at: datetime) -> Checkpoint:
    """A checkpoint over entries of which only the hashes are left."""
    tree = Frontier()
    for number in range(size):
        tree.append(bytes([number]) * 32)
    return Checkpoint(size=size, root=tree.root().hex(), at=at, peaks=tuple(peak.hex() for peak in tree.peaks))


async def test_entries_past_their_retention_are_gone_by_right() -> None:
    """Nothing is hidden: the tree goes on from the checkpoint over them, and the next one says where the log begins."""
    old = begun(5, NOW - timedelta(days=30))
    log, published = Log(5, 6, 7, checkpoint=old, kept_s=30 * 86_400), Published()
    await follow(log, published)
    tree = Frontier(old.size, [bytes.fromhex(peak) for peak in old.peaks])
    for entry in log.entries[1:]:
        tree.append(entry_leaf(entry))
    (signed,) = (item for item in published if isinstance(item, Checkpoint))
    assert (signed.size, signed.first, signed.root) == (7, 5, tree.root().hex())


async def test_a_beginning_that_is_gone_before_its_time_is_a_gap() -> None:
    """Nothing is hidden: who cuts off what is younger than the retention is told on, and nothing vouches for it."""
    log, published = Log(5, 6, 7, checkpoint=begun(5, NOW - timedelta(days=2)), kept_s=30 * 86_400), Published()
    with pytest.raises(PermanentError, match="broken at entry 1"):
        await follow(log, published)
    assert [item.facts["reason"] for item in published if isinstance(item, AuditEvent)] == ["audit-gap"]
    assert not [item for item in published if isinstance(item, Checkpoint)]


async def test_a_log_that_only_gets_shorter_is_signed_for_as_well() -> None:
    """Nothing is hidden: on a quiet mesh too the newest checkpoint says where the log begins."""
    log, published = Log(1, 2, 3, kept_s=30 * 86_400), Published()
    following = asyncio.create_task(follow(log, published, seconds=60))

    async def signed(first: int) -> None:
        while not any(isinstance(item, Checkpoint) and (item.size, item.first) == (3, first) for item in published):
            await asyncio.sleep(0.01)

    async with asyncio.timeout(20):
        await signed(1)
        tree = Frontier()
        for entry in log.entries:
            tree.append(entry_leaf(entry))
        peaks = tuple(peak.hex() for peak in tree.peaks)
        log.checkpoint = Checkpoint(size=3, root=tree.root().hex(), at=NOW - timedelta(days=30), peaks=peaks)
        del log.entries[:2]
        await signed(3)
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
