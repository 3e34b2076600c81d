"""A command's time on the bus: connect, do the work, and say plainly when the mesh is not there, or refuses."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import nats.errors

from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.client import Mesh, connect
from hybridmesh.bus.errors import MeshUnavailable, SetupError
from hybridmesh.bus.seats import Seat
from hybridmesh.infra.cli.invocation import Invocation
from hybridmesh.infra.cli.refusals import kept_out, missing_key, refusal
from hybridmesh.infra.cli.roles import Right, check_right, read_role

T = TypeVar("T")

_CONNECT_TIMEOUT_S = 8.0
_LOOK_S = 0.1


def on_mesh(call: Invocation, work: Callable[[Mesh], Awaitable[T]], *rights: Right) -> T:
    """Run ``work`` on the mesh that the options name; it takes these ``rights``, or else that of who may do it all.

    Raises:
        UsageError: there is no such role, or it may not do that.
        SetupError: the keys are not there.
        MeshUnavailable: no mesh runs there, or its server does not answer, or stops answering.

    """
    seat = read_role(call.role)
    for right in rights or (Right.OPERATE,):
        check_right(seat, right)
    return asyncio.run(_run(call, seat, work))


async def _run(call: Invocation, seat: Seat, work: Callable[[Mesh], Awaitable[T]]) -> T:
    async with contextlib.AsyncExitStack() as stack:
        try:
            # Connecting bounds itself; then what waits in the outbox is sent, to a mesh that may have died since.
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                connecting = connect(call.url, keys=call.keys, settings=call.settings, role=seat.name)
                mesh = await stack.enter_async_context(connecting)
        except TimeoutError:
            raise MeshUnavailable("the mesh's server does not answer") from None
        except MeshUnavailable as error:
            raise kept_out(call, seat, error) from None
        except SetupError as error:
            raise missing_key(call.keys_folder, seat) or error from None
        try:
            return await _unless_refused(mesh, seat, work)
        except nats.errors.Error as error:
            raise MeshUnavailable(f"the bus does not answer: {type(error).__name__}") from error


async def _unless_refused(mesh: Mesh, seat: Seat, work: Callable[[Mesh], Awaitable[T]]) -> T:
    """Do the work; what the server does not let the seat do it never answers, but tells on the connection."""

    async def do() -> T:
        return await work(mesh)

    doing = asyncio.create_task(do())
    try:
        while not (await asyncio.wait({doing}, timeout=_LOOK_S))[0]:
            if (refused := refusal(seat, mesh.links.client.last_error)) is not None:
                raise refused
        return doing.result()
    finally:
        if not doing.done():
            await end_tasks({doing})
