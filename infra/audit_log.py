"""Reads the whole audit log of a mesh and its checkpoints, a handful at a time."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from nats.js import JetStreamContext
from pydantic import ValidationError

from hybridmesh.agents.auditor.audit_stream import LogReader
from hybridmesh.agents.auditor.bundle import Part
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.proofs import LogEntry, read_checkpoints, signed_beginning
from hybridmesh.bus.topology import AUDIT, CHECKPOINTS
from hybridmesh.schemas.audits import Checkpoint

_BEGINNING_SIGNED_S = 15.0  # an auditor looks every ten where a log begins that does not grow
_LOOK_AGAIN_S = 0.25
_BATCH = 500
_NEWEST = 500  # checkpoints, of which one is the likeliest to say where the log begins

Take = Callable[[Part, list[LogEntry]], None]
"""Is given what was read, in the order of each part; it may take its time."""


async def read_log(js: JetStreamContext, ring: KeyRing, take: Take) -> None:
    """Read the log and its checkpoints, none of which is over more entries than are read.

    That entries have passed their retention the auditor signs a little after they are gone. So where the log begins
    further on than any checkpoint says, one that does is waited for, and the log read up to what it is over.

    Raises:
        MeshUnavailable: the bus does not answer, or not whole.

    """
    signed, log = _Passing(js, "checkpoints", take), _Passing(js, "log", take)
    await signed.read()
    await log.read()
    begins = log.first or (await log.reader.standing()).first
    said = _is_signed(begins, signed.newest, ring)
    until = time.monotonic() + _BEGINNING_SIGNED_S
    while not said and time.monotonic() < until:
        await asyncio.sleep(_LOOK_AGAIN_S)
        await signed.read()
        said = _is_signed(begins, signed.newest, ring)
    if begins > 1:
        log.last = log.last or begins - 1
        await log.read()


def pass_on(lines: Iterable[tuple[Part, LogEntry]], take: Take) -> None:
    """Give on the lines of an export as they are read."""
    waiting: dict[Part, list[LogEntry]] = {"checkpoints": [], "log": []}
    for part, entry in lines:
        waiting[part].append(entry)
        if len(waiting[part]) == _BATCH:
            take(part, waiting[part])
            waiting[part] = []
    for part, rest in waiting.items():
        take(part, rest)


class _Passing:
    """One of the two streams: where it begins, what was read of it last, and the newest of that."""

    def __init__(self, js: JetStreamContext, part: Part, take: Take) -> None:
        self.reader = LogReader(js, AUDIT if part == "log" else CHECKPOINTS)
        self.first = self.last = 0
        self.newest: deque[LogEntry] = deque(maxlen=_NEWEST)
        self._part: Part = part
        self._take = take

    async def read(self) -> None:
        """Read on, to what is newest by now."""
        standing = await self.reader.standing()
        async for entries in self.reader.read_batches(max(self.last, standing.first - 1), standing.last):
            self.first = self.first or entries[0].sequence
            self.last = entries[-1].sequence
            self.newest.extend(entries)
            await asyncio.to_thread(self._take, self._part, entries)


def _is_signed(begins: int, checkpoints: Iterable[LogEntry], ring: KeyRing) -> bool:
    """Say whether one of these checkpoints says that the log begins so far on; the last are the likeliest to."""
    return begins == 1 or any(_says(begins, entry, ring) for entry in reversed([*checkpoints]))


def _says(begins: int, entry: LogEntry, ring: KeyRing) -> bool:
    try:
        if Checkpoint.model_validate_json(entry.body).first < begins:
            return False  # whoever signed it
    except ValidationError:
        return False
    signed, _ = read_checkpoints([entry], partial(entry_problem, ring=ring))
    return signed_beginning(signed) >= begins
