"""``audit``: read the log, prove that it is whole, and take it elsewhere."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli import proving
from hybridmesh.infra.cli.console import tell, write, write_json
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.cli.explaining import event_line
from hybridmesh.infra.cli.invocation import Invocation, command
from hybridmesh.infra.cli.names import check_known, read_task_id

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh
    from hybridmesh.bus.identity import KeyRing
    from hybridmesh.bus.proofs import LogEntry
    from hybridmesh.schemas.audits import AuditEvent

app = typer.Typer(no_args_is_help=True, help="The log of every decision, egress and spend.")
for _command in (proving.prove, proving.verifier):
    app.command()(_command)

_WAIT_S = 1.0
_NEWEST = 50


@app.command()
@command
def tail(
    call: Invocation,
    task: Annotated[str | None, typer.Option("--task", metavar="TASK", help="Only what is about one task.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[
        int | None, typer.Option("--lines", "-n", metavar="N", min=0, help="How many of the newest (default: 50).")
    ] = None,
) -> None:
    """Print audit events, a line each, oldest first; with --json an object a line."""
    from hybridmesh.infra.cli.roles import Right
    from hybridmesh.infra.cli.session import on_mesh

    task_id = None if task is None else read_task_id(task)
    if task_id is not None and lines is not None:
        raise UsageError("--lines with --task", remedy="leave one out: of a task all events are printed")
    newest = _NEWEST if lines is None else lines

    async def work(mesh: "Mesh") -> None:
        log = _whole_log(mesh, newest, follow=follow) if task_id is None else _of_task(mesh, task_id, follow=follow)
        async for event in log:
            if call.json:
                write_json(event)
            else:
                write(event_line(event))

    on_mesh(call, work, Right.LOG)


@app.command()
@command
def verify(
    call: Invocation,
    file: Annotated[Path | None, typer.Option("--file", help="Verify an export, without a mesh.")] = None,
    kept: Annotated[
        Path | None,
        typer.Option("--kept", metavar="FILE.json", help="What --json printed earlier: the log must still hold it."),
    ] = None,
) -> None:
    """Check that the log is whole: every signature, no gap, no edit, no cut tail; exits with 1 when it is not."""
    from hybridmesh.bus.identity import KeyRing
    from hybridmesh.infra.audit_check import verify_file, verify_log
    from hybridmesh.infra.cli.roles import Right
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.infra.kept_checkpoints import read_kept

    claims = [] if kept is None else read_kept(kept)
    if file is None:
        found = on_mesh(call, lambda mesh: verify_log(mesh.links.js, mesh.links.ring, claims), Right.LOG)
    else:
        found = verify_file(file, KeyRing.read(call.keys_folder), claims)
    if call.json:
        findings = [finding.model_dump(mode="json") for finding in found.findings]
        write_json(
            {
                "whole": not findings,
                "entries": found.entries,
                "begins": found.begins,
                "checkpoints": found.checkpoints,
                "covered": found.covered,
                "root": found.root,
                "findings": findings,
            }
        )
    else:
        write(f"entries      {found.entries}")
        if found.begins > 1:
            write(f"begins       at entry {found.begins}")
        write(f"checkpoints  {found.checkpoints}, the last over {found.covered} entries")
        write(f"root         {found.root or '-'}")
        for finding in found.findings:
            write(f"entry {finding.sequence}: {finding.problem}")
        tell(found.describe())
    raise typer.Exit(ExitCode.TASK_FAILED if found.findings else ExitCode.OK)


@app.command()
@command
def export(
    call: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; it gets one JSON object a line.")],
    form: Annotated[
        str, typer.Option("--format", metavar="FORM", help="bundle (which can be verified), ocsf, or cloudevents.")
    ] = "bundle",
) -> None:
    """Write the log and its checkpoints to a file that anybody with the public keys can verify.

    Or its events alone, as OCSF or CloudEvents for other systems to take in.
    """
    from hybridmesh.infra.audit_export import export_log
    from hybridmesh.infra.audit_formats import BUNDLE, FORMATS
    from hybridmesh.infra.cli.roles import Right
    from hybridmesh.infra.cli.session import on_mesh

    if file.exists():
        raise UsageError(f"{file} is there already", remedy="choose another name, or remove it first")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"there is no folder for {file}", remedy="make it first")
    check_known("form", form, (BUNDLE, *FORMATS))

    done = on_mesh(call, lambda mesh: export_log(mesh.links.js, mesh.links.ring, form, file), Right.LOG)
    if done.left_out:
        tell(f"{done.left_out} entries are left out, as they are no events of the mesh: `audit verify` names them")
    if call.json:
        write_json({"file": str(file), "entries": done.entries, "checkpoints": done.checkpoints})
    else:
        tell(f"{done.entries} entries and {done.checkpoints} checkpoints are in {file}")


async def _of_task(mesh: "Mesh", task_id: str, *, follow: bool) -> "AsyncIterator[AuditEvent]":
    """Yield a task's events from its first on, and then those that come."""
    from hybridmesh.schemas.audits import AuditEvent

    if follow:
        async for event in mesh.audit(task_id=task_id, from_start=True, tell=tell):
            yield event
    else:
        for event in await mesh.history(AuditEvent, f"*.{task_id}", tell=tell):
            yield event


async def _whole_log(mesh: "Mesh", lines: int, *, follow: bool) -> "AsyncIterator[AuditEvent]":
    """Yield the newest ``lines`` events, and then those that come."""
    from hybridmesh.agents.auditor.audit_stream import LogReader
    from hybridmesh.bus.topology import AUDIT

    reader = LogReader(mesh.links.js, AUDIT)
    last = await reader.last_sequence()

    async def entries() -> "AsyncIterator[LogEntry]":
        position = max(last - lines, 0)
        async for entry in reader.read_between(position, last):
            yield entry
        position = last
        while follow:
            for entry in await reader.read(position, _WAIT_S):
                position = entry.sequence
                yield entry

    async for entry in entries():
        event = _event_of(entry, mesh.links.ring)
        if event is not None:
            yield event
    await reader.close()


def _event_of(entry: "LogEntry", ring: "KeyRing") -> "AuditEvent | None":
    """Return an entry's event; of one that is no agent's, say so to people: it must not hide those behind it."""
    from hybridmesh.bus.audit_trust import entry_problem
    from hybridmesh.schemas.audits import AuditEvent

    problem = entry_problem(entry, ring)
    if problem is None and entry.headers.get("ce-type") == AuditEvent.event_type():
        return AuditEvent.model_validate_json(entry.body)
    tell(f"entry {entry.sequence} is passed over: {problem or 'not an audit event'}")
    return None
