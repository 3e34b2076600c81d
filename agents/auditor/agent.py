"""The auditor: consumes the AUDIT stream in order, publishes audit.checkpoint, needs nothing but its own name.

A checkpoint is at most about a second behind the log, and at most two are signed a second. Any number of auditors may
run: the same log gives the same roots, and the stream keeps one checkpoint a size.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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


@dataclass(frozen=True, slots=True)
class Standing:
    """How a log stands: when its stream was made, its ends, and the seconds that entries are kept, 0 for ever.

    ``first`` is 1 where they are kept for ever, and ``last`` is 0 where there were none yet.
    """

    made: datetime | None
    first: int
    last: int
    kept_s: float


class AuditStream(Protocol):
    """The log as the auditor reads it; every call raises MeshUnavailable when the bus does not answer."""

    async def read(self, after: int, wait_s: float) -> Sequence[LogEntry]:
        """Return entries that follow sequence ``after``, in order; waits up to ``wait_s`` for the first."""
        ...

    async def standing(self) -> Standing:
        """Return how the log stands."""
        ...

    async def checkpoints_made(self) -> datetime | None:
        """Return when the stream of the checkpoints was made."""
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
        self._made: datetime | None = None
        self._checkpoints_made: datetime | None = None
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
                came = await self._read(max(due - now(), 0.05) if self._behind() else self._interval_s)
                is_due = now() >= due if self._behind() else self._signed is not None and now() >= look
                if came and not is_due:
                    continue
                standing = await self._stream.standing()
                if not self._is_of(standing):
                    await self._start_again(standing)
                elif self._behind() and is_due:
                    due = now() + self._interval_s
                    await self._begin(standing)
                    await self._sign()
                elif is_due:
                    look = now() + _LOOK_INTERVALS * self._interval_s
                    await self._begin(standing)  # of a log that does not grow it is to be known as well, and signed
            except (TransientError, MeshBusy) as error:
                logger.warning("auditor waits: %s", error.reason)
                await asyncio.sleep(self._interval_s)

    def _behind(self) -> bool:
        """Say whether there is more to sign for: entries, or that the log begins later than was signed last."""
        size, first = (self._signed.size, self._signed.first) if self._signed else (0, 1)
        return self._tree.size > size or (self._first > first and self._tree.size == size)

    async def _start(self) -> None:
        self._checkpoints_made = await self._stream.checkpoints_made()
        self._signed = await self._stream.last_checkpoint()
        standing = await self._stream.standing()
        if self._signed and standing.last < self._signed.size:
            await self._fail("tail-cut", self._signed.size)
        base = await self._begin(standing)
        if base is not None:
            self._tree = base
        self._made = standing.made
        self._started = True

    def _is_of(self, standing: Standing) -> bool:
        """Say whether the log is still the one that the tree is of: neither made anew nor shorter than it was."""
        return standing.made == self._made and standing.last >= self._tree.size

    async def _start_again(self, standing: Standing) -> None:
        """Read anew, unless the checkpoints are those of before and say that there was more."""
        is_cut = self._signed is not None and (standing.made != self._made or standing.last < self._signed.size)
        if self._signed and is_cut and await self._stream.checkpoints_made() == self._checkpoints_made:
            await self._fail("tail-cut", self._signed.size)
        logger.warning("auditor: the log is not the one that was read; it is read anew")
        self._tree, self._signed, self._first, self._started = Frontier(), None, 1, False

    async def _begin(self, standing: Standing) -> Frontier | None:
        """Note where the log begins; return the tree to go on from if that has moved.

        Entries are gone by right only if they are as old as the retention says. How old they were tells the first
        checkpoint over them, which was signed about a second later.
        """
        first, kept_s = standing.first, standing.kept_s
        if first <= self._first:
            return None
        base = await self._stream.checkpoint_over(first - 1)
        tree = None if base is None else tree_of(base)
        slack_s = min(kept_s / 10, _DAY_S)
        if base is None or tree is None or base.at > self._clock() - timedelta(seconds=kept_s - slack_s):
            await self._fail("gap", self._first)
        self._first = first
        return tree

    async def _read(self, wait_s: float) -> bool:
        """Let the tree grow by what came; say whether anything did."""
        entries = await self._stream.read(self._tree.size, wait_s)
        for entry in entries:
            if entry.sequence != self._tree.size + 1:
                await self._fail("gap", self._tree.size + 1)
            self._tree.append(entry_leaf(entry))
            if self._signed and self._tree.size == self._signed.size and self._tree.root().hex() != self._signed.root:
                await self._fail("rewritten", self._signed.size)
        return bool(entries)

    async def _sign(self) -> None:
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
