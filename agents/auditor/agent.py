"""The auditor: consumes the AUDIT stream in order, publishes audit.checkpoint, needs nothing but its own name.

A checkpoint is at most about a second behind the log, and at most two are signed a second. Any number of auditors may
run: the same log gives the same roots, and the stream keeps one checkpoint a size.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import NoReturn, Protocol

from hybridmesh.bus.agent import Agent, Clock
from hybridmesh.bus.errors import MeshBusy, PermanentError, TransientError
from hybridmesh.bus.merkle import Frontier
from hybridmesh.bus.proofs import LogEntry, entry_leaf, tree_of
from hybridmesh.schemas.audits import Action, AuditEvent, Checkpoint
from hybridmesh.schemas.message import Message

logger = logging.getLogger("hybridmesh")

_DAY_S = 86_400.0
_LOOK_INTERVALS = 20  # between two looks at where a log begins that does not grow


class AuditStream(Protocol):
    """The log as the auditor reads it; every call raises MeshUnavailable when the bus does not answer."""

    async def read(self, after: int, wait_s: float) -> Sequence[LogEntry]:
        """Return entries that follow sequence ``after``, in order; waits up to ``wait_s`` for the first."""
        ...

    async def last_sequence(self) -> int:
        """Return the sequence of the newest entry, 0 for an empty log."""
        ...

    async def beginning(self) -> tuple[int, float]:
        """Return the sequence of the first entry, and the seconds that entries are kept; 1 and 0 where for ever."""
        ...

    async def last_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint whose signature holds."""
        ...

    async def checkpoint_over(self, size: int) -> Checkpoint | None:
        """Return the smallest checkpoint over ``size`` entries or more that has peaks and a signature that holds."""
        ...


class Auditor:
    """Builds the tree from the first entry at each start, and signs no root that breaks with an earlier one.

    Where entries have passed their retention it goes on from the first checkpoint that covers those.
    """

    def __init__(
        self,
        stream: AuditStream,
        publish: Callable[[Message], Awaitable[None]],
        clock: Clock,
        *,
        interval_s: float = 0.5,
    ) -> None:
        self._stream = stream
        self._publish = publish
        self._clock = clock
        self._interval_s = interval_s
        self._tree = Frontier()
        self._signed: Checkpoint | None = None
        self._started = False
        self._first = 1
        self._broken: tuple[str, int] | None = None

    def agent(self) -> Agent:
        """Return the agent, wired."""
        return Agent("auditor", watches=(self.follow,))

    async def follow(self) -> None:
        """Read and sign for as long as the agent lives.

        Raises:
            PermanentError: the log has a hole, or is not the one that was signed before; an audit event says so.

        """
        due = look = 0.0
        now = asyncio.get_running_loop().time
        while True:
            try:
                if self._broken:
                    await self._fail(*self._broken)
                if not self._started:
                    await self._start()
                await self._read(max(due - now(), 0.05) if self._behind() else self._interval_s)
                if self._behind() and now() >= due:
                    due = now() + self._interval_s
                    await self._sign()
                elif self._signed and now() >= look:
                    look = now() + _LOOK_INTERVALS * self._interval_s
                    if await self._begin() is not None:  # also of a log that does not grow, it is to be known
                        await self._sign()
            except (TransientError, MeshBusy) as error:
                logger.warning("auditor waits: %s", error.reason)
                await asyncio.sleep(self._interval_s)

    def _behind(self) -> bool:
        return self._tree.size > (self._signed.size if self._signed else 0)

    async def _start(self) -> None:
        self._signed = await self._stream.last_checkpoint()
        if self._signed and await self._stream.last_sequence() < self._signed.size:
            await self._fail("tail-cut", self._signed.size)
        base = await self._begin()
        if base is not None:
            self._tree = base
        self._started = True

    async def _begin(self) -> Frontier | None:
        """Note where the log begins; return the tree to go on from if that has moved.

        Entries are gone by right only if they are as old as the retention says. How old they were tells the first
        checkpoint over them, which was signed about a second later.
        """
        first, kept_s = await self._stream.beginning()
        if first <= self._first:
            return None
        base = await self._stream.checkpoint_over(first - 1)
        tree = None if base is None else tree_of(base)
        slack_s = min(kept_s / 10, _DAY_S)
        if base is None or tree is None or base.at > self._clock() - timedelta(seconds=kept_s - slack_s):
            await self._fail("gap", self._first)
        self._first = first
        return tree

    async def _read(self, wait_s: float) -> None:
        for entry in await self._stream.read(self._tree.size, wait_s):
            if entry.sequence != self._tree.size + 1:
                await self._fail("gap", self._tree.size + 1)
            self._tree.append(entry_leaf(entry))
            if self._signed and self._tree.size == self._signed.size and self._tree.root().hex() != self._signed.root:
                await self._fail("rewritten", self._signed.size)

    async def _sign(self) -> None:
        await self._begin()
        checkpoint = Checkpoint(
            size=self._tree.size,
            root=self._tree.root().hex(),
            at=self._clock(),
            peaks=tuple(peak.hex() for peak in self._tree.peaks),
            first=self._first,
        )
        await self._publish(checkpoint)
        self._signed = checkpoint

    async def _fail(self, problem: str, sequence: int) -> NoReturn:
        """Tell everybody, once a place, and stop: a checkpoint after this would vouch for a broken log."""
        self._broken = (problem, sequence)
        event = AuditEvent(
            agent="auditor",
            action=Action.MESSAGE_REFUSED,
            at=self._clock(),
            nonce=f"{problem}-{sequence}",
            facts={"reason": f"audit-{problem}", "sequence": sequence},
        )
        await self._publish(event)
        raise PermanentError(f"the audit log is broken at entry {sequence}", reason=f"audit-{problem}")
