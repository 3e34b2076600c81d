"""Whether an entry of the audit log or a checkpoint is by whom it says: the signature check of the log's proofs."""

from hybridmesh.bus.envelope import open_envelope
from hybridmesh.bus.errors import MeshError
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.proofs import LogEntry
from hybridmesh.schemas.audits import AuditEvent


def entry_problem(entry: LogEntry, ring: KeyRing) -> str | None:
    """Return what is wrong with an entry's envelope, or None.

    An audit event must also be by the agent that it names: no agent speaks for another.
    """
    try:
        opened = open_envelope(entry.subject, entry.headers, entry.body, ring.whole())
    except MeshError as error:
        return str(error)
    if isinstance(opened.message, AuditEvent) and opened.message.agent != opened.producer:
        return "the event names another agent than its producer"
    return None
