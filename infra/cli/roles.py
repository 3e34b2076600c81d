"""Whose key a command takes: who there is, and what each may do."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.seats import Seat, seat_of
from hybridmesh.bus.topology import AUDIT, RESULTS, TOPOLOGY, Row
from hybridmesh.schemas.message import DEFAULT_TENANT
from hybridmesh.schemas.tasks import TaskCompleted, TaskSubmitted


class Right(StrEnum):
    """What a command does on the bus, by the words for it; OPERATE is all that is not one of the others."""

    SUBMIT = "submit"
    RESULTS = "read results"
    LOG = "read the audit log"
    OPERATE = "do this"


_RIGHTS: Mapping[Right, Callable[[Row], bool]] = {
    Right.SUBMIT: lambda row: TaskSubmitted in row.publishes,
    Right.RESULTS: lambda row: TaskCompleted in row.hears or RESULTS in row.follows,
    Right.LOG: lambda row: AUDIT in row.follows,
    Right.OPERATE: lambda row: row.operates,
}


def read_role(name: str) -> Seat:
    """Return whose key is meant; raises UsageError where nobody outside the mesh is called so."""
    seat = person(name)
    if seat is None:
        known = ", ".join(row.agent for row in TOPOLOGY if row.outside)
        raise UsageError(f"people have no role {name!r}", remedy=f"take {known} or a tenant's, such as submitter-acme")
    return seat


def may(seat: Seat, right: Right) -> bool:
    """Say whether the table gives a seat a right."""
    return _RIGHTS[right](seat.row)


def check_right(seat: Seat, right: Right) -> None:
    """Raise UsageError where a seat has not a right, before anything is tried."""
    if not may(seat, right):
        others = " or ".join(f"--as {other.name}" for other in _beside(seat) if may(other, right))
        raise UsageError(f"{seat.name} may not {right}", remedy=f"take the key of one who may: {others}")


def person(name: str) -> Seat | None:
    """Return the seat of one who is no agent of the mesh; None where nobody is called so."""
    try:
        seat = seat_of(name)
    except KeyError:
        return None
    return seat if seat.row.outside else None


def _beside(seat: Seat) -> Iterator[Seat]:
    """Yield every seat outside the mesh, of the same tenant where it is a tenant's."""
    for row in TOPOLOGY:
        if row.outside:
            bound = row.tenanted and seat.tenant not in (None, DEFAULT_TENANT)
            yield seat_of(f"{row.agent}-{seat.tenant}" if bound else row.agent)
