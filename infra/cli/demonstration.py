"""``demo``: a whole mesh, thirty tickets through it, and a report."""

from pathlib import Path
from typing import Annotated

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import tell
from hybridmesh.infra.cli.invocation import Invocation, local_command


@local_command
def demo(
    call: Invocation,
    tickets: Annotated[
        Path | None, typer.Option("--tickets", metavar="FILE.csv", help="Your own tickets (default: those that ship).")
    ] = None,
    text_column: Annotated[str, typer.Option("--text-column", metavar="NAME", help="The column to read.")] = "body",
    report: Annotated[Path | None, typer.Option("--report", metavar="FILE.html", help="Where the report goes.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the mesh up at the end, to look around.")] = False,
) -> None:
    """Run tickets full of private data through a mesh of its own, and show what left, what did not, and why."""
    if tickets is not None and not tickets.is_file():
        raise UsageError(f"there is no file {tickets}", remedy="name a CSV file, or leave --tickets out")
    import asyncio

    from hybridmesh.infra.demo import run_demo, show_json, show_outcome

    done = run_demo(
        call.settings,
        call.flags,
        tickets=tickets,
        text_column=text_column,
        report=report,
        tell=tell,
        show=show_json if call.json else show_outcome,
        keep=keep,
    )
    raise typer.Exit(asyncio.run(done))
