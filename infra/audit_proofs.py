"""Reads an audit log, of a mesh or of an export, for the proofs that can be made of it."""

from functools import partial
from pathlib import Path

from nats.js import JetStreamContext

from hybridmesh.agents.auditor.audit_stream import LogReader
from hybridmesh.agents.auditor.bundle import Part, read_file
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.log_proofs import LogSeal, SealedLog
from hybridmesh.bus.proofs import LogEntry
from hybridmesh.bus.topology import CHECKPOINTS
from hybridmesh.infra.audit_log import pass_on, read_log


async def sealed_log(js: JetStreamContext, ring: KeyRing, task_id: str | None) -> SealedLog:
    """Return what can be proved of a mesh's log, about one task or none.

    Raises:
        MeshUnavailable: the bus does not answer, or not whole.
        UsageError: nothing can be proved of it.

    """
    reading = _Reading(ring, task_id)
    await read_log(js, ring, reading.take)
    if reading.seal.falls_short():
        checkpoints = LogReader(js, CHECKPOINTS)
        async for entries in checkpoints.read_batches(0, await checkpoints.last_sequence()):
            reading.seal.add_checkpoints(entries)
    return reading.seal.sealed()


def sealed_file(file: Path, ring: KeyRing, task_id: str | None) -> SealedLog:
    """Return the same of an export; raises UsageError."""
    reading = _Reading(ring, task_id)
    pass_on(read_file(file), reading.take)
    if reading.seal.falls_short():
        pass_on(read_file(file), reading.take_checkpoints)
    return reading.seal.sealed()


class _Reading:
    def __init__(self, ring: KeyRing, task_id: str | None) -> None:
        self.seal = LogSeal(partial(entry_problem, ring=ring), task_id)

    def take(self, part: Part, entries: list[LogEntry]) -> None:
        if part == "log":
            self.seal.add(entries)
        else:
            self.seal.add_checkpoints(entries)

    def take_checkpoints(self, part: Part, entries: list[LogEntry]) -> None:
        if part == "checkpoints":
            self.seal.add_checkpoints(entries)
