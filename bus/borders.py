"""The border between the accounts: what may cross it, derived from the topology, and who is who on each side."""

from hybridmesh.bus.seats import seat_of
from hybridmesh.bus.topology import (
    ENDED,
    OPEN_TYPES,
    TOPOLOGY,
    Account,
    Bucket,
    MessageType,
    Row,
    bucket_subject,
    dead_subject,
    filter_of,
    subject_for,
    tenant_filter,
    unlaned_filter,
)
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.message import DEFAULT_TENANT

# Who makes the streams, in each account; no agent, and no row of the table.
PROVISIONERS: dict[str, Account] = {"provisioner": Account.LOCAL, "provisioner-cloud": Account.CLOUD}


def inbox_of(name: str) -> str:
    """Return the prefix of an identity's own inboxes: nobody else hears its replies."""
    return f"_INBOX_{name}"


def crossings(account: Account) -> tuple[str, ...]:
    """Return the subjects on which the other account may publish into this one, and no others."""
    inward = {
        subject
        for row in TOPOLOGY
        if row.account is not account
        for kind in row.publishes
        if account in _homes(kind)
        for subject in subjects_of(row, kind)
    }
    if account is Account.LOCAL:
        away = [row for row in TOPOLOGY if row.account is Account.CLOUD]
        inward |= {dead_subject(filter_of(kind)) for row in away for kind in row.consumes}
        inward |= {presence_subject(row) for row in away}
    return tuple(sorted(inward))


def is_enclosed(row: Row) -> bool:
    """Say whether an identity has an account to itself: who is outside, and who may publish over the border.

    The server sends what it answers, acknowledgements of storage too, to any reply subject that it is given, and asks
    no permission for that. What it answers to an account that only imports goes no further than that account.
    """
    leaves = any(row.account not in _homes(kind) for kind in row.publishes)
    return row.account is Account.LOCAL and (row.outside or leaves)


def told(account: Account) -> tuple[str, ...]:
    """Return the subjects that this account lets the other one hear: that tasks have ended."""
    return ENDED.subjects if account is Account.LOCAL else ()


def is_apart(name: str, kind: MessageType) -> bool:
    """Say whether a large body has to go in the message itself: its sender or its reader has no object store."""
    row = seat_of(name).row
    return not has_store(row) or any(home is not row.account for home in _homes(kind))


def is_open(kind: MessageType) -> bool:
    """Say whether somebody reads a type who has no object store: its body goes in the message while there is room."""
    return any(kind in row.hears and not has_store(row) for row in TOPOLOGY)


def has_store(row: Row) -> bool:
    """Say whether an identity shares the object store of large bodies."""
    return row.account is Account.LOCAL and (not row.outside or row.operates)


def _homes(kind: MessageType) -> set[Account]:
    """Return the accounts where a message is stored: those of who consumes it, else LOCAL."""
    return {row.account for row in TOPOLOGY if kind in row.consumes} or {Account.LOCAL}


def subjects_of(row: Row, kind: MessageType, tenant: str | None = None) -> tuple[str, ...]:
    """Return what a row publishes of a type; its audit events carry its own name, what is one tenant's that tenant."""
    if tenant is not None:
        known = (tenant_filter(kind, tenant),)
        return (*known, unlaned_filter(kind)) if tenant == DEFAULT_TENANT and kind in OPEN_TYPES else known
    return (subject_for(AuditEvent, f"{row.agent}.*"),) if kind is AuditEvent else (filter_of(kind),)


def presence_subject(row: Row) -> str:
    """Return where an agent's replicas say that they are there."""
    return bucket_subject(Bucket.AGENTS, f"{row.agent}.>")


def begun_subject(row: Row) -> str | None:
    """Return where an agent notes which message it begins alone; the account CLOUD has no such notes."""
    if not row.consumes or row.account is not Account.LOCAL:
        return None  # what began a call and did not end it is in the consultant's notes of calls
    return bucket_subject(Bucket.BEGUN, f"{row.agent}.>")
