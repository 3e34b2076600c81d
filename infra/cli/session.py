"""A command's time on the bus: connect, do the work, and say plainly when the mesh is not there."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import nats.errors

from hybridmesh.bus.client import Mesh, connect
from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.infra.cli.invocation import Invocation

T = TypeVar("T")

_CONNECT_TIMEOUT_S = 8.0


def on_mesh(call: Invocation, work: Callable[[Mesh], Awaitable[T]]) -> T:
    """Run ``work`` on the mesh that the options name.

    Raises:
        SetupError: the keys are not there.
        MeshUnavailable: no mesh runs there, or its server does not answer, or stops answering.

    """
    return asyncio.run(_run(call, work))


async def _run(call: Invocation, work: Callable[[Mesh], Awaitable[T]]) -> T:
    async with contextlib.AsyncExitStack() as stack:
        try:
            # Connecting bounds itself; then what waits in the outbox is sent, to a mesh that may have died since.
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                mesh = await stack.enter_async_context(connect(call.url, keys=call.keys, settings=call.settings))
        except TimeoutError:
            raise MeshUnavailable("the mesh's server does not answer") from None
        try:
            return await work(mesh)
        except nats.errors.Error as error:
            raise MeshUnavailable(f"the bus does not answer: {type(error).__name__}") from error
