"""The auditor's loop against a log that misbehaves: it waits where it must, and stops where it must."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hybridmesh.agents.auditor.agent import Auditor, Standing
from hybridmesh.bus.cancellation import end_tasks
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
        self.checkpoints: list[Checkpoint] = []
        self.kept_s = kept_s
        self.failures = self.read_to = 0
        self.made = self.checkpoints_made_at = NOW

    async def standing(self) -> Standing:
        last = self.entries[-1].sequence if self.entries else 0
        return Standing(self.made, self.entries[0].sequence if self.kept_s else 1, last, self.kept_s)

    async def checkpoints_made(self) -> datetime:
        return self.checkpoints_made_at

    async def checkpoint_over(self, size: int) -> Checkpoint | None:
        known = self.checkpoints or ([self.checkpoint] if self.checkpoint else [])
        return next((checkpoint for checkpoint in known if checkpoint.size >= size), None)

    async def read(self, after: int, wait_s: float) -> Sequence[LogEntry]:
        if self.failures:
            self.failures -= 1
            raise MeshUnavailable
        found = [entry for entry in self.entries if entry.sequence > after]
        self.read_to = max([self.read_to, *(entry.sequence for entry in found)])
        if not found:
            await asyncio.sleep(wait_s)
        return found

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


@pytest.mark.parametrize("refusals", [0, 1])
async def test_a_beginning_that_moved_is_signed_at_the_start(refusals: int) -> None:
    """Nothing is hidden: what has passed its retention unseen is signed for at once, though the log stands still."""
    log, published = Log(4, 5, 6, kept_s=30 * 86_400), Published(failures=refusals)
    old = begun(3, NOW - timedelta(days=30))
    tree = Frontier(old.size, [bytes.fromhex(peak) for peak in old.peaks])
    for entry in log.entries:
        tree.append(entry_leaf(entry))
    peaks = tuple(peak.hex() for peak in tree.peaks)
    newest = Checkpoint(size=6, root=tree.root().hex(), at=NOW - timedelta(days=30), peaks=peaks)
    log.checkpoint, log.checkpoints = newest, [old, newest]
    await follow(log, published)
    assert [(item.size, item.first, item.root) for item in published if isinstance(item, Checkpoint)] == [
        (6, 4, newest.root)
    ]


async def test_a_beginning_whose_signing_failed_is_signed_for_later() -> None:
    """Nothing is hidden: a refused checkpoint over a log that does not grow is not forgotten."""
    log, published = Log(1, 2, 3, kept_s=30 * 86_400), Published()
    async with signed_over(log, published):
        (first,) = (item for item in published if isinstance(item, Checkpoint))
        log.checkpoint = first.model_copy(update={"at": NOW - timedelta(days=30)})
        published.failures = 1
        del log.entries[:2]
        async with asyncio.timeout(20):
            while not any(isinstance(item, Checkpoint) and item.first == 3 for item in published):
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def signed_over(log: Log, published: Published) -> AsyncGenerator[asyncio.Task[None]]:
    """An auditor that has signed the log as it stands, at work."""
    auditor = Auditor(log, published.publish, lambda: NOW, interval_s=0.05)
    following = asyncio.create_task(auditor.follow())
    try:
        await signs(log, published)
        yield following
    finally:
        await end_tasks({following})


async def signs(log: Log, published: Published) -> None:
    """Wait for the root of the log as it stands."""
    size, root = len(log.entries), root_of(map(entry_leaf, log.entries)).hex()
    async with asyncio.timeout(20):
        while not any(isinstance(item, Checkpoint) and (item.size, item.root) == (size, root) for item in published):
            await asyncio.sleep(0.01)


def put_another(log: Log, count: int) -> None:
    """Put a log of other entries in the place of a log, as after its disk was wiped."""
    log.made = NOW + timedelta(hours=1)
    log.entries = [LogEntry(number, "mesh.audit.recorded.worker.-", {}, b"{}") for number in range(1, count + 1)]


@pytest.mark.parametrize("count", [2, 3, 5])
async def test_a_log_made_anew_with_its_checkpoints_is_signed_from_its_start(count: int) -> None:
    """Nothing is hidden: no root is signed over entries of which some are of another log."""
    log, published = Log(1, 2, 3), Published()
    async with signed_over(log, published):
        log.checkpoints_made_at = NOW + timedelta(hours=1)
        put_another(log, count)
        await signs(log, published)
        log.entries.append(LogEntry(count + 1, "s", {}, b"{}"))
        await signs(log, published)
    roots = {root_of(map(entry_leaf, log.entries[:size])).hex() for size in (count, count + 1)}
    assert {item.root for item in published[1:] if isinstance(item, Checkpoint)} == roots


@pytest.mark.parametrize("count", [2, 5])
async def test_a_log_made_anew_beside_its_checkpoints_was_cut(count: int) -> None:
    """Nothing is hidden: what was signed for is gone, whatever has come in its place."""
    log, published = Log(1, 2, 3), Published()
    async with signed_over(log, published) as following:
        put_another(log, count)
        with pytest.raises(PermanentError, match="broken at entry 3") as caught:
            await asyncio.wait_for(following, 20)
    assert caught.value.reason == "audit-tail-cut"
    assert sum(isinstance(item, Checkpoint) for item in published) == 1


async def test_an_end_that_is_lost_while_the_auditor_runs_was_cut() -> None:
    """Nothing is hidden: a log that is put back to an earlier state is not gone on with."""
    log, published = Log(1, 2, 3), Published()
    async with signed_over(log, published) as following:
        log.entries.pop()
        with pytest.raises(PermanentError) as caught:
            await asyncio.wait_for(following, 20)
    assert caught.value.reason == "audit-tail-cut"


async def test_an_end_that_was_not_signed_for_is_read_again() -> None:
    """Nothing is hidden: entries that the server lost before they were signed are in no root."""
    log, published = Log(1, 2, 3), Published()
    async with signed_over(log, published):
        log.checkpoint = next(item for item in published if isinstance(item, Checkpoint))
        published.failures = 1_000_000
        log.entries.append(LogEntry(4, "lost", {}, b"{}"))
        async with asyncio.timeout(20):
            while log.read_to < log.entries[-1].sequence:
                await asyncio.sleep(0.001)
        log.entries.pop()
        await asyncio.sleep(0.3)
        log.entries.append(LogEntry(4, "kept", {}, b"{}"))
        published.failures = 0
        await signs(log, published)
    assert [item.size for item in published if isinstance(item, Checkpoint)] == [3, 4]
