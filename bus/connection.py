"""Opens a connection to a NATS server, in bounded time, and leaves nothing open behind it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Sequence

import nats.errors
from nats.aio.client import Client, Srv

from hybridmesh.bus.borders import inbox_of
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.errors import MeshUnavailable


class Connection(Client):
    """A client that closes what it opened before it tries again, where nats-py 2.16 forgets it, still open."""

    async def _connect_to_server(self, s: Srv) -> None:
        if self._transport is not None:
            self._transport.close()  # type: ignore[no-untyped-call] # so in nats-py
        await super()._connect_to_server(s)


@contextlib.asynccontextmanager
async def open_connection(
    servers: Sequence[str], name: str, seed: str | None, tls: ssl.SSLContext | None, *, within_s: float
) -> AsyncGenerator[Client]:
    """Connect under an identity's ``name`` and key; a connection that is lost later is sought for ever.

    Raises:
        MeshUnavailable: no server answered within that time, or none that lets this key in.

    """
    client = Connection()
    opening = asyncio.create_task(
        client.connect(
            list(servers),
            name=f"hybridmesh-{name}",
            inbox_prefix=inbox_of(name),
            nkeys_seed_str=seed,
            tls=tls,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            error_cb=_ignore,
        )
    )
    try:
        try:
            await asyncio.wait_for(asyncio.shield(opening), within_s)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise MeshUnavailable(
                "the mesh's server does not answer, or does not know these keys; is `hybridmesh up` running?"
            ) from error
        yield client
    finally:
        await end_tasks({opening})
        # The server may be gone; and a client whose address could not be read has nothing that it could close.
        with contextlib.suppress(nats.errors.Error, OSError, AssertionError):
            await client.close()


async def _ignore(_: Exception) -> None:
    """The calls themselves raise; the library's own log lines would be noise."""
