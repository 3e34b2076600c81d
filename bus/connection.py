"""Opens a connection to a NATS server, in bounded time, keeps it from what would break it, and leaves nothing open."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import nats.errors
from nats.aio.client import DEFAULT_BUFFER_SIZE, Client, Srv
from nats.aio.msg import Msg
from nats.aio.transport import TcpTransport

from hybridmesh.bus.borders import inbox_of
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.frames import harmless, readable
from hybridmesh.bus.jetstream import JetStream
from hybridmesh.bus.replies import Replies
from hybridmesh.bus.tls import certificate_problem
from hybridmesh.bus.wire import Reader, header_block, publication, read_headers

_CLOSED_S = 1.0


class _Transport(TcpTransport):
    """A socket whose end is not waited for without a bound: a TLS handshake that failed never tells it."""

    async def wait_closed(self) -> None:
        if self._io_writer is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSED_S):
                await self._io_writer.wait_closed()

    def has_room(self) -> bool:
        """Say whether what is written goes to the system at once, so that nothing piles up behind it."""
        return self._io_writer is not None and not self._io_writer.transport.get_write_buffer_size()


class Connection(Client):
    """A client that closes what it opened before it tries again, where nats-py 2.16 forgets it, still open.

    Whatever bytes a message has for a subject and for headers, it is read, and its reader says what is wrong with it.
    A request has no timer, queue or task of its own, as it has in nats-py, and what is published in the same turn of
    the event loop is written at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ps = Reader(self, self._process_msg)
        self._replies = Replies()
        self._writes_soon = False

    def jetstream(self, **opts: Any) -> JetStream:  # noqa: ANN401 - nats-py's own
        """Return what stores and fetches messages over this connection."""
        return JetStream(self, **opts)

    async def _connect_to_server(self, s: Srv) -> None:
        s.last_attempt = time.monotonic()
        self.drop()
        # The constructor that it inherits is written without annotations, and has no parameters to get wrong.
        self._transport = _Transport()  # type: ignore[no-untyped-call]
        await self._transport.connect(s.uri, DEFAULT_BUFFER_SIZE, self.options["connect_timeout"])

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        safe = harmless(headers, reply) if headers else b""
        if (asked := self._replies.awaiting(subject)) is None:
            await super()._process_msg(sid, readable(subject), readable(reply), data, safe)
            return
        self.stats["in_msgs"] += 1
        self.stats["in_bytes"] += len(data)
        message = self._build_message(sid, subject, readable(reply), data, await self._process_headers(safe))
        if not asked.done():
            asked.set_result(message)

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        return (read_headers(headers) or await super()._process_headers(headers)) if headers else None

    async def _request_new_style(
        self,
        subject: str,
        payload: bytes,
        timeout: float = 1,  # noqa: ASYNC109 - nats-py's own
        headers: dict[str, Any] | None = None,
    ) -> Msg:
        if self.is_draining_pubs:
            raise nats.errors.ConnectionDrainingError
        if not self._resp_sub_prefix:
            await self._init_request_sub()
        prefix = (self._resp_sub_prefix or b"").decode()
        inbox, answer = self._replies.expect(prefix, timeout)
        try:
            await self.publish(subject, payload, inbox, headers)
            message = await answer
        finally:
            self._replies.forget(inbox)
        if message is None:
            raise nats.errors.TimeoutError
        return message

    async def _send_publish(
        self, subject: str, reply: str, payload: bytes, payload_size: int, headers: dict[str, Any] | None
    ) -> None:
        """Send as nats-py does, which sees to the body's size alone.

        A server that gets more than it takes, headers counted, closes the connection, and nats-py seeks no other then.

        Raises:
            MaxPayloadError: headers and body are more than the server takes.

        """
        block = None if headers is None else header_block(headers)
        if block is not None and payload_size + len(block) > self.max_payload:
            raise nats.errors.MaxPayloadError
        self.stats["out_msgs"] += 1
        self.stats["out_bytes"] += payload_size
        await self._send_command(publication(subject, reply, block, payload))
        if not self._writes_soon:
            await self._flush_pending()

    async def _flush_pending(self, force_flush: bool = False) -> None:
        """Write in the next turn of the event loop; by way of nats-py's task where that has to wait for room."""
        if (
            force_flush
            or not self.is_connected
            or not (isinstance(self._transport, _Transport) and self._transport.has_room())
        ):
            await super()._flush_pending(force_flush)
        elif not self._writes_soon:
            self._writes_soon = True
            asyncio.get_running_loop().call_soon(self._write_pending)

    def _write_pending(self) -> None:
        self._writes_soon = False
        if self.is_connected and self._transport is not None:
            pending, self._pending, self._pending_data_size = self._pending, [], 0
            self._transport.writelines(pending)

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
