"""Whether an entry of the audit log or a checkpoint is by whom it says: the signature check of the log's proofs."""

from hybridmesh.bus.envelope import Opened, open_envelope
from hybridmesh.bus.errors import MeshError
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.proofs import LogEntry
from hybridmesh.schemas.audits import AuditEvent


def entry_problem(entry: LogEntry, ring: KeyRing) -> str | None:
    """Return what is wrong with an entry's envelope, or None."""
    try:
        opened = open_envelope(entry.subject, entry.headers, entry.body, ring.whole())
    except MeshError as error:
        return str(error)
    return false_speaker(opened)


def false_speaker(opened: Opened) -> str | None:
    """Say what is wrong with who speaks, or None: an audit event is by the agent that it names, and by no other."""
    if isinstance(opened.message, AuditEvent) and opened.message.agent != opened.producer:
        return "the event names another agent than its producer"
    return None
