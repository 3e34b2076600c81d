"""Opens a connection to a NATS server, in bounded time, keeps it from what would break it, and leaves nothing open."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import nats.errors
from nats.aio.client import DEFAULT_BUFFER_SIZE, Client, Srv
from nats.aio.transport import TcpTransport

from hybridmesh.bus.borders import inbox_of
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.frames import harmless, readable
from hybridmesh.bus.tls import certificate_problem

_CLOSED_S = 1.0
_HEADER_FRAME = len(b"NATS/1.0\r\n" + b"\r\n")
_HEADER_LINE = len(b": " + b"\r\n")


class _Transport(TcpTransport):
    """A socket whose end is not waited for without a bound: a TLS handshake that failed never tells it."""

    async def wait_closed(self) -> None:
        if self._io_writer is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSED_S):
                await self._io_writer.wait_closed()


class Connection(Client):
    """A client that closes what it opened before it tries again, where nats-py 2.16 forgets it, still open.

    Whatever bytes a message has for a subject and for headers, it is read, and its reader says what is wrong with it.
    """

    async def _connect_to_server(self, s: Srv) -> None:
        s.last_attempt = time.monotonic()
        self.drop()
        # The constructor that it inherits is written without annotations, and has no parameters to get wrong.
        self._transport = _Transport()  # type: ignore[no-untyped-call]
        await self._transport.connect(s.uri, DEFAULT_BUFFER_SIZE, self.options["connect_timeout"])

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        safe = harmless(headers, reply) if headers else headers
        await super()._process_msg(sid, readable(subject), readable(reply), data, safe)

    async def publish(
        self, subject: str, payload: bytes = b"", reply: str = "", headers: dict[str, Any] | None = None
    ) -> None:
        """Publish as nats-py does, which sees to the body's size alone.

        A server that gets more than it takes, headers counted, closes the connection, and nats-py seeks no other then.

        Raises:
            MaxPayloadError: headers and body are more than the server takes.

        """
        if headers and len(payload) + _bytes_of(headers) > self.max_payload:
            raise nats.errors.MaxPayloadError
        await super().publish(subject, payload, reply, headers)

    async def drain(self) -> None:
        """Drain what is open; of what was closed for good nothing is left to wait for."""
        if not self.is_closed:
            await super().drain()

    def drop(self) -> None:
        """Close the socket, whatever was still to be sent."""
        if self._transport is not None:
            self._transport.close()

    async def leave(self) -> None:
        """Close for good, also while a lost server is sought, and when this is cut short."""
        try:
            if self._reconnection_task is not None:
                await end_tasks({self._reconnection_task})
            # The server may be gone; and a client whose address could not be read has nothing that it could close.
            with contextlib.suppress(nats.errors.Error, OSError, AssertionError):
                await self.close()
        finally:
            self.drop()


def _bytes_of(headers: Mapping[str, Any]) -> int:
    lines = (len(name.encode()) + len(str(value).encode()) + _HEADER_LINE for name, value in headers.items())
    return _HEADER_FRAME + sum(lines)


@contextlib.asynccontextmanager
async def open_connection(
    servers: Sequence[str], name: str, seed: str | None, tls: ssl.SSLContext | None, *, within_s: float
) -> AsyncGenerator[Client]:
    """Connect under an identity's ``name`` and key; a connection that is lost later is sought for ever.

    Raises:
        MeshUnavailable: no server answered within that time, or none that lets this key in.

    """
    client = Connection()
    refused: list[ssl.SSLError] = []

    async def note(error: Exception) -> None:
        # The calls themselves raise, and the library's own log lines would be noise; but this they do not tell.
        if isinstance(error, ssl.SSLError):
            refused[:] = [error]

    opening = asyncio.create_task(
        client.connect(
            list(servers),
            name=f"hybridmesh-{name}",
            inbox_prefix=inbox_of(name),
            nkeys_seed_str=seed,
            tls=tls,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            error_cb=note,
        )
    )
    try:
        try:
            await _await_within(opening, within_s)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            problem = certificate_problem(refused[0]) if refused else None
            words = problem or "the mesh's server does not answer, or does not know these keys"
            raise MeshUnavailable(words) from error
        yield client
    finally:
        try:
            if not opening.done():
                await end_tasks({opening})
        finally:
            await client.leave()


async def _await_within(opening: asyncio.Task[None], within_s: float) -> None:
    # Not ``wait_for``: where the bound meets the result it would lose a cancellation of the caller.
    await asyncio.wait({opening}, timeout=within_s)
    if not opening.done():
        raise TimeoutError
    opening.result()
