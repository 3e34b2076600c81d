"""A short log with its checkpoints, signed, as an export, and the program that outsiders check it with."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hybridmesh.agents.auditor.bundle import write_line
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.merkle import root_of
from hybridmesh.bus.proofs import LogEntry, entry_leaf
from hybridmesh.infra import offline_verifier as verifier
from hybridmesh.schemas.audits import Action, AuditEvent, Checkpoint
from hybridmesh.schemas.message import Message

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TASK = "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11"
ROUTER, AUDITOR, OBSERVER, SUBMITTER = IDENTITIES = tuple(
    Identity(name, Ed25519PrivateKey.generate()) for name in ("router", "auditor", "observer", "submitter-acme")
)
RING = KeyRing({identity.name: [identity.public] for identity in IDENTITIES})
PROGRAM = Path(verifier.__file__)


def entry_of(message: Message, sequence: int, identity: Identity = ROUTER) -> LogEntry:
    """Return a message as it is stored."""
    sealed = seal(message, identity, NOW)
    return LogEntry(sequence, sealed.subject, sealed.headers, sealed.body)


def event(number: int, task_id: str | None = None) -> LogEntry:
    """Return one entry of the log."""
    made = AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=NOW, nonce=str(number), task_id=task_id)
    return entry_of(made, number)


LOG = [event(number, TASK if number in (3, 8) else None) for number in range(1, 12)]
ROOTS = {size: root_of(map(entry_leaf, LOG[:size])).hex() for size in (5, 11)}
SIGNED = [
    entry_of(Checkpoint(size=size, root=ROOTS[size], at=NOW), place, AUDITOR) for place, size in enumerate(ROOTS, 1)
]


def with_ring(folder: Path) -> Path:
    """Return a folder of keys with the ring of these identities."""
    keys = folder / "keys"
    keys.mkdir()
    ring = {identity.name: [identity.public.public_bytes_raw().hex()] for identity in IDENTITIES}
    (keys / "ring.json").write_text(json.dumps(ring), "utf-8")
    return keys


def written(folder: Path, log: Sequence[LogEntry], checkpoints: Sequence[LogEntry] = SIGNED) -> Path:
    """Return an export."""
    file = folder / "log.jsonl"
    lines = [write_line("log", entry) for entry in log] + [write_line("checkpoints", entry) for entry in checkpoints]
    file.write_text("\n".join(lines), "utf-8")
    return file


def check(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run the program as an outsider does: without this project."""
    command = [sys.executable, "-I", str(PROGRAM), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd="/")
