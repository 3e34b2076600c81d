"""The server's side of the simulated bus: streams, queues and their rules, as JetStream was seen to keep them.

Everything here happens at once; when it happens, and whether the asker hears of it, is decided in ``bus.py``.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from nats.js import api
from nats.js.errors import BadRequestError, NotFoundError, ServiceUnavailableError

from hybridmesh.bus.provisioner import DUPLICATE_WINDOW_S
from hybridmesh.bus.topology import BODIES_STREAM, RESULTS, Bucket, bucket_stream, bucket_subject, consumers, streams

_FULL, _WRONG_LAST, _NO_MESSAGE = 10077, 10071, 10037
_EXPECTED = str(api.Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value)
_ID = "Nats-Msg-Id"


@dataclass(slots=True)
class Stored:
    """A message in a stream."""

    subject: str
    headers: dict[str, str]
    body: bytes
    seq: int
    at: float


@dataclass(slots=True)
class StreamState:
    """A stream; ``limit`` is how many messages it takes, None for any number."""

    name: str
    latest_only: bool
    limit: int | None
    work: bool
    messages: dict[int, Stored] = field(default_factory=dict[int, Stored])
    newest: dict[str, int] = field(default_factory=dict[str, int])
    ids: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])
    last: int = 0

    def drop(self, seq: int) -> Stored | None:
        """Remove a message."""
        gone = self.messages.pop(seq, None)
        if gone is not None and self.newest.get(gone.subject) == seq:
            left = [stored.seq for stored in self.messages.values() if stored.subject == gone.subject]
            if left:
                self.newest[gone.subject] = max(left)
            else:
                del self.newest[gone.subject]
        return gone


@dataclass(slots=True)
class Delivery:
    """A message that somebody has in hand, or that waits to be handed out again."""

    number: int
    until: float


@dataclass(slots=True, eq=False)
class Pull:
    """A fetch that waits for messages."""

    batch: int
    give: Callable[[list[tuple[Stored, int]]], None]
    open: bool = True


class Queue:
    """A durable pull consumer of a work queue, or of those of its messages that ``pattern`` matches."""

    def __init__(
        self, server: "Server", stream: StreamState, durable: str, ack_wait_s: float, pattern: str | None
    ) -> None:
        self.stream = stream
        self.pattern = pattern
        self.durable = durable
        self.ack_wait_s = ack_wait_s
        self.waiting: deque[int] = deque()
        self.pulls: deque[Pull] = deque()
        self.out: dict[int, Delivery] = {}
        self._tries: dict[int, int] = {}
        self._server = server

    def offer(self, seq: int) -> None:
        """Take a message in, to be handed out."""
        self.waiting.append(seq)
        self.serve()

    def pull(self, pull: Pull) -> None:
        """Answer a fetch once there is something."""
        self.pulls.append(pull)
        self.serve()

    def serve(self) -> None:
        """Hand out what waits to who waits."""
        while self.waiting and self.pulls:
            pull = self.pulls.popleft()
            if not pull.open:
                continue
            batch: list[tuple[Stored, int]] = []
            while self.waiting and len(batch) < pull.batch:
                place = self._server.choose(len(self.waiting))
                seq = self.waiting[place]
                del self.waiting[place]
                stored = self.stream.messages.get(seq)
                if stored is not None and seq not in self.out:
                    batch.append((stored, self._hand_out(seq)))
            if batch:
                pull.open = False
                pull.give(batch)
            else:
                self.pulls.appendleft(pull)

    def _hand_out(self, seq: int) -> int:
        number = self._tries.get(seq, 0) + 1
        self._tries[seq] = number
        delivery = Delivery(number, self._server.now() + self.ack_wait_s)
        self.out[seq] = delivery
        self._server.later(delivery.until, lambda: self._look(seq, delivery))
        return number

    def _look(self, seq: int, delivery: Delivery) -> None:
        """Hand a message out again when its time is over; somebody may have asked for more of it."""
        if self.out.get(seq) is not delivery:
            return
        if delivery.until > self._server.now():
            self._server.later(delivery.until, lambda: self._look(seq, delivery))
            return
        del self.out[seq]
        self.offer(seq)

    def acknowledge(self, seq: int) -> None:
        """Forget a message for good, whoever says so and however late: JetStream goes by the sequence."""
        if self.out.pop(seq, None) is not None:
            self.stream.drop(seq)

    def hand_back(self, seq: int, delay_s: float) -> None:
        """Hand a message out again after a while."""
        if seq in self.out:
            self.out[seq] = delivery = Delivery(self.out[seq].number, self._server.now() + delay_s)
            self._look(seq, delivery)

    def in_progress(self, seq: int) -> None:
        """Give whoever has a message in hand more time."""
        if seq in self.out:
            self.out[seq].until = self._server.now() + self.ack_wait_s


class Server:
    """All streams and queues of the topology.

    ``choose`` picks one of so many waiting messages: 0 is the order of arrival. ``on_stored`` hears of each message
    that was stored.
    """

    def __init__(
        self,
        now: Callable[[], float],
        later: Callable[[float, Callable[[], None]], None],
        choose: Callable[[int], int],
        *,
        ack_wait_s: float,
    ) -> None:
        self.now = now
        self.later = later
        self.choose = choose
        self.on_stored: list[Callable[[StreamState, Stored], None]] = []
        self.streams = {
            stream.name: StreamState(
                stream.name,
                latest_only=False,
                limit=stream.max_messages if stream.max_messages > 0 else None,
                work=stream.retention == "work",
            )
            for stream in streams()
        }
        for bucket in Bucket:
            name = bucket_stream(bucket)
            self.streams[name] = StreamState(name, latest_only=True, limit=None, work=False)
        self.streams[BODIES_STREAM] = StreamState(BODIES_STREAM, latest_only=True, limit=None, work=False)
        self.queues = {
            (consumer.stream, consumer.durable): Queue(
                self, self.streams[consumer.stream], consumer.durable, ack_wait_s, consumer.filter
            )
            for consumer in consumers()
        }
        self._queues_of: dict[str, list[Queue]] = {}
        for queue in self.queues.values():
            self._queues_of.setdefault(queue.stream.name, []).append(queue)

    def store(self, subject: str, headers: dict[str, str], body: bytes) -> int:
        """Store a message, and return its sequence.

        Raises:
            APIError: the stream is full, or the expected last sequence is another.

        """
        stream = self.streams[stream_name(subject)]
        message_id = headers.get(_ID)
        if message_id is not None:
            known = stream.ids.get(message_id)
            if known is not None and self.now() - known[0] < DUPLICATE_WINDOW_S:
                return known[1]
        expected = headers.get(_EXPECTED)
        if expected is not None and stream.newest.get(subject, 0) != int(expected):
            raise BadRequestError(code=400, err_code=_WRONG_LAST, description="wrong last sequence")
        if stream.limit is not None and len(stream.messages) >= stream.limit:
            raise ServiceUnavailableError(code=503, err_code=_FULL, description="maximum messages exceeded")
        return self._keep(stream, subject, headers, body)

    def _keep(self, stream: StreamState, subject: str, headers: dict[str, str], body: bytes) -> int:
        stream.last += 1
        stored = Stored(subject, headers, body, stream.last, self.now())
        if stream.latest_only and subject in stream.newest and not is_chunk(subject):
            stream.messages.pop(stream.newest[subject], None)
        stream.messages[stored.seq] = stored
        stream.newest[subject] = stored.seq
        if (message_id := headers.get(_ID)) is not None:
            stream.ids[message_id] = (stored.at, stored.seq)
        for hear in self.on_stored:
            hear(stream, stored)
        if stream.name == RESULTS.name and RESULTS.announced is not None:
            source, told = (pattern.removesuffix(">") for pattern in RESULTS.announced)
            self.store(told + subject.removeprefix(source), {**headers}, b"")
        for queue in self._queues_of.get(stream.name, ()):
            if queue.pattern is None or _matches(queue.pattern, subject):
                queue.offer(stored.seq)
        return stored.seq

    def newest(self, name: str, subject: str) -> Stored:
        """Return the last message of a subject, which may have stars; raises NotFoundError."""
        stream = self.streams[name]
        if "*" not in subject:
            seq = stream.newest.get(subject)
            if seq is not None:
                return stream.messages[seq]
        else:
            for stored in reversed(stream.messages.values()):
                if _matches(subject, stored.subject):
                    return stored
        raise NotFoundError(code=404, err_code=_NO_MESSAGE, description="no message found")

    def following(self, name: str, seq: int, subject: str) -> Stored:
        """Return the first message of a subject from a sequence on; raises NotFoundError."""
        for stored in self.streams[name].messages.values():
            if stored.seq >= seq and _matches(subject, stored.subject):
                return stored
        raise NotFoundError(code=404, err_code=_NO_MESSAGE, description="no message found")

    def subjects(self, name: str, pattern: str) -> dict[str, int]:
        """Return the subjects that a stream holds, with how many messages each has."""
        return {subject: 1 for subject in self.streams[name].newest if _matches(pattern, subject)}

    def purge(self, name: str, subject: str) -> None:
        """Remove all messages of a subject."""
        stream = self.streams[name]
        for seq in [stored.seq for stored in stream.messages.values() if stored.subject == subject]:
            stream.drop(seq)

    def vanish(self, name: str, seq: int) -> None:
        """Lose a stored message, as a damaged disk would."""
        self.streams[name].drop(seq)

    def messages(self, name: str) -> Iterator[Stored]:
        """Yield what a stream holds, in order."""
        yield from self.streams[name].messages.values()


def is_chunk(subject: str) -> bool:
    """Say whether a subject is that of pieces of a body: each is kept."""
    return subject.startswith("$O.") and ".C." in subject


_PREFIXES: dict[str, str] = {}
_LANES: dict[str, str] = {}
for _stream in streams():
    for _subject in _stream.subjects:
        if ".*." in _subject:
            _LANES[_subject.partition(".*.")[0]] = _stream.name
            continue
        _PREFIXES[".".join(_subject.removesuffix(".>").split(".")[:3])] = _stream.name
for _bucket in Bucket:
    _PREFIXES[bucket_subject(_bucket, "").removesuffix(".")] = bucket_stream(_bucket)


def stream_name(subject: str) -> str:
    """Return which stream keeps a subject; raises KeyError."""
    first, second, *rest = subject.split(".", 3)
    two = f"{first}.{second}"
    found = _PREFIXES.get(two)
    if found is not None:
        return found
    if first == "$O":
        return BODIES_STREAM
    kind = f"{two}.{rest[0]}"
    return _LANES[kind] if kind in _LANES and "." in rest[1] else _PREFIXES[kind]


def _matches(pattern: str, subject: str) -> bool:
    if pattern == subject:
        return True
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, given = wanted[:-1], given[: len(wanted) - 1]
    return len(wanted) == len(given) and all(a in ("*", b) for a, b in zip(wanted, given, strict=True))
