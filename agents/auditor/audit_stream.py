"""The audit log and its checkpoints on JetStream, read in order and without acknowledgements."""

import contextlib
from collections.abc import AsyncIterator, Sequence

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.proofs import LogEntry, Signature, read_checkpoints
from hybridmesh.bus.topology import AUDIT, CHECKPOINTS, Stream
from hybridmesh.schemas.audits import Checkpoint

_BATCH = 500
_IDLE_S = 30.0
_WAIT_S = 1.0
_NEWEST = 32


class LogReader:
    """Reads one stream from any sequence on; every call raises MeshUnavailable when the bus does not answer.

    It pulls through an ephemeral consumer of its own. Where that is gone (the server was restarted) or an entry
    was lost on the way, a new one starts after the last entry read. nats-py's own ordered consumer pushes: a long
    rebuild would overrun its buffer, and it hears of a lost consumer only after two missed heartbeats.
    """

    def __init__(self, js: JetStreamContext, stream: Stream) -> None:
        self._js = js
        self._stream = stream
        self._subscription: JetStreamContext.PullSubscription | None = None
        self._position = 0

    async def read(self, after: int, wait_s: float) -> Sequence[LogEntry]:
        """Return entries that follow ``after``, in order; waits up to ``wait_s`` for the first.

        A hole between ``after`` and the first entry is a hole in the stream; there is none between the entries.
        """
        try:
            entries = await self._fetch(after, wait_s)
            if entries and entries[0].sequence != after + 1:
                await self.close()
                entries = await self._fetch(after, wait_s)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            await self.close()
            raise MeshUnavailable(f"stream {self._stream.name} cannot be read: {type(error).__name__}") from error
        return entries

    async def read_all(self) -> AsyncIterator[LogEntry]:
        """Yield every entry up to the one that is newest at the call."""
        last, position = await self.last_sequence(), (await self.beginning())[0] - 1
        while position < last:
            entries = await self.read(position, _WAIT_S)
            if not entries:
                break
            for entry in entries:
                yield entry
            position = entries[-1].sequence
        await self.close()

    async def last_sequence(self) -> int:
        """Return the sequence of the newest entry, 0 for an empty stream."""
        try:
            info = await self._js.stream_info(self._stream.name)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise MeshUnavailable(f"no stream {self._stream.name}: {type(error).__name__}") from error
        return info.state.last_seq

    async def beginning(self) -> tuple[int, float]:
        """Return the sequence of the first entry, and the seconds that entries are kept; 1 and 0 where for ever."""
        try:
            info = await self._js.stream_info(self._stream.name)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise MeshUnavailable(f"no stream {self._stream.name}: {type(error).__name__}") from error
        kept_s = info.config.max_age or 0.0
        return (max(1, info.state.first_seq), kept_s) if kept_s else (1, 0.0)

    async def close(self) -> None:
        """Give the consumer up; the server forgets it when it has been idle, the next read makes a new one."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()

    async def _fetch(self, after: int, wait_s: float) -> list[LogEntry]:
        subscription = self._subscription
        if subscription is None or self._position != after:
            await self.close()
            subscription = self._subscription = await self._subscribe(after)
        try:
            messages = await subscription.fetch(_BATCH, timeout=wait_s)
        except TimeoutError:
            messages = []
        if not messages:
            # An empty log and a lost consumer look the same so far.
            try:
                await subscription.consumer_info()
            except NotFoundError:
                await self.close()
            return []
        entries = [_entry(message) for message in messages]
        whole = [entry for place, entry in enumerate(entries) if entry.sequence == entries[0].sequence + place]
        self._position = whole[-1].sequence if len(whole) == len(entries) else -1
        return whole

    async def _subscribe(self, after: int) -> JetStreamContext.PullSubscription:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=_IDLE_S,
        )
        return await self._js.pull_subscribe(self._stream.subjects[0], stream=self._stream.name, config=config)


class JetStreamAuditStream:
    """The auditor's view of the two streams; ``signature`` tells its own checkpoints from forged ones."""

    def __init__(self, js: JetStreamContext, signature: Signature) -> None:
        self._log = LogReader(js, AUDIT)
        self._checkpoints = LogReader(js, CHECKPOINTS)
        self._signature = signature

    async def read(self, after: int, wait_s: float) -> Sequence[LogEntry]:
        """Return entries that follow ``after``."""
        return await self._log.read(after, wait_s)

    async def last_sequence(self) -> int:
        """Return the sequence of the newest entry."""
        return await self._log.last_sequence()

    async def beginning(self) -> tuple[int, float]:
        """Return the sequence of the first entry, and the seconds that entries are kept; 1 and 0 where for ever."""
        return await self._log.beginning()

    async def checkpoint_over(self, size: int) -> Checkpoint | None:
        """Return the smallest checkpoint over ``size`` entries or more that has peaks and a signature that holds."""
        first, _ = await self._checkpoints.beginning()
        position, last = first - 1, await self._checkpoints.last_sequence()
        while position < last:
            entries = await self._checkpoints.read(position, _WAIT_S)
            if not entries:
                break
            held, _ = read_checkpoints(entries, self._signature)
            for checkpoint in held:
                if checkpoint.peaks and checkpoint.size >= size:
                    await self._checkpoints.close()
                    return checkpoint
            position = entries[-1].sequence
        await self._checkpoints.close()
        return None

    async def last_checkpoint(self) -> Checkpoint | None:
        """Return the largest of the newest checkpoints whose signatures hold."""
        last = await self._checkpoints.last_sequence()
        if last == 0:
            return None
        entries = await self._checkpoints.read(max(last - _NEWEST, 0), _WAIT_S)
        await self._checkpoints.close()
        held, _ = read_checkpoints(entries, self._signature)
        return max(held, key=lambda checkpoint: checkpoint.size, default=None)

    async def close(self) -> None:
        """Give both consumers up."""
        await self._log.close()
        await self._checkpoints.close()


def _entry(message: Msg) -> LogEntry:
    headers = {name: str(value) for name, value in (message.headers or {}).items()}
    return LogEntry(message.metadata.sequence.stream, message.subject, headers, message.data)
