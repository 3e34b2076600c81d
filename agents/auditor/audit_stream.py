"""The audit log and its checkpoints on JetStream, read in order and without acknowledgements."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from datetime import datetime

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from hybridmesh.agents.auditor.agent import Standing
from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.proofs import LogEntry, Signature, read_checkpoints
from hybridmesh.bus.topology import AUDIT, CHECKPOINTS, Stream
from hybridmesh.schemas.audits import Checkpoint

_BATCH = 500
_IDLE_S = 30.0
_WAIT_S = 1.0
_NEWEST = 32
_EMPTY_READS = 5  # so many one after another, where there ought to be entries, are no slow server any more


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

    async def read_all(self) -> AsyncGenerator[LogEntry]:
        """Yield every entry up to the one that is newest at the call."""
        standing = await self.standing()
        async for entry in self.read_between(standing.first - 1, standing.last):
            yield entry

    async def read_between(self, after: int, last: int) -> AsyncGenerator[LogEntry]:
        """Yield the entries behind ``after`` up to ``last``, as :meth:`read_batches` does, one by one."""
        async with aclosing(self.read_batches(after, last)) as batches:
            async for entries in batches:
                for entry in entries:
                    yield entry

    async def read_batches(self, after: int, last: int) -> AsyncGenerator[list[LogEntry]]:
        """Yield the entries behind ``after`` up to ``last``, which the stream has had, a few hundred at a time.

        Its end is ``last`` and not an answer without entries: a server that stands still for a while gives that too.
        What is past its retention by now is passed over.
        """
        made = (await self.standing()).made
        position, empty = after, 0
        try:
            while position < last:
                entries = await self.read(position, _WAIT_S)
                if wanted := [entry for entry in entries if entry.sequence <= last]:
                    yield wanted
                if entries:
                    position, empty = entries[-1].sequence, 0
                    continue
                empty += 1
                standing = await self.standing()
                if standing.made == made and standing.first > last:
                    return
                if standing.made != made or empty == _EMPTY_READS:
                    raise MeshUnavailable(f"stream {self._stream.name} gives nothing behind entry {position}")
        finally:
            await self.close()

    async def last_sequence(self) -> int:
        """Return the sequence of the newest entry, 0 for an empty stream."""
        return (await self.standing()).last

    async def standing(self) -> Standing:
        """Return how the stream stands."""
        try:
            info = await self._js.stream_info(self._stream.name)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise MeshUnavailable(f"no stream {self._stream.name}: {type(error).__name__}") from error
        kept_s = info.config.max_age or 0.0
        first = max(1, info.state.first_seq) if kept_s else 1
        return Standing(made=info.created, first=first, last=info.state.last_seq, kept_s=kept_s)

    async def close(self) -> None:
        """Give the consumer up; the server forgets it when it has been idle, the next read makes a new one."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with suppress(nats.errors.Error, OSError):
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

    async def standing(self) -> Standing:
        """Return how the log stands."""
        return await self._log.standing()

    async def checkpoints_made(self) -> datetime | None:
        """Return when the stream of the checkpoints was made."""
        return (await self._checkpoints.standing()).made

    async def checkpoint_over(self, size: int) -> Checkpoint | None:
        """Return the smallest checkpoint over ``size`` entries or more that has peaks and a signature that holds."""
        async with aclosing(self._checkpoints.read_all()) as entries:
            async for entry in entries:
                for checkpoint in self._signed([entry]):
                    if checkpoint.peaks and checkpoint.size >= size:
                        return checkpoint
        return None

    async def last_checkpoint(self) -> Checkpoint | None:
        """Return the largest of the newest checkpoints whose signatures hold.

        It looks back until there is one, as others can put there what is none, and what was signed is not forgotten.
        """
        standing = await self._checkpoints.standing()
        end, width = standing.last, _NEWEST
        while end >= standing.first:
            after = max(end - width, standing.first - 1)
            entries = [entry async for entry in self._checkpoints.read_between(after, end)]
            if held := self._signed(entries):
                return max(held, key=lambda checkpoint: checkpoint.size)
            end, width = after, _BATCH
        return None

    def _signed(self, entries: Sequence[LogEntry]) -> list[Checkpoint]:
        held, _ = read_checkpoints(entries, self._signature)
        return held

    async def close(self) -> None:
        """Give both consumers up."""
        await self._log.close()
        await self._checkpoints.close()


def _entry(message: Msg) -> LogEntry:
    headers = {name: str(value) for name, value in (message.headers or {}).items()}
    return LogEntry(message.metadata.sequence.stream, message.subject, headers, message.data)
