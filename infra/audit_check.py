"""Checks an audit log, of a mesh or of an export, however long it is; on every core once it is long."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from nats.js import JetStreamContext

from hybridmesh.agents.auditor.bundle import Part, read_file
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.log_check import LogCheck, examine, examine_checkpoints
from hybridmesh.bus.proofs import Claim, LogEntry, Signature
from hybridmesh.infra.audit_log import pass_on, read_log
from hybridmesh.schemas.audits import AuditFinding

R = TypeVar("R")

_WORTH_SPREADING = 5_000  # fewer entries are examined before another process has started
_AHEAD = 4  # batches for each core that wait to be examined, or to be taken in


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
    with _Examination(ring) as examination:
        await read_log(js, ring, examination.take)
        return examination.result(kept)


def verify_file(file: Path, ring: KeyRing, kept: Sequence[Claim] = ()) -> Verification:
    """Check an export; raises UsageError where it is none."""
    found = _verify(read_file(file), ring, kept)
    if not (found.entries or found.checkpoints or kept):
        raise UsageError(f"{file} is empty", remedy="export the log again")
    return found


def verify_entries(
    entries: Iterable[LogEntry], checkpoints: Iterable[LogEntry], ring: KeyRing, kept: Sequence[Claim] = ()
) -> Verification:
    """Check a log, wherever it was read; ``kept`` are checkpoints that the reader wrote down earlier, and believes."""
    parts: list[tuple[Part, Iterable[LogEntry]]] = [("checkpoints", checkpoints), ("log", entries)]
    return _verify(((part, entry) for part, group in parts for entry in group), ring, kept)


def _verify(lines: Iterable[tuple[Part, LogEntry]], ring: KeyRing, kept: Sequence[Claim]) -> Verification:
    with _Examination(ring) as examination:
        pass_on(lines, examination.take)
        return examination.result(kept)


class _Examination:
    """Nearly all of the time goes into signatures: of a long log they are checked in processes of their own."""

    def __init__(self, ring: KeyRing) -> None:
        self._check = LogCheck()
        self._signature = partial(entry_problem, ring=ring)
        self._taken = 0
        self._cores = os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None
        self._waiting: deque[Callable[[], None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def take(self, part: Part, entries: list[LogEntry]) -> None:
        """Take what was read next of a part."""
        self._taken += len(entries)
        if part == "log":
            self._have(examine, entries, self._check.add)
        else:
            self._have(examine_checkpoints, entries, self._check.add_checkpoints)

    def _have(
        self,
        examined: Callable[[list[LogEntry], Signature], list[R]],
        entries: list[LogEntry],
        add: Callable[[list[R]], None],
    ) -> None:
        if self._taken <= _WORTH_SPREADING:
            add(examined(entries, self._signature))
            return
        if self._pool is None:
            fresh = multiprocessing.get_context("spawn")  # a fork would copy the locks of other threads as they stand
            self._pool = ProcessPoolExecutor(self._cores, mp_context=fresh)
        future = self._pool.submit(examined, entries, self._signature)
        self._waiting.append(lambda: add(future.result()))
        self._take_in(_AHEAD * self._cores)

    def _take_in(self, left: int) -> None:
        while len(self._waiting) > left:
            self._waiting.popleft()()

    def result(self, kept: Sequence[Claim]) -> Verification:
        """Say what was found in all that was taken."""
        self._take_in(0)
        check = self._check
        newest = max([*check.signed, *kept], key=lambda claim: claim.size, default=None)
        return Verification(
            entries=check.entries,
            checkpoints=check.checkpoints,
            covered=newest.size if newest else 0,
            root=newest.root if newest else "",
            begins=check.begins,
            findings=tuple(check.findings(kept)),
        )
