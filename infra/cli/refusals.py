"""What to do where the key of a role is not here, or the mesh's server does not let it do what was asked."""

from pathlib import Path

from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.errors import MeshUnavailable, SetupError, UsageError
from hybridmesh.bus.seats import Seat
from hybridmesh.infra.cli.invocation import Invocation
from hybridmesh.infra.cli.remedies import KEPT_OUT
from hybridmesh.infra.cli.roles import Right, may, person

_VIOLATION = "permissions violation"  # as nats-py writes what a server tells
_UNTOLD = "or does not know these keys"  # how the bus words it that nobody, or nobody for this key, answered
_OUTDATED = "write its configuration anew with `hybridmesh bus config` and reload it, or start `hybridmesh up` again"


def missing_key(folder: Path, seat: Seat) -> SetupError | None:
    """Return what to do about a key that is not in a folder where others are; None where that is not what is wrong."""
    there = {path.name for path in folder.glob("*.[kn]*") if person(path.stem)}
    if f"{seat.name}.key" in there or not there:
        return None
    remedy = f"copy it and {seat.name}.nk from the mesh's keys folder"
    if seat.name != seat.row.agent:
        remedy += f", where `hybridmesh bus keys --tenant {seat.tenant}` makes them"
    if others := sorted(name.removesuffix(".key") for name in there if name.endswith(".key")):
        remedy += f"; or take a key that is here with --as: {', '.join(others)}"
    return SetupError(f"there is no {seat.name}.key in {folder}", remedy=remedy)


def refusal(seat: Seat, told: Exception | None) -> UsageError | None:
    """Return what it means where the last thing that a connection was told is that the server would not do this."""
    if _VIOLATION not in str(told):
        return None
    remedy = _OUTDATED if may(seat, Right.OPERATE) else "take the key of one who may do more: --as publisher"
    return UsageError(f"the mesh's server does not let {seat.name} do this", remedy=remedy)


def kept_out(call: Invocation, seat: Seat, error: MeshUnavailable) -> MeshUnavailable:
    """Return the error of a connection that did not come about, as one of the key where a server is there after all."""
    from hybridmesh.infra.doctor_probes import answers

    if _UNTOLD not in str(error):
        return error
    url = call.url or call.settings.nats_url or Endpoint.read(call.settings.data).url
    words = f"there is a server, but it does not let the {seat.name} of {call.keys_folder} in"
    return MeshUnavailable(words, reason=KEPT_OUT) if answers(url) else error
