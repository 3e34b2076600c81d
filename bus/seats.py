"""Who may sit where: an identity's row of the table, and the tenant that it is bound to, both by its name."""

from collections.abc import Iterable
from dataclasses import dataclass

from hybridmesh.bus.topology import ROOT, TOPOLOGY, MessageType, Row, row_of
from hybridmesh.schemas.message import DEFAULT_TENANT, is_tenant
from hybridmesh.schemas.tasks import TaskSubmitted


@dataclass(frozen=True, slots=True)
class Seat:
    """Whose an identity is: its row of the table, and the one tenant that it may speak for, None for all."""

    name: str
    row: Row
    tenant: str | None


def seat_of(name: str) -> Seat:
    """Return the seat of an identity by its name, ``submitter-acme`` for one of the tenant acme; raises KeyError."""
    role, _, tenant = name.partition("-")
    row = row_of(role)
    if not row.tenanted and not tenant:
        return Seat(name, row, None)
    if not row.tenanted or not is_tenant(tenant or DEFAULT_TENANT) or name.endswith("-"):
        raise KeyError(name)
    return Seat(name, row, tenant or DEFAULT_TENANT)


def seats_of(tenant: str) -> tuple[str, ...]:
    """Return the names of the identities that a tenant has."""
    return tuple(f"{row.agent}-{tenant}" for row in TOPOLOGY if row.tenanted)


def bound_seats(names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the names that are seats of a tenant other than the table's own."""
    return tuple(sorted(name for name in names if _is_bound(name)))


def _is_bound(name: str) -> bool:
    try:
        seat = seat_of(name)
    except KeyError:
        return False
    return name != seat.row.agent


def reader_of(name: str, kind: MessageType) -> str:
    """Return the name of the one consumer that an identity may make for a type of message."""
    return f"{name}-{kind.NAME.rpartition('.')[2]}"


def tenant_in(subject: str) -> str | None:
    """Return the tenant that the subject of a submission names."""
    match subject.removeprefix(f"{ROOT}.{TaskSubmitted.NAME}.").split("."):
        case [tenant, _] if is_tenant(tenant):
            return tenant
        case _:
            return None
