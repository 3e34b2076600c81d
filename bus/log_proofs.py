"""Proofs for somebody who does not have the log: that a task's events are in it, and that it grew from what he kept.

A log may have more entries than there is memory: of each 32 bytes are kept, and the entries of one task.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.merkle import consistency_path, levels_of, path_through
from hybridmesh.bus.proofs import Claim, LogEntry, Signature, entry_leaf, read_checkpoint
from hybridmesh.schemas.audits import AuditEvent, Checkpoint


@dataclass(frozen=True, slots=True)
class Inclusion:
    """One entry, and the hashes that lead from it to the root of a checkpoint (RFC 9162, 2.1.3)."""

    entry: LogEntry
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SealedLog:
    """The log that its newest genuine checkpoint, ``seal``, was signed over: its tree, and the events of one task."""

    seal: LogEntry
    size: int
    levels: Sequence[bytes | bytearray]
    events: Sequence[LogEntry]
    rest: Sequence[LogEntry]


class LogSeal:
    """Takes a log and its checkpoints, each in its order, and says what can be proved of it about one task or none."""

    def __init__(self, signature: Signature, task_id: str | None = None) -> None:
        self._signature = signature
        self._task_id = task_id
        self._leaves = bytearray()
        self._events: list[tuple[int, LogEntry]] = []
        self._newest: tuple[Checkpoint, LogEntry] | None = None
        self._largest: int | None = None

    def add(self, entries: Iterable[LogEntry]) -> None:
        """Take the next entries; raises UsageError where the log has lost its beginning to its retention."""
        for entry in entries:
            if not self._leaves:
                _whole(entry.sequence)
            self._leaves += (leaf := entry_leaf(entry))
            if self._is_of_task(entry):
                self._events.append((len(self._leaves) // len(leaf), entry))

    def add_checkpoints(self, entries: Iterable[LogEntry]) -> None:
        """Take more checkpoints; kept is the largest that the auditor signed.

        Anybody who may publish can store what looks like one; `audit verify` names those.
        """
        claimed = [(claim, entry) for entry in entries if (claim := _claimed(entry)) is not None]
        for claim, entry in sorted(claimed, key=lambda item: item[0], reverse=True):
            if self._newest is not None and claim <= _order(self._newest[0]):
                return
            if self._largest is not None and claim[0] > self._largest:
                continue
            if isinstance(checkpoint := read_checkpoint(entry, self._signature), Checkpoint):
                self._newest = checkpoint, entry
                return

    def falls_short(self) -> bool:
        """Say whether the checkpoints are to be taken once more: the log ends before the entries of the largest.

        Raises:
            UsageError: all that was in the log is past its retention.

        """
        size = len(self._leaves) // 32
        if self._newest is None or self._newest[0].size <= size:
            return False
        if not size and self._newest[0].peaks:
            _whole(self._newest[0].first)
        self._newest, self._largest = None, size
        return True

    def sealed(self) -> SealedLog:
        """Return the log with the checkpoint that proofs are made for.

        Raises:
            UsageError: there is none yet, or it is not over these entries.

        """
        if self._newest is None:
            raise UsageError("the log has no checkpoint yet", remedy="start the auditor, and ask again in a second")
        checkpoint, seal = self._newest
        levels = levels_of(self._leaves[: checkpoint.size * 32])
        if levels[-1].hex() != checkpoint.root:
            raise UsageError(
                f"the newest checkpoint, over {checkpoint.size} entries, was not signed over those of this log",
                remedy="`hybridmesh audit verify` names where it breaks",
            )
        events = [entry for place, entry in self._events if place <= checkpoint.size]
        rest = [entry for place, entry in self._events if place > checkpoint.size]
        return SealedLog(seal, checkpoint.size, levels, events, rest)

    def _is_of_task(self, entry: LogEntry) -> bool:
        if self._task_id is None or not entry.subject.endswith(f".{self._task_id}"):
            return False
        return _task_of(entry) == self._task_id and self._signature(entry) is None


def _whole(begins: int) -> None:
    """Raise UsageError where the log has lost its beginning to its retention: a proof is made from all leaves."""
    if begins > 1:
        raise UsageError(
            f"the log begins at entry {begins}: earlier ones are past their retention",
            remedy="prove from an export that was made before, or raise bus.retention.audit_days",
        )


def _order(checkpoint: Checkpoint) -> tuple[int, int]:
    return checkpoint.size, checkpoint.first


def _claimed(entry: LogEntry) -> tuple[int, int] | None:
    try:
        checkpoint = Checkpoint.model_validate_json(entry.body)
    except ValidationError:
        return None
    return _order(checkpoint) if checkpoint.size > 0 else None


def prove_task(log: SealedLog) -> tuple[Inclusion, ...]:
    """Return a proof for each event of the log's task; what only looks like one is none.

    Raises:
        UsageError: the log has no event of that task, or one that no checkpoint covers yet.

    """
    if log.rest:
        raise UsageError("the task's last events are not signed for yet", remedy="ask again in a second")
    if not log.events:
        raise UsageError("the log has no event of that task", remedy="`hybridmesh submit` prints the id of a task")
    return tuple(
        Inclusion(entry, entry.sequence - 1, tuple(path_through(log.levels, entry.sequence - 1)))
        for entry in log.events
    )


def prove_growth(log: SealedLog, kept: Claim) -> tuple[bytes, ...]:
    """Return the proof that the log begins with the entries of a checkpoint that somebody kept.

    Raises:
        UsageError: that checkpoint covers more than the log has.

    """
    if kept.size > log.size:
        raise UsageError(
            f"the checkpoint that was kept counts {kept.size} entries, and this log is signed for {log.size}",
            remedy="if the mesh has been running since, its log was cut: `hybridmesh audit verify --kept` tells",
        )
    return tuple(consistency_path(log.levels, kept.size))


def _task_of(entry: LogEntry) -> str | None:
    try:
        return AuditEvent.model_validate_json(entry.body).task_id
    except ValidationError:
        return None
