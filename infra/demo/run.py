"""Runs the demo: a mesh of its own, every ticket through it, and a report of what happened."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hybridmesh.bus import Mesh, connect
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.audit_check import Verification, verify_log
from hybridmesh.infra.cli.console import people
from hybridmesh.infra.demo.memory_use import MemoryWatch
from hybridmesh.infra.demo.outcome import Outcome, judge_privacy, outcome_of
from hybridmesh.infra.demo.report import open_report, write_report
from hybridmesh.infra.demo.summary import Summary
from hybridmesh.infra.demo.tickets import SHIPPED, Ticket, read_planted, read_tickets
from hybridmesh.infra.fleet import Tell
from hybridmesh.infra.nats.server import take_lock
from hybridmesh.infra.simulation import CloudChoice
from hybridmesh.infra.up import Options, Running, mesh_up
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed

GOAL = "Triage this customer's support ticket and draft a reply."
WORKFLOW = "support-triage"
_TICKET_TIMEOUT_S = 900.0
_AT_ONCE = 32
_REVIEW_WAIT_S = 20  # nobody is there to be asked about a draft that did not pass


async def run_demo(
    settings: MeshSettings,
    flags: Sequence[str],
    *,
    tickets: Path | None,
    text_column: str,
    report: Path | None,
    tell: Tell,
    show: Callable[[Summary, Path], None],
    keep: bool = False,
) -> int:
    """Run every ticket and ``show`` what came of it, with the place of the report; return the exit code.

    0 when every ticket was done, nothing planted left, and the audit log holds; else 1.

    Raises:
        UsageError: the tickets cannot be read, the report has no place, or the demo before is still up.
        SetupError: something is missing on this machine.

    """
    rows = read_tickets(tickets or SHIPPED, text_column)
    _check_sizes(rows, settings.bus.max_input_bytes)
    if report is not None:
        open_report(report)
    folder = (settings.data / "demo").resolve()
    _clear(folder)
    own = settings.model_copy(update={"data": folder})
    began = time.monotonic()
    patience = ("--set", f"profiles.balanced.review_wait_s={_REVIEW_WAIT_S}")
    async with mesh_up(own, Options(flags=(*patience, *flags)), tell) as mesh:
        tell(f"cloud  {mesh.cloud.describe(own)}")
        set_up_s = time.monotonic() - began
        with MemoryWatch() as memory:
            async with connect(settings=own) as client:
                outcomes, run_s = await run_tickets(client, rows)
                verification = await _verify(client)
                bodies = await _bodies(mesh, client, outcomes)
        summary = Summary(
            outcomes=tuple(outcomes),
            bodies=bodies,
            privacy=judge_privacy(outcomes, read_planted(), bodies) if tickets is None else None,
            verification=verification,
            cloud=mesh.cloud,
            cloud_words=mesh.cloud.describe(own),
            set_up_s=set_up_s,
            run_s=run_s,
            peak_bytes=memory.peak_bytes,
        )
        place = report or folder / "report.html"
        write_report(summary, place)
        show(summary, place)
        if keep:
            tell(
                f"The mesh stays up; explain a ticket with `hybridmesh explain TASK --data {folder}`. Ctrl-C stops it."
            )
            await asyncio.Event().wait()
    whole = all(outcome.done for outcome in summary.outcomes) and not verification.findings
    return 0 if whole and not (summary.privacy and summary.privacy.leaked) else 1


async def run_tickets(mesh: Mesh, rows: Sequence[Ticket]) -> tuple[list[Outcome], float]:
    """Send every ticket through the mesh, some at once; return what came of each, and the seconds it took."""
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=people, disable=not people.is_terminal) as progress:
        bar = progress.add_task("tickets", total=len(rows))
        room = asyncio.Semaphore(_AT_ONCE)

        async def follow(ticket: Ticket, task_id: str) -> Outcome:
            ended = await _end_of(mesh, task_id)
            room.release()
            outcome = outcome_of(ticket, ended)
            progress.advance(bar)
            if not people.is_terminal:
                people.print(f"{ticket.id:<8} {outcome.category:<16} {outcome.lane:<9} {outcome.verdict}", markup=False)
            return outcome

        waiting: list[asyncio.Task[Outcome]] = []
        for ticket in rows:
            await room.acquire()  # the time of a ticket is its own, however many there are
            task_id = await mesh.submit(GOAL, inputs={"ticket": ticket.text}, workflow=WORKFLOW)
            waiting.append(asyncio.create_task(follow(ticket, task_id)))
        return [await task for task in waiting], time.monotonic() - began


async def _end_of(mesh: Mesh, task_id: str) -> TaskCompleted | TaskFailed:
    """Return a task's end; one that does not come in time is shown as such, and takes no other's with it."""
    try:
        return await mesh.result(task_id, timeout_s=_TICKET_TIMEOUT_S)
    except TimeoutError:
        return TaskFailed(
            task_id=task_id,
            outcome="failed",
            reason="no-end",
            detail=f"it had not ended after {_TICKET_TIMEOUT_S:.0f} s",
            finished_at=datetime.now(UTC),
        )


def _check_sizes(rows: Sequence[Ticket], limit: int) -> None:
    for row in rows:
        if len(row.text.encode()) > limit:
            raise UsageError(
                f"ticket {row.id} has more than {limit:,} bytes, which is the limit",
                remedy="leave it out, or raise bus.max_input_bytes in mesh.toml",
            )


def _clear(folder: Path) -> None:
    """Remove what a demo before has left; raises UsageError while its mesh is up."""
    if (folder / "nats").is_dir():
        with take_lock(folder / "nats"):
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


async def _verify(mesh: Mesh) -> Verification:
    """Wait until the auditor has signed all that happened, then check the log as anybody could."""
    verification = await verify_log(mesh.links.js, mesh.links.ring)
    for _ in range(50):
        if verification.covered >= verification.entries:
            break
        await asyncio.sleep(0.2)
        verification = await verify_log(mesh.links.js, mesh.links.ring)
    return verification


async def _bodies(mesh: Running, client: Mesh, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return every body that left: by the simulated cloud's own record, of a real cloud by ours of what was sent."""
    if mesh.cloud is CloudChoice.SIMULATED and mesh.record is not None:
        lines = mesh.record.read_text("utf-8").splitlines() if mesh.record.exists() else []
        return tuple(str(json.loads(line)["body"]) for line in lines if line)
    sent = [await client.history(EgressRecorded, outcome.task_id) for outcome in outcomes]
    return tuple(record.body for records in sent for record in records)
