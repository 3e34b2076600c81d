"""Proofs for somebody who does not have the log: that a task's events are in it, and that it grew from what he kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.merkle import consistency_path, inclusion_path
from hybridmesh.bus.proofs import Claim, LogEntry, entry_leaf
from hybridmesh.schemas.audits import AuditEvent, Checkpoint


@dataclass(frozen=True, slots=True)
class Inclusion:
    """One entry, and the hashes that lead from it to the root of a checkpoint (RFC 9162, 2.1.3)."""

    entry: LogEntry
    index: int
    path: tuple[bytes, ...]


def newest_checkpoint(checkpoints: Sequence[LogEntry], size: int) -> tuple[LogEntry, Checkpoint]:
    """Return the largest checkpoint over at most ``size`` entries; raises UsageError when there is none."""
    read: list[tuple[LogEntry, Checkpoint]] = []
    for entry in checkpoints:
        try:
            read.append((entry, Checkpoint.model_validate_json(entry.body)))
        except ValidationError:
            continue  # `audit verify` names it
    covered = [item for item in read if item[1].size <= size]
    if not covered:
        raise UsageError("the log has no checkpoint yet", remedy="start the auditor, and ask again in a second")
    return max(covered, key=lambda item: item[1].size)


def _whole(entries: Sequence[LogEntry]) -> None:
    """Raise UsageError where the log has lost its beginning to its retention: a proof is made from all leaves."""
    if entries and entries[0].sequence > 1:
        raise UsageError(
            f"the log begins at entry {entries[0].sequence}: earlier ones are past their retention",
            remedy="prove from an export that was made before, or raise bus.retention.audit_days",
        )


def prove_task(entries: Sequence[LogEntry], size: int, task_id: str) -> tuple[Inclusion, ...]:
    """Return a proof for each event of a task, in the tree over the first ``size`` entries.

    Raises:
        UsageError: the log has no event of that task, or one that no checkpoint covers yet.

    """
    _whole(entries)
    found = [entry for entry in entries if _task_of(entry) == task_id]
    if not found:
        raise UsageError("the log has no event of that task", remedy="`hybridmesh submit` prints the id of a task")
    if found[-1].sequence > size:
        raise UsageError("the task's last events are not signed for yet", remedy="ask again in a second")
    leaves = [entry_leaf(entry) for entry in entries[:size]]
    return tuple(
        Inclusion(entry, entry.sequence - 1, tuple(inclusion_path(leaves, entry.sequence - 1))) for entry in found
    )


def prove_growth(entries: Sequence[LogEntry], size: int, kept: Claim) -> tuple[bytes, ...]:
    """Return the proof that the first ``size`` entries begin with those of a checkpoint that somebody kept.

    Raises:
        UsageError: that checkpoint covers more than the log has.

    """
    _whole(entries)
    if kept.size > size:
        raise UsageError(
            f"the checkpoint that was kept counts {kept.size} entries, and this log is signed for {size}",
            remedy="if the mesh has been running since, its log was cut: `hybridmesh audit verify --kept` tells",
        )
    return tuple(consistency_path([entry_leaf(entry) for entry in entries[:size]], kept.size))


def _task_of(entry: LogEntry) -> str | None:
    try:
        return AuditEvent.model_validate_json(entry.body).task_id
    except ValidationError:
        return None
