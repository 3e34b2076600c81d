"""The simulated bus as a process sees it: nats-py's calls, of which any may be lost, late or the last one.

``nats.aio.msg.Msg``, key-value buckets and object stores are nats-py's own; what they call is here.
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar, cast

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api

from hybridmesh.bus.topology import ENDED
from simulation.faults import Fate, Faults
from simulation.streams import Pull, Queue, Server, Stored, stream_name
from simulation.virtual_time import OUTSIDE, START, Process, VirtualLoop

T = TypeVar("T")
Batch = list[tuple[Stored, int]]  # messages, and which try of each it is
Hear = Callable[[Msg], Coroutine[Any, Any, None]]
Tell = Callable[[str, str, str], None]  # who, what, about what

_LATENCY_S = 0.004
_TIMEOUT_S = 5.0
_JS_ACK = "$JS.ACK"
_LATEST_S = 90.0
_OF_PROCESSES = (Fate.DIES_BEFORE, Fate.DIES_AFTER, Fate.STANDS_STILL)
_HEARD = (Fate.PASSES, Fate.SLOW, Fate.STANDS_STILL)
_TIMES_OUT = (Fate.LOST, Fate.UNHEARD, Fate.LATE)


class Wire:
    """Between the processes and the server: what a call to the bus comes to, and when.

    ``die`` and ``stand_still`` are how a process ends or stops; ``tell`` writes the trace.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        rng: random.Random,
        faults: Faults,
        server: Server,
        *,
        die: Callable[[Process], None],
        stand_still: Callable[[Process], None],
        tell: Tell | None,
    ) -> None:
        self.loop = loop
        self.server = server
        self.faults = faults
        self.tell = tell
        self._random = rng.random
        self._die = die
        self._stand_still = stand_still
        self._names = itertools.count(1)
        self._ears: list[tuple[Connection, Hear]] = []
        self._unanswered: list[asyncio.Future[Any]] = []  # what dead processes wait for, which keeps them as they were

    def next(self) -> bytearray:
        """Return a unique name, as nats-py makes them."""
        return bytearray(f"N{next(self._names):021d}".encode())

    def call(
        self, process: Process, stream: str, what: str, about: str, effect: Callable[[], T], timeout_s: float
    ) -> "asyncio.Future[T]":
        """Send a call to the server."""
        loop = self.loop
        answer: asyncio.Future[T] = loop.create_future()
        now = loop.time()
        fate = self.faults.fate(now, stream)
        if fate in _OF_PROCESSES and not process.mortal:
            fate = Fate.LOST
        if self.tell is not None:
            self.tell(process.name, what if fate is Fate.PASSES else f"{what} ({fate})", about)
        if fate is not Fate.LOST and fate is not Fate.DIES_BEFORE:
            # What is done late or for a dead process is done all the same, and nobody hears of it.
            heard = fate in _HEARD
            self._at(now + self._delay(fate, timeout_s), effect, answer if heard else loop.create_future())
        if fate in _TIMES_OUT:
            self._time_out(answer, timeout_s)
        if fate in _OF_PROCESSES:
            self._unanswered.append(answer)
            self._strike(process, fate)
        return answer

    def _delay(self, fate: Fate, timeout_s: float) -> float:
        match fate:
            case Fate.SLOW:
                return self._random() * timeout_s * 0.9
            case Fate.LATE:
                return timeout_s + self._random() * _LATEST_S
            case _:
                return self._random() * _LATENCY_S

    def _strike(self, process: Process, fate: Fate) -> None:
        if fate is Fate.STANDS_STILL:
            self._stand_still(process)
        else:
            self._die(process)

    def _at(self, when: float, effect: Callable[[], T], answer: "asyncio.Future[T]") -> None:
        self.loop.call_at(when, _do, effect, answer, context=OUTSIDE)

    def pull(self, process: Process, queue: Queue, batch: int, timeout_s: float) -> "asyncio.Future[Batch]":
        """Wait for messages; without an end, as a fetch that finds nothing is only made again."""
        loop = self.loop
        answer: asyncio.Future[Batch] = loop.create_future()
        if self.faults.fate(loop.time(), queue.stream.name) in _TIMES_OUT:
            self._time_out(answer, timeout_s)
            return answer

        def give(batch: Batch) -> None:
            now = loop.time()
            fate = self.faults.fate(now, queue.stream.name)
            if self.tell is not None:
                how = "" if fate is Fate.PASSES else f" ({fate})"
                for stored, number in batch:
                    about = stored.headers.get("ce-id", stored.subject)
                    self.tell(process.name, f"is given (try {number}){how}", about)
            if fate in _TIMES_OUT:
                self._time_out(answer, timeout_s)
                return
            self._at(now + self._random() * _LATENCY_S, lambda: batch, answer)
            if fate in _OF_PROCESSES:
                self._strike(process, fate)

        request = Pull(batch, give)
        process.pulls.append(request)
        queue.pull(request)
        return answer

    def tell_all(self, stored: Stored) -> None:
        """Call out to who listens that a task has ended; who has lost the connection does not hear it, and knows."""
        now = self.loop.time()
        self._ears = [(connection, hear) for connection, hear in self._ears if not connection.process.gone]
        for connection, hear in self._ears:
            if self.faults.away(now, ENDED.name):
                connection.stats["reconnects"] += 1
            else:
                say = partial(self._say, connection, hear, stored)
                self.loop.call_at(now + self._random() * _LATENCY_S, say, context=connection.process.context)

    def _say(self, connection: "Connection", hear: Hear, stored: Stored) -> None:
        said = Msg(cast("Client", connection), subject=stored.subject, headers={**stored.headers})
        self.loop.create_task(hear(said), context=connection.process.context)

    def listen(self, connection: "Connection", hear: Hear) -> None:
        """Call out to a connection from now on."""
        self._ears.append((connection, hear))

    def _time_out(self, answer: "asyncio.Future[Any]", timeout_s: float) -> None:
        self.loop.call_later(timeout_s, _fail, answer, nats.errors.TimeoutError(), context=OUTSIDE)


def _do(effect: Callable[[], T], answer: "asyncio.Future[T]") -> None:
    try:
        result = effect()
    except nats.errors.Error as error:
        _fail(answer, error)
    else:
        if not answer.done():
            answer.set_result(result)


def _nanoseconds(at: float) -> int:
    return int(START.timestamp()) * 10**9 + int(at * 1e9)


def _fail(answer: "asyncio.Future[Any]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # whoever asked may be dead, and nobody else is to be told


class Connection:
    """A process' connection: what messages are acknowledged through."""

    def __init__(self, wire: Wire, process: Process) -> None:
        self.wire = wire
        self.process = process
        self._inbox_prefix = b"_INBOX"
        self._nuid = wire
        self.stats = {"reconnects": 0}

    async def subscribe(self, subject: str, cb: Hear) -> None:
        """Listen to what is called out."""
        assert subject in ENDED.subjects, "the program listens to more than is simulated"
        self.wire.listen(self, cb)

    async def request(
        self, subject: str, payload: bytes = b"", timeout: float = 0.5, headers: dict[str, str] | None = None
    ) -> Msg:
        """Have an acknowledgement confirmed."""
        queue, seq = self._delivered(subject)
        about = self._about(queue, seq)
        await self.wire.call(
            self.process, queue.stream.name, "acknowledges", about, lambda: queue.acknowledge(seq), timeout
        )
        return Msg(cast("Client", self))

    async def publish(
        self, subject: str, payload: bytes = b"", reply: str = "", headers: dict[str, str] | None = None
    ) -> None:
        """Say something of a message that was delivered; nobody answers."""
        queue, seq = self._delivered(subject)
        kind, _, rest = payload.partition(b" ")

        def effect() -> None:
            match kind:
                case Msg.Ack.Nak:
                    queue.hand_back(seq, float(rest.partition(b":")[2].strip(b" }") or 0) / 1e9)
                case Msg.Ack.Term:
                    queue.acknowledge(seq)
                case Msg.Ack.Progress:
                    queue.in_progress(seq)
                case _:
                    queue.acknowledge(seq)

        self.wire.call(
            self.process, queue.stream.name, payload.decode() or "+ACK", self._about(queue, seq), effect, _TIMEOUT_S
        )

    def _delivered(self, subject: str) -> tuple[Queue, int]:
        parts = subject.split(".")
        assert subject.startswith(_JS_ACK), "the program asks for more than is simulated"
        return self.wire.server.queues[parts[2], parts[3]], int(parts[5])

    def _about(self, queue: Queue, seq: int) -> str:
        stored = queue.stream.messages.get(seq) if self.wire.tell is not None else None
        return f"{queue.stream.name} {seq}" if stored is None else stored.headers.get("ce-id", stored.subject)


class Subscription:
    """A pull subscription."""

    def __init__(self, connection: Connection, queue: Queue) -> None:
        self._connection = connection
        self._queue = queue

    async def fetch(self, batch: int = 1, timeout: float = 5.0) -> list[Msg]:
        """Return what is handed out, or raise a time-out where the bus does not answer."""
        found = await self._connection.wire.pull(self._connection.process, self._queue, batch, timeout)
        stream, durable = self._queue.stream.name, self._queue.durable
        return [
            Msg(
                cast("Client", self._connection),
                subject=stored.subject,
                reply=f"{_JS_ACK}.{stream}.{durable}.{number}.{stored.seq}.{stored.seq}.{_nanoseconds(stored.at)}.0",
                data=stored.body,
                headers=dict(stored.headers),
            )
            for stored, number in found
        ]

    async def unsubscribe(self) -> None:
        """Nothing is kept for it."""


class SimulatedJetStream(JetStreamContext):
    """nats-py's JetStream over the wire: what is not overridden would fail on the connection."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(cast("Client", connection))
        self._wire = connection.wire
        self._process = connection.process
        self._connection = connection

    async def publish(
        self,
        subject: str,
        payload: bytes = b"",
        timeout: float | None = None,
        stream: str | None = None,
        headers: dict[str, Any] | None = None,
        msg_ttl: float | None = None,
    ) -> api.PubAck:
        kept = headers or {}
        name = stream_name(subject)
        seq = await self._wire.call(
            self._process,
            name,
            "publishes" if "ce-id" in kept else "writes",
            f"{subject.removeprefix('mesh.')} {kept.get('ce-id', '')}" if self._wire.tell else "",
            lambda: self._wire.server.store(subject, kept, payload),
            timeout or _TIMEOUT_S,
        )
        return api.PubAck(stream=name, seq=seq, domain=None, duplicate=None)

    async def get_msg(
        self,
        stream_name: str,
        seq: int | None = None,
        subject: str | None = None,
        direct: bool | None = False,
        next: bool | None = False,  # noqa: A002 - the name is nats-py's
    ) -> api.RawStreamMsg:
        server = self._wire.server
        wanted = subject or ""
        stored = await self._wire.call(
            self._process,
            stream_name,
            "reads",
            f"{stream_name} {wanted}" if self._wire.tell else "",
            lambda: server.following(stream_name, seq or 1, wanted) if next else server.newest(stream_name, wanted),
            _TIMEOUT_S,
        )
        return api.RawStreamMsg(
            subject=stored.subject, seq=stored.seq, data=stored.body or None, headers=stored.headers or None
        )

    async def pull_subscribe_bind(  # type: ignore[override]
        self, consumer: str, stream: str
    ) -> Subscription:
        return Subscription(self._connection, self._wire.server.queues[stream, consumer])

    async def stream_info(self, name: str, subjects_filter: str | None = None) -> api.StreamInfo:
        server = self._wire.server
        subjects, last = await self._wire.call(
            self._process,
            name,
            "lists",
            f"{name} {subjects_filter}",
            lambda: (server.subjects(name, subjects_filter) if subjects_filter else {}, server.streams[name].last),
            _TIMEOUT_S,
        )
        state = api.StreamState(messages=0, bytes=0, first_seq=0, last_seq=last, consumer_count=0, subjects=subjects)
        return api.StreamInfo(config=api.StreamConfig(name=name), state=state)

    async def purge_stream(
        self, name: str, seq: int | None = None, subject: str | None = None, keep: int | None = None
    ) -> bool:
        await self._wire.call(
            self._process,
            name,
            "purges",
            subject or "",
            lambda: self._wire.server.purge(name, subject or ""),
            _TIMEOUT_S,
        )
        return True
