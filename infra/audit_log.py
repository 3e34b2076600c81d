"""Reads the audit log and its checkpoints whole, and checks them as anybody with the ring of public keys can."""

from dataclasses import dataclass
from functools import partial

from nats.js import JetStreamContext

from hybridmesh.agents.auditor.audit_stream import LogReader
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.proofs import LogEntry, check_log
from hybridmesh.bus.topology import AUDIT, CHECKPOINTS, Stream
from hybridmesh.schemas.audits import AuditFinding, Checkpoint


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the log found; ``covered`` is the size of the largest checkpoint."""

    entries: int
    checkpoints: int
    covered: int
    root: str
    findings: tuple[AuditFinding, ...]

    def describe(self) -> str:
        """Return a line for people."""
        if self.findings:
            return f"DOES NOT HOLD: {len(self.findings)} findings in {self.entries} events"
        return (
            f"whole: {self.entries} events, every signature holds, {self.checkpoints} signed checkpoints agree "
            f"with the tree (the last covers {self.covered})"
        )


async def read_all(js: JetStreamContext, stream: Stream) -> list[LogEntry]:
    """Return every entry of a log, in order; raises MeshUnavailable."""
    reader = LogReader(js, stream)
    entries: list[LogEntry] = []
    try:
        last = await reader.last_sequence()
        while not entries or entries[-1].sequence < last:
            more = await reader.read(entries[-1].sequence if entries else 0, 2.0)
            if not more:
                break
            entries.extend(more)
    finally:
        await reader.close()
    return entries


async def verify_log(js: JetStreamContext, ring: KeyRing) -> Verification:
    """Check the whole log; raises MeshUnavailable."""
    checkpoints = await read_all(js, CHECKPOINTS)
    entries = await read_all(js, AUDIT)
    findings = check_log(entries, checkpoints, partial(entry_problem, ring=ring))
    sizes = [Checkpoint.model_validate_json(entry.body) for entry in checkpoints]
    newest = max(sizes, key=lambda checkpoint: checkpoint.size, default=None)
    return Verification(
        entries=len(entries),
        checkpoints=len(checkpoints),
        covered=newest.size if newest else 0,
        root=newest.root if newest else "",
        findings=tuple(findings),
    )
