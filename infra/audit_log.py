"""Reads the audit log and its checkpoints whole, and checks them as anybody with the ring of public keys can."""

from dataclasses import dataclass
from functools import partial

from nats.js import JetStreamContext

from hybridmesh.agents.auditor.audit_stream import LogReader
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.proofs import check_log
from hybridmesh.bus.topology import AUDIT, CHECKPOINTS
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


async def verify_log(js: JetStreamContext, ring: KeyRing) -> Verification:
    """Check the whole log; raises MeshUnavailable."""
    checkpoints = [entry async for entry in LogReader(js, CHECKPOINTS).read_all()]
    entries = [entry async for entry in LogReader(js, AUDIT).read_all()]
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
