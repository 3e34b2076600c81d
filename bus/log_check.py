"""Whether an audit log is whole: what any reader can check with the log, its checkpoints and public keys.

Found and named: edited entries, gaps, a cut tail, swaps, forged events, forked or forged checkpoints. The only
thing that needs trust is the key ring and, against a cut tail, one checkpoint that was kept outside the mesh.
A log may have more entries than there is memory: of each 55 bytes are kept, and of a checkpoint its hashes.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hybridmesh.bus.envelope import signed_bytes
from hybridmesh.bus.merkle import Frontier
from hybridmesh.bus.proofs import (
    Claim,
    LogEntry,
    Signature,
    beginning,
    entry_leaf,
    read_checkpoint,
    signed_beginning,
)
from hybridmesh.schemas.audits import AuditEvent, AuditFinding, Checkpoint

_HASH, _SAID, _NUMBER = 32, 15, 8  # bytes of a leaf, of what was signed (one more chooses the place), of a sequence


@dataclass(frozen=True, slots=True)
class Examined:
    """What one entry says by itself: its leaf in the tree, what is wrong with it, and the hash of what was signed."""

    sequence: int
    leaf: bytes
    problem: str | None
    said: bytes

    def __reduce__(self) -> tuple[object, ...]:
        """Return what it is made from again in another process: a dataclass asks for its fields one by one."""
        return Examined, (self.sequence, self.leaf, self.problem, self.said)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a signed checkpoint says, in a fifth of its room; ``hashes`` are its peaks."""

    size: int
    root: str
    first: int
    hashes: bytes

    @property
    def peaks(self) -> Sequence[str]:
        """The peaks in hex, largest first."""
        return [peak.hex() for peak in _cut(self.hashes, _HASH)]


def examine(entries: Iterable[LogEntry], signature: Signature) -> list[Examined]:
    """Return what can be said of each entry without the others."""
    return [_examine(entry, signature) for entry in entries]


def _examine(entry: LogEntry, signature: Signature) -> Examined:
    problem = signature(entry)
    if problem is None and entry.headers.get("ce-type") != AuditEvent.event_type():
        problem = "not an audit event"
    if problem is None and len({name.lower() for name in entry.headers}) != len(entry.headers):
        problem = "a header stands there twice"
    said = hashlib.sha256(signed_bytes(entry.subject, entry.headers, entry.body)).digest()
    return Examined(entry.sequence, entry_leaf(entry), problem, said[: _SAID + 1])


def examine_checkpoints(entries: Iterable[LogEntry], signature: Signature) -> list[Sealed | AuditFinding]:
    """Return what each checkpoint says, or what is wrong with it."""
    return [_sealed(read_checkpoint(entry, signature)) for entry in entries]


def _sealed(found: Checkpoint | AuditFinding) -> Sealed | AuditFinding:
    if isinstance(found, AuditFinding):
        return found
    try:
        peaks = [bytes.fromhex(peak) for peak in found.peaks]
    except ValueError:
        peaks = []
    whole = all(len(peak) == _HASH for peak in peaks)
    return Sealed(found.size, found.root, found.first, b"".join(peaks) if whole else b"")


def check_log(
    entries: Iterable[LogEntry],
    checkpoints: Iterable[LogEntry],
    signature: Signature,
    *,
    kept: Sequence[Claim] = (),
) -> list[AuditFinding]:
    """Return where a log does not hold; nothing means that it is whole. See :class:`LogCheck`."""
    check = LogCheck()
    check.add_checkpoints(examine_checkpoints(checkpoints, signature))
    check.add(examine(entries, signature))
    return check.findings(kept)


class LogCheck:
    """Takes entries in the order of the log, and its checkpoints, and says where they do not hold."""

    def __init__(self) -> None:
        self.entries = self.checkpoints = 0
        self.signed: list[Sealed] = []
        self._found: list[AuditFinding] = []
        self._first = self._last = 0
        self._broken = False
        self._leaves = bytearray()  # up to the first break
        self._wrong: set[int] = set()
        self._said = [bytearray() for _ in range(256)]  # by the first byte of what was signed

    @property
    def begins(self) -> int:
        """The first entry that is there, or would be: earlier ones are past their retention."""
        return self._first if self.entries else signed_beginning(self.signed)

    def add(self, examined: Iterable[Examined]) -> None:
        """Take the next entries."""
        for entry in examined:
            if self.entries:
                self._found += _order(entry.sequence, self._last)
                self._broken = self._broken or entry.sequence != self._last + 1
            else:
                self._first = entry.sequence
            self.entries += 1
            self._last = max(self._last, entry.sequence)
            if not self._broken:
                self._leaves += entry.leaf
            if entry.problem is not None:
                self._wrong.add(entry.sequence)
                self._found.append(AuditFinding(sequence=entry.sequence, problem=entry.problem))
            self._said[entry.said[0]] += entry.said[1:] + entry.sequence.to_bytes(_NUMBER)

    def add_checkpoints(self, examined: Iterable[Sealed | AuditFinding]) -> None:
        """Take more checkpoints."""
        for item in examined:
            self.checkpoints += 1
            if isinstance(item, Sealed):
                self.signed.append(item)
            else:
                self._found.append(item)

    def findings(self, kept: Sequence[Claim] = ()) -> list[AuditFinding]:
        """Return where the log does not hold, in its order; nothing means that it is whole.

        Checkpoints come from the log's own side and were checked by signature; ``kept`` are those that the reader
        wrote down earlier, and are believed. A finding about a checkpoint carries the checkpoint's size.
        """
        tree = beginning(self.begins, self.signed) if self.begins > 1 else None
        before = self.begins - 1 if tree is not None else 0
        last = self._last if self.entries else before
        tree = tree or Frontier()
        claimed = sorted({(item.size, item.root) for item in (*self.signed, *kept)})
        begun = _order(self._first, before) if self.entries else []
        begins = tree.size
        roots = self._roots({size for size, _ in claimed}, tree, broken=bool(begun))
        found = [*self._found, *begun, *self._repeats(), *_forks(claimed)]
        found += [*_mismatches(claimed, roots, last), *_not_compared(kept, self.signed, begins)]
        if last and not claimed:
            found.append(AuditFinding(sequence=last, problem="no checkpoint: a cut tail could not be seen"))
        return sorted(found, key=lambda finding: finding.sequence)

    def _roots(self, sizes: set[int], tree: Frontier, *, broken: bool) -> dict[int, str]:
        """Return the log's root at the sizes that checkpoints speak of, as far as it has no break."""
        found = {tree.size: tree.root().hex()} if tree.size in sizes and tree.size else {}
        for place, leaf in enumerate(() if broken else _cut(self._leaves, _HASH)):
            if self._first + place > tree.size:
                tree.append(leaf)
                if tree.size in sizes:
                    found[tree.size] = tree.root().hex()
        return found

    def _repeats(self) -> Iterator[AuditFinding]:
        """Name copies of an entry: an agent that does a thing again says so under the same id, but at another time."""
        for place in self._said:
            heard: dict[bytes, int] = {}
            for record in _cut(place, _SAID + _NUMBER):
                sequence = int.from_bytes(record[_SAID:])
                before = heard.setdefault(record[:_SAID], sequence)
                if before != sequence and sequence not in self._wrong:
                    problem = f"entry {before} again: a copy of it, to the moment"
                    yield AuditFinding(sequence=sequence, problem=problem)


def _cut(content: bytes | bytearray, size: int) -> Iterator[bytes]:
    return (bytes(content[place : place + size]) for place in range(0, len(content), size))


def _order(sequence: int, last: int) -> list[AuditFinding]:
    if sequence == last + 1:
        return []
    if sequence > last:
        missing = f"entries {last + 1} to {sequence - 1} are missing"
        return [AuditFinding(sequence=last + 1, problem=missing)]
    return [AuditFinding(sequence=sequence, problem=f"stands after entry {last}: out of order or repeated")]


def _forks(claimed: Sequence[tuple[int, str]]) -> list[AuditFinding]:
    counts = Counter(size for size, _ in claimed)
    problem = "two checkpoints of this size with different roots"
    return [AuditFinding(sequence=size, problem=problem) for size, count in counts.items() if count > 1]


def _not_compared(kept: Sequence[Claim], signed: Sequence[Sealed], begins: int) -> list[AuditFinding]:
    """Name the newest of the kept checkpoints if nothing that is left can be held against it.

    Older ones are in what it speaks for: who keeps one now and then has always one that can be compared.
    """
    newest = max(kept, key=lambda claim: claim.size, default=None)
    if newest is None or newest.size >= begins or any(item.size == newest.size for item in signed):
        return []
    problem = "the checkpoint that was kept cannot be compared: the log begins later"
    return [AuditFinding(sequence=newest.size, problem=problem)]


def _mismatches(claimed: Sequence[tuple[int, str]], roots: Mapping[int, str], last: int) -> list[AuditFinding]:
    """Name the entries between the last checkpoint that holds and the first that does not, and a cut tail."""
    findings: list[AuditFinding] = []
    holding = [size for size, root in claimed if roots.get(size) == root]
    best = max(holding, default=0)
    known = [(size, root) for size, root in claimed if size in roots]
    for size, root in known:
        if roots[size] == root:
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
