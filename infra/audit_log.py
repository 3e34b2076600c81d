"""Reads the audit log and its checkpoints whole, and checks them as anybody with the ring of public keys can."""

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from nats.js import JetStreamContext
from pydantic import ValidationError

from hybridmesh.agents.auditor.audit_stream import LogReader
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.proofs import Claim, LogEntry, check_entries, read_checkpoints, signed_beginning
from hybridmesh.bus.topology import AUDIT, CHECKPOINTS
from hybridmesh.schemas.audits import AuditFinding, Checkpoint

R = TypeVar("R")

_WORTH_SPREADING = 20_000  # fewer entries are examined before another process has started
_CHUNK = 500
_BEGINNING_SIGNED_S = 15.0  # an auditor looks every ten where a log begins that does not grow
_LOOK_AGAIN_S = 0.25


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the log found; ``covered`` and ``root`` are of the largest checkpoint that is believed.

    ``begins`` is the first entry that is there, or would be: earlier ones are past their retention.
    """

    entries: int
    checkpoints: int
    covered: int
    root: str
    begins: int
    findings: tuple[AuditFinding, ...]

    def describe(self) -> str:
        """Return a line for people."""
        if self.findings:
            return f"DOES NOT HOLD: {len(self.findings)} findings in {self.entries} events"
        since = f" from entry {self.begins} on (earlier ones are past their retention)" if self.begins > 1 else ""
        tree = f"{self.checkpoints} signed checkpoints agree with the tree (the last covers {self.covered})"
        if since and not self.entries:
            gone = f"all {self.begins - 1} entries are past their retention"
            return f"whole: {gone}, nothing is there to verify before entry {self.begins}; {tree}"
        return f"whole{since}: {self.entries} events, every signature holds, {tree}"


async def verify_log(js: JetStreamContext, ring: KeyRing, kept: Sequence[Claim] = ()) -> Verification:
    """Check the whole log of a mesh; raises MeshUnavailable."""
    return verify_entries(*await read_log(js, ring), ring, kept)


async def read_log(js: JetStreamContext, ring: KeyRing) -> tuple[list[LogEntry], list[LogEntry]]:
    """Return the whole log of a mesh and its checkpoints, none of which is over more entries than were read.

    That entries have passed their retention the auditor signs a little after they are gone. So where the log begins
    further on than any checkpoint says, one that does is waited for, and the log read up to what it is over.

    Raises:
        MeshUnavailable: the bus does not answer, or not whole.

    """
    signed, log = LogReader(js, CHECKPOINTS), LogReader(js, AUDIT)
    checkpoints = [entry async for entry in signed.read_all()]
    entries = [entry async for entry in log.read_all()]
    begins = entries[0].sequence if entries else (await log.standing()).first
    said = _is_signed(begins, checkpoints, ring)
    until = time.monotonic() + _BEGINNING_SIGNED_S
    while not said and time.monotonic() < until:
        await asyncio.sleep(_LOOK_AGAIN_S)
        news = await _news(signed, checkpoints[-1].sequence if checkpoints else 0)
        checkpoints += news
        said = _is_signed(begins, news, ring)
    if begins > 1:
        entries += await _news(log, entries[-1].sequence if entries else begins - 1)
    return entries, checkpoints


def _is_signed(begins: int, checkpoints: Sequence[LogEntry], ring: KeyRing) -> bool:
    """Say whether a checkpoint says that the log begins so far on; the newest are the likeliest to."""
    return begins == 1 or any(_says(begins, entry, ring) for entry in reversed(checkpoints))


def _says(begins: int, entry: LogEntry, ring: KeyRing) -> bool:
    try:
        if Checkpoint.model_validate_json(entry.body).first < begins:
            return False  # whoever signed it
    except ValidationError:
        return False
    signed, _ = read_checkpoints([entry], partial(entry_problem, ring=ring))
    return signed_beginning(signed) >= begins


async def _news(reader: LogReader, after: int) -> list[LogEntry]:
    return [entry async for entry in reader.read_between(after, await reader.last_sequence())]


def verify_entries(
    entries: Sequence[LogEntry], checkpoints: Sequence[LogEntry], ring: KeyRing, kept: Sequence[Claim] = ()
) -> Verification:
    """Check a log, wherever it was read; ``kept`` are checkpoints that the reader wrote down earlier, and believes."""
    signature = partial(entry_problem, ring=ring)
    signed, findings = read_checkpoints(checkpoints, signature, _spread)
    believed: list[Claim] = [*signed, *kept]
    newest = max(believed, key=lambda claim: claim.size, default=None)
    findings += check_entries(entries, signed, signature, kept=kept, spread=_spread)
    return Verification(
        entries=len(entries),
        checkpoints=len(checkpoints),
        covered=newest.size if newest else 0,
        root=newest.root if newest else "",
        begins=entries[0].sequence if entries else signed_beginning(signed),
        findings=tuple(sorted(findings, key=lambda finding: finding.sequence)),
    )


def _spread(examine: Callable[[LogEntry], R], entries: Iterable[LogEntry], /) -> Iterator[R]:
    """Examine the entries of a long log on every core: nearly all of the time goes into signatures."""
    log = list(entries)
    if len(log) < _WORTH_SPREADING:
        yield from map(examine, log)
        return
    fresh = multiprocessing.get_context("spawn")  # a fork would copy the locks of other threads as they stand
    with ProcessPoolExecutor(os.cpu_count(), mp_context=fresh) as pool:
        yield from pool.map(examine, log, chunksize=_CHUNK)
