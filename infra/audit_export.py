"""Writes the audit log of a mesh into a file, as it is read."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nats.js import JetStreamContext

from hybridmesh.agents.auditor.bundle import Part
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.proofs import LogEntry
from hybridmesh.infra.audit_formats import line_of
from hybridmesh.infra.audit_log import read_log


@dataclass(frozen=True, slots=True)
class Exported:
    """How many lines were written, and how many entries are no events of the mesh, and so in no line."""

    entries: int
    checkpoints: int
    left_out: int


async def export_log(js: JetStreamContext, ring: KeyRing, form: str, file: Path) -> Exported:
    """Write a whole file, or none.

    Raises:
        MeshUnavailable: the bus does not answer, or not whole.
        SetupError: the file cannot be written.

    """
    signature = partial(entry_problem, ring=ring)
    read: Counter[Part] = Counter()
    written: Counter[Part] = Counter()
    draft = file.with_name(f".{file.name}.draft")

    def take(part: Part, entries: list[LogEntry]) -> None:
        lines = [line for entry in entries if (line := line_of(form, part, entry, signature)) is not None]
        out.writelines(f"{line}\n" for line in lines)
        read[part] += len(entries)
        written[part] += len(lines)

    try:
        with draft.open("w", encoding="utf-8") as out:
            await read_log(js, ring, take)
        draft.replace(file)
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}", remedy="choose another place") from None
    finally:
        draft.unlink(missing_ok=True)
    return Exported(written["log"], written["checkpoints"], read["log"] - written["log"])
