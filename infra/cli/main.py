"""The program: its commands, and how its errors look."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from hybridmesh.bus.errors import (
    MeshBusy,
    MeshError,
    PermanentError,
    SetupError,
    TransientError,
    UsageError,
)
from hybridmesh.infra.cli import running
from hybridmesh.infra.cli.console import tell
from hybridmesh.infra.cli.exit_codes import ExitCode

app = typer.Typer(
    name="hybridmesh",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Cloud reasoning for data that cannot leave.",
    epilog="Exit codes: 0 ok, 1 task failed, 2 usage, 3 mesh unavailable, 4 refused by policy, 5 setup missing.",
)
app.command()(running.up)
app.command()(running.run)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"hybridmesh {version('hybridmesh')}")
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Cloud reasoning for data that cannot leave."""


def main() -> None:
    """Run the command line; every known error is one line and its remedy, never a traceback."""
    try:
        app()
    except MeshError as error:
        tell(f"error: {error}")
        if isinstance(error, UsageError | SetupError) and error.remedy:
            tell(f"remedy: {error.remedy}")
        sys.exit(exit_code_of(error))
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def exit_code_of(error: MeshError) -> ExitCode:
    """Return the exit code of an error."""
    match error:
        case UsageError():
            return ExitCode.USAGE
        case SetupError():
            return ExitCode.SETUP
        case TransientError() | MeshBusy():
            return ExitCode.UNAVAILABLE
        case PermanentError():
            return ExitCode.TASK_FAILED
        case _:
            return ExitCode.BUG
