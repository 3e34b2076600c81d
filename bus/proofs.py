"""Whether an exported audit log is whole: what any reader can check with the log, its checkpoints and public keys.

Found and named: edited entries, gaps, a cut tail, swaps, forged events, forked or forged checkpoints. The only
thing that needs trust is the key ring and, against a cut tail, one checkpoint that was kept outside the mesh.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from pydantic import ValidationError

from hybridmesh.bus.envelope import producer_of, signed_bytes
from hybridmesh.bus.merkle import Frontier, leaf_hash
from hybridmesh.bus.topology import producers_of, subject_of
from hybridmesh.schemas.audits import AuditEvent, AuditFinding, Checkpoint

R = TypeVar("R")


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


@dataclass(frozen=True, slots=True)
class Examined:
    """What one entry says by itself: its leaf in the tree, what is wrong with it, and the hash of what was signed."""

    sequence: int
    leaf: bytes
    problem: str | None
    said: bytes

    def __reduce__(self) -> tuple[object, ...]:
        """Return what it is made from again in another process."""
        return Examined, (self.sequence, self.leaf, self.problem, self.said)


Signature = Callable[[LogEntry], str | None]
"""Says what is wrong with an entry by itself (signature, subject, whom it speaks for), or None."""


class Spread(Protocol):
    """Applies a function to each entry and keeps their order: ``map``, or one that uses more than one core."""

    def __call__(self, examine: Callable[[LogEntry], R], entries: Iterable[LogEntry], /) -> Iterable[R]:
        """Yield what the function says of each entry."""
        ...


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


@dataclass(slots=True)
class _Roots:
    """The log's root at the sizes that checkpoints speak of; known only up to the first break."""

    sizes: frozenset[int]
    by_size: dict[int, str] = field(default_factory=dict[int, str])
    broken: bool = False
    begins: int = 0
    _tree: Frontier = field(default_factory=Frontier)

    def begin(self, tree: Frontier) -> None:
        """Go on from the tree of a checkpoint, where the entries before it are past their retention."""
        self._tree = tree
        self.begins = tree.size
        self._note()

    def add(self, sequence: int, leaf: bytes) -> None:
        if self.broken or sequence <= self._tree.size:
            return
        self._tree.append(leaf)
        self._note()

    def _note(self) -> None:
        if self._tree.size in self.sizes:
            self.by_size[self._tree.size] = self._tree.root().hex()


def examine(signature: Signature, entry: LogEntry) -> Examined:
    """Return what can be said of an entry without the others."""
    problem = signature(entry)
    if problem is None and entry.headers.get("ce-type") != AuditEvent.event_type():
        problem = "not an audit event"
    said = hashlib.sha256(signed_bytes(entry.subject, entry.headers, entry.body)).digest()
    return Examined(entry.sequence, entry_leaf(entry), problem, said)


def check_log(
    entries: Iterable[LogEntry],
    checkpoints: Iterable[LogEntry],
    signature: Signature,
    *,
    kept: Sequence[Claim] = (),
    spread: Spread = map,
) -> list[AuditFinding]:
    """Return where the log does not hold; nothing means that it is whole.

    ``checkpoints`` come from the log's own side and are checked by signature; ``kept`` are those that the reader
    wrote down earlier, and are believed. A finding about a checkpoint carries the checkpoint's size.
    """
    signed, findings = read_checkpoints(checkpoints, signature, spread)
    findings += check_entries(entries, signed, signature, kept=kept, spread=spread)
    return sorted(findings, key=lambda finding: finding.sequence)


def check_entries(
    entries: Iterable[LogEntry],
    signed: Sequence[Checkpoint],
    signature: Signature,
    *,
    kept: Sequence[Claim] = (),
    spread: Spread = map,
) -> list[AuditFinding]:
    """Return where entries do not hold, alone or against checkpoints that the auditor ``signed``."""
    findings: list[AuditFinding] = []
    claimed = sorted({(item.size, item.root) for item in (*signed, *kept)})
    roots = _Roots(frozenset(size for size, _ in claimed))
    last = 0
    heard: dict[bytes, int] = {}
    for entry in spread(partial(examine, signature), entries):
        if not heard and entry.sequence > 1 and (tree := beginning(entry.sequence, signed)) is not None:
            roots.begin(tree)
            last = entry.sequence - 1
        findings += _order(entry.sequence, last)
        roots.broken = roots.broken or entry.sequence != last + 1
        last = max(last, entry.sequence)
        roots.add(entry.sequence, entry.leaf)
        problem = entry.problem
        if (before := heard.setdefault(entry.said, entry.sequence)) != entry.sequence:
            # An agent that does a thing again says so under the same id, but at another time.
            problem = problem or f"entry {before} again: a copy of it, to the moment"
        if problem is not None:
            findings.append(AuditFinding(sequence=entry.sequence, problem=problem))
    if not heard and (tree := beginning(signed_beginning(signed), signed)) is not None:
        # Not one entry is left; those that are gone by right are in a tree all the same.
        roots.begin(tree)
        last = signed_beginning(signed) - 1
    findings += _forks(claimed)
    findings += _mismatches(claimed, roots, last)
    findings += _not_compared(kept, signed, roots.begins)
    if last and not claimed:
        findings.append(AuditFinding(sequence=last, problem="no checkpoint: a cut tail could not be seen"))
    return findings


def signed_beginning(checkpoints: Iterable[Checkpoint]) -> int:
    """Return the first entry of a log by what was signed of it: all before that are past their retention.

    The auditor signs that only after it has seen that they were old enough. If it is behind the last entry, a log
    without entries is whole.
    """
    return max((item.first for item in checkpoints if item.peaks), default=1)


def beginning(first: int, checkpoints: Iterable[Checkpoint]) -> Frontier | None:
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


def tree_of(checkpoint: Checkpoint) -> Frontier | None:
    """Return the tree that a checkpoint was signed over, or None if its peaks are not those of its root."""
    try:
        tree = Frontier(checkpoint.size, [bytes.fromhex(peak) for peak in checkpoint.peaks])
    except ValueError:
        return None
    return tree if tree.root().hex() == checkpoint.root else None


def _order(sequence: int, last: int) -> list[AuditFinding]:
    if sequence == last + 1:
        return []
    if sequence > last:
        missing = f"entries {last + 1} to {sequence - 1} are missing"
        return [AuditFinding(sequence=last + 1, problem=missing)]
    return [AuditFinding(sequence=sequence, problem=f"stands after entry {last}: out of order or repeated")]


def read_checkpoints(
    entries: Iterable[LogEntry], signature: Signature, spread: Spread = map
) -> tuple[list[Checkpoint], list[AuditFinding]]:
    """Return the checkpoints that the auditor signed, in their order, and what is wrong with the others."""
    read: list[Checkpoint] = []
    findings: list[AuditFinding] = []
    stored = list(entries)
    for entry, signer_problem in zip(stored, spread(signature, stored), strict=True):
        try:
            checkpoint = Checkpoint.model_validate_json(entry.body)
        except ValidationError:
            findings.append(AuditFinding(sequence=0, problem=f"checkpoint entry {entry.sequence} cannot be read"))
            continue
        problem = signer_problem
        if problem is None and producer_of(entry.headers) not in producers_of(Checkpoint):
            problem = "signed by an agent that may not"
        if problem is None and subject_of(checkpoint) != entry.subject:
            problem = "subject and content disagree"
        if problem is None:
            read.append(checkpoint)
        else:
            findings.append(AuditFinding(sequence=checkpoint.size, problem=f"checkpoint: {problem}"))
    return read, findings


def _forks(claimed: Sequence[tuple[int, str]]) -> list[AuditFinding]:
    counts = Counter(size for size, _ in claimed)
    problem = "two checkpoints of this size with different roots"
    return [AuditFinding(sequence=size, problem=problem) for size, count in counts.items() if count > 1]


def _not_compared(kept: Sequence[Claim], signed: Sequence[Checkpoint], begins: int) -> list[AuditFinding]:
    """Name the newest of the kept checkpoints if nothing that is left can be held against it.

    Older ones are in what it speaks for: who keeps one now and then has always one that can be compared.
    """
    newest = max(kept, key=lambda claim: claim.size, default=None)
    if newest is None or newest.size >= begins or any(item.size == newest.size for item in signed):
        return []
    problem = "the checkpoint that was kept cannot be compared: the log begins later"
    return [AuditFinding(sequence=newest.size, problem=problem)]


def _mismatches(claimed: Sequence[tuple[int, str]], roots: _Roots, last: int) -> list[AuditFinding]:
    """Name the entries between the last checkpoint that holds and the first that does not, and a cut tail."""
    findings: list[AuditFinding] = []
    holding = [size for size, root in claimed if roots.by_size.get(size) == root]
    best = max(holding, default=0)
    known = [(size, root) for size, root in claimed if size in roots.by_size]
    for size, root in known:
        if roots.by_size[size] == root:
            continue
        if size <= best:
            findings.append(AuditFinding(sequence=size, problem="checkpoint's root is not that of this log"))
        else:
            # All later ones follow from this one, so it is the last to be named.
            problem = f"entries {best + 1} to {size} are not those that the checkpoint was signed over"
            findings.append(AuditFinding(sequence=best + 1, problem=problem))
            break
    largest = max((size for size, _ in claimed), default=0)
    if largest > last:
        problem = f"the tail is cut: a checkpoint counts {largest} entries, the log ends at {last}"
        if last == 0:
            problem += ", and no checkpoint says that they are past their retention"
        findings.append(AuditFinding(sequence=last + 1, problem=problem))
    return findings
