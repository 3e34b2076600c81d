"""Proofs for somebody who does not have the log: that a task's events are in it, and that it grew from what he kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.merkle import consistency_path, levels_of, path_through
from hybridmesh.bus.proofs import Claim, LogEntry, Signature, entry_leaf, read_checkpoints, signed_beginning
from hybridmesh.schemas.audits import AuditEvent, Checkpoint


@dataclass(frozen=True, slots=True)
class Inclusion:
    """One entry, and the hashes that lead from it to the root of a checkpoint (RFC 9162, 2.1.3)."""

    entry: LogEntry
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SealedLog:
    """The entries of a log that its newest genuine checkpoint, ``seal``, was signed over, their tree, and the rest."""

    seal: LogEntry
    entries: Sequence[LogEntry]
    levels: Sequence[Sequence[bytes]]
    rest: Sequence[LogEntry]


def sealed_log(entries: Sequence[LogEntry], checkpoints: Sequence[LogEntry], signature: Signature) -> SealedLog:
    """Return the log with the checkpoint that proofs are made for.

    Raises:
        UsageError: there is none yet, it is not over these entries, or the log has lost its beginning to its retention.

    """
    _whole(entries, checkpoints, signature)
    seal, checkpoint = newest_checkpoint(checkpoints, len(entries), signature)
    covered, rest = entries[: checkpoint.size], entries[checkpoint.size :]
    levels = levels_of([entry_leaf(entry) for entry in covered])
    if levels[-1][0].hex() != checkpoint.root:
        raise UsageError(
            f"the newest checkpoint, over {checkpoint.size} entries, was not signed over those of this log",
            remedy="`hybridmesh audit verify` names where it breaks",
        )
    return SealedLog(seal, covered, levels, rest)


def newest_checkpoint(checkpoints: Sequence[LogEntry], size: int, signature: Signature) -> tuple[LogEntry, Checkpoint]:
    """Return the largest checkpoint over at most ``size`` entries that the auditor signed.

    Anybody who may publish can store what looks like one; `audit verify` names those.

    Raises:
        UsageError: there is none.

    """
    claimed = [(claim, entry) for entry in checkpoints if 0 < (claim := _size_claimed(entry)) <= size]
    for _, entry in sorted(claimed, key=lambda item: item[0], reverse=True):
        signed, _ = read_checkpoints([entry], signature)
        if signed:
            return entry, signed[0]
    raise UsageError("the log has no checkpoint yet", remedy="start the auditor, and ask again in a second")


def _size_claimed(entry: LogEntry) -> int:
    try:
        return Checkpoint.model_validate_json(entry.body).size
    except ValidationError:
        return 0


def _whole(entries: Sequence[LogEntry], checkpoints: Sequence[LogEntry], signature: Signature) -> None:
    """Raise UsageError where the log has lost its beginning to its retention: a proof is made from all leaves."""
    begins = entries[0].sequence if entries else signed_beginning(read_checkpoints(checkpoints, signature)[0])
    if begins > 1:
        raise UsageError(
            f"the log begins at entry {begins}: earlier ones are past their retention",
            remedy="prove from an export that was made before, or raise bus.retention.audit_days",
        )


def prove_task(log: SealedLog, task_id: str, signature: Signature) -> tuple[Inclusion, ...]:
    """Return a proof for each event of a task; what only looks like one is none.

    Raises:
        UsageError: the log has no event of that task, or one that no checkpoint covers yet.

    """
    if _events_of(task_id, log.rest, signature):
        raise UsageError("the task's last events are not signed for yet", remedy="ask again in a second")
    found = _events_of(task_id, log.entries, signature)
    if not found:
        raise UsageError("the log has no event of that task", remedy="`hybridmesh submit` prints the id of a task")
    return tuple(
        Inclusion(entry, entry.sequence - 1, tuple(path_through(log.levels, entry.sequence - 1))) for entry in found
    )


def prove_growth(log: SealedLog, kept: Claim) -> tuple[bytes, ...]:
    """Return the proof that the log begins with the entries of a checkpoint that somebody kept.

    Raises:
        UsageError: that checkpoint covers more than the log has.

    """
    size = len(log.entries)
    if kept.size > size:
        raise UsageError(
            f"the checkpoint that was kept counts {kept.size} entries, and this log is signed for {size}",
            remedy="if the mesh has been running since, its log was cut: `hybridmesh audit verify --kept` tells",
        )
    return tuple(consistency_path(log.levels[0], kept.size))


def _events_of(task_id: str, entries: Sequence[LogEntry], signature: Signature) -> list[LogEntry]:
    return [entry for entry in entries if _task_of(entry) == task_id and signature(entry) is None]


def _task_of(entry: LogEntry) -> str | None:
    try:
        return AuditEvent.model_validate_json(entry.body).task_id
    except ValidationError:
        return None
