"""A proxy between one agent and the bus that reads the NATS protocol, and does something at a chosen frame."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from hybridmesh.bus.cancellation import end_tasks

# Index of the word that holds the payload's length; the words before it differ with and without a reply subject.
_WITH_PAYLOAD = {b"PUB": False, b"HPUB": True, b"MSG": False, b"HMSG": True}
_CRLF = b"\r\n"
_QUEUES = ("$JS.ACK.WORK_", "$JS.ACK.INTAKE_")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the protocol; ``outgoing`` is from the agent to the bus. ``raw`` is all of its bytes."""

    outgoing: bool
    raw: bytes
    subject: str = ""
    reply: str = ""
    head: bytes = b""
    payload: bytes = b""

    @property
    def delivered(self) -> bool:
        """Whether it brings the agent a message of its work queue."""
        return not self.outgoing and self.reply.startswith(_QUEUES)

    @property
    def told(self) -> bool:
        """Whether it publishes what follows from a message, and is no audit event."""
        return self.outgoing and self.subject.startswith("mesh.") and not self.subject.startswith("mesh.audit.recorded")

    @property
    def acknowledges(self) -> bool:
        """Whether it takes a message out of its queue: neither a sign of life nor a hand-back."""
        work = self.outgoing and self.subject.startswith(_QUEUES)
        return work and self.payload.strip() in (b"", b"+ACK")


Seam = Callable[[Frame], bool]


@dataclass(slots=True)
class Trap:
    """What is done at the first frame that ``seam`` recognises; ``cuts``: the frame and the connection end there."""

    seam: Seam
    act: Callable[[], None]
    cuts: bool
    sprung: asyncio.Event


class FrameProxy:
    """The proxy of one agent; ``url`` is what the agent is given as its bus."""

    def __init__(self, upstream: str) -> None:
        host, _, port = upstream.removeprefix("nats://").rpartition(":")
        self._upstream = (host, int(port))
        self._trap: Trap | None = None
        self.url = ""
        self.copies: Callable[[Frame], list[bytes]] | None = None

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Listen while the context lasts."""
        talks: set[asyncio.Task[None]] = set()

        def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not server.is_serving():
                writer.transport.abort()
                return
            task = asyncio.create_task(self._talk(reader, writer))
            talks.add(task)
            task.add_done_callback(talks.discard)
            task.add_done_callback(lambda _: writer.transport.abort())  # also of one that never began

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        self.url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            server.close()
            await end_tasks(talks)

    def set_trap(self, seam: Seam, act: Callable[[], None], *, cuts: bool = True) -> asyncio.Event:
        """Act once, at the first frame that ``seam`` recognises; returns what is set then."""
        self._trap = Trap(seam, act, cuts, asyncio.Event())
        return self._trap.sprung

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.ExitStack() as stack:  # it may be cancelled at any await, also while it winds down
            try:
                bus_reader, bus_writer = await asyncio.open_connection(*self._upstream)
            except OSError:
                return
            stack.callback(bus_writer.transport.abort)
            pumps = [
                asyncio.create_task(self._pump(reader, bus_writer, outgoing=True)),
                asyncio.create_task(self._pump(bus_reader, writer, outgoing=False)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end_tasks(pumps)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, outgoing: bool) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                frame = await read_frame(source, outgoing=outgoing)
                if (trap := self._trap) is not None and trap.seam(frame):
                    self._trap = None
                    trap.act()
                    trap.sprung.set()
                    if trap.cuts:
                        return
                sink.write(frame.raw)
                if self.copies is not None:
                    for copy in self.copies(frame):
                        sink.write(copy)
                await sink.drain()


async def read_frame(source: asyncio.StreamReader, *, outgoing: bool) -> Frame:
    """Return the next frame; raises IncompleteReadError at the end."""
    line = await source.readuntil(_CRLF)
    word, *rest = line.split()
    kind = word.upper()
    if kind not in _WITH_PAYLOAD:
        return Frame(outgoing, line)
    body = await source.readexactly(int(rest[-1]) + len(_CRLF))
    size = int(rest[-2]) if _WITH_PAYLOAD[kind] else 0
    sizes = 2 if _WITH_PAYLOAD[kind] else 1
    names = rest[:-sizes]
    if not outgoing:
        del names[1]  # the subscription's number
    subject, reply = names[0].decode(), names[1].decode() if len(names) > 1 else ""
    return Frame(outgoing, line + body, subject, reply, body[:size], body[size : -len(_CRLF)])


def renamed_copies(frame: Frame, count: int) -> list[bytes]:
    """Return copies of a published message under other message ids, which the stream does not take for repeats."""
    name, found, rest = frame.head.partition(b"Nats-Msg-Id:")
    if not frame.outgoing or not found:
        return []
    number, _, after = rest.partition(_CRLF)
    copies: list[bytes] = []
    for copy in range(count):
        head = name + found + number + f"#{copy}".encode() + _CRLF + after
        # No reply: the agent has asked for one acknowledgement.
        words = f"HPUB {frame.subject} {len(head)} {len(head) + len(frame.payload)}\r\n".encode()
        copies.append(words + head + frame.payload + _CRLF)
    return copies
