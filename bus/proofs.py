"""What entries of the audit log and its checkpoints say by themselves: leaf, signature, where the log begins."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from hybridmesh.bus.envelope import producer_of
from hybridmesh.bus.merkle import Frontier, leaf_hash
from hybridmesh.bus.topology import producers_of, subject_of
from hybridmesh.schemas.audits import AuditFinding, Checkpoint


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One message of the AUDIT or CHECKPOINTS stream, as it is stored there."""

    sequence: int
    subject: str
    headers: dict[str, str]
    body: bytes

    def __reduce__(self) -> tuple[object, ...]:
        """Return what it is made from again in another process: a dataclass asks for its fields one by one."""
        return LogEntry, (self.sequence, self.subject, self.headers, self.body)


class Claim(Protocol):
    """What a checkpoint says: the log's first ``size`` entries have this root (hex)."""

    @property
    def size(self) -> int:
        """How many entries it covers."""
        ...

    @property
    def root(self) -> str:
        """Their root."""
        ...


Signature = Callable[[LogEntry], str | None]
"""Says what is wrong with an entry by itself (signature, subject, whom it speaks for), or None."""


# Of integers, strings and ASCII names, which is all a leaf has, this is RFC 8785, in a quarter of a package's time.
_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def entry_leaf(entry: LogEntry) -> bytes:
    """Return an entry's leaf: the RFC 8785 JSON of sequence, subject, headers and the body's SHA-256, hashed.

    All headers count but the server's own (``Nats-``), since those depend on how an entry was read.
    """
    headers = {name.lower(): value for name, value in entry.headers.items()}
    fields = {
        "sequence": entry.sequence,
        "subject": entry.subject,
        "headers": {name: value for name, value in headers.items() if not name.startswith("nats-")},
        "body": hashlib.sha256(entry.body).hexdigest(),
    }
    return leaf_hash(_CANONICAL.encode(fields).encode())


class Seal(Protocol):
    """What a checkpoint says of the log's beginning, beside what it claims."""

    @property
    def size(self) -> int:
        """How many entries it covers."""
        ...

    @property
    def root(self) -> str:
        """Their root."""
        ...

    @property
    def first(self) -> int:
        """Which entry was the first that was still stored."""
        ...

    @property
    def peaks(self) -> Sequence[str]:
        """The roots (hex) of the tree's perfect subtrees, largest first."""
        ...


def signed_beginning(checkpoints: Iterable[Seal]) -> int:
    """Return the first entry of a log by what was signed of it: all before that are past their retention.

    The auditor signs that only after it has seen that they were old enough. If it is behind the last entry, a log
    without entries is whole.
    """
    return max((item.first for item in checkpoints if item.peaks), default=1)


def beginning(first: int, checkpoints: Iterable[Seal]) -> Frontier | None:
    """Return the tree from which a log can be checked that begins with a later entry, ``first``; None: there is none.

    Earlier entries may be past their retention, which is so only if a signed checkpoint says that the log began there.
    """
    known = [item for item in checkpoints if item.peaks]
    if first <= 1 or first > signed_beginning(known):
        return None
    for item in sorted(known, key=lambda item: item.size):
        if item.size >= first - 1 and (tree := tree_of(item)) is not None:
            return tree
    return None


def tree_of(checkpoint: Seal) -> Frontier | None:
    """Return the tree that a checkpoint was signed over, or None if its peaks are not those of its root."""
    try:
        tree = Frontier(checkpoint.size, [bytes.fromhex(peak) for peak in checkpoint.peaks])
    except ValueError:
        return None
    return tree if tree.root().hex() == checkpoint.root else None


def read_checkpoints(entries: Iterable[LogEntry], signature: Signature) -> tuple[list[Checkpoint], list[AuditFinding]]:
    """Return the checkpoints that the auditor signed, in their order, and what is wrong with the others."""
    found = [read_checkpoint(entry, signature) for entry in entries]
    signed = [item for item in found if isinstance(item, Checkpoint)]
    return signed, [item for item in found if isinstance(item, AuditFinding)]


def read_checkpoint(entry: LogEntry, signature: Signature) -> Checkpoint | AuditFinding:
    """Return a checkpoint that the auditor signed, or what is wrong with it."""
    try:
        checkpoint = Checkpoint.model_validate_json(entry.body)
    except ValidationError:
        return AuditFinding(sequence=0, problem=f"checkpoint entry {entry.sequence} cannot be read")
    problem = signature(entry)
    if problem is None and producer_of(entry.headers) not in producers_of(Checkpoint):
        problem = "signed by an agent that may not"
    if problem is None and subject_of(checkpoint) != entry.subject:
        problem = "subject and content disagree"
    return checkpoint if problem is None else AuditFinding(sequence=checkpoint.size, problem=f"checkpoint: {problem}")
