"""The program: its commands, and how its errors look."""

import logging
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from hybridmesh.bus.errors import MeshError
from hybridmesh.infra.cli import (
    approvals,
    attendance,
    audit,
    bus,
    demonstration,
    detecting,
    diagnosis,
    explaining,
    letters,
    memory,
    models,
    provisioning,
    readiness,
    running,
    tasks,
    terms,
    vault,
    workflows,
)
from hybridmesh.infra.cli.console import tell
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.cli.flags import program_of
from hybridmesh.infra.cli.remedies import exit_code_of, is_of_a_place, place_remedy_for, problem_of, remedy_for
from hybridmesh.infra.cli.streams import are_no_text, replace_closed_streams, write_every_letter

app = typer.Typer(
    name="hybridmesh",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Cloud reasoning for data that cannot leave.",
    epilog="Exit codes: 0 ok, 1 task failed, log not whole or agent not ready, 2 usage, 3 mesh unavailable "
    "or task not ended, 4 refused by policy, 5 setup missing or a file or stream that cannot be used, "
    "65 lines that are no data, 70 a bug, 130 interrupted, 141 nobody reads the output any more.",
)
for command in (
    diagnosis.doctor,
    demonstration.demo,
    running.up,
    running.run,
    provisioning.provision,
    tasks.submit,
    tasks.result,
    explaining.explain,
    tasks.feedback,
    tasks.cancel,
    attendance.agents,
    readiness.ready,
    detecting.detect,
):
    app.command()(command)
app.add_typer(approvals.app, name="approvals")
app.add_typer(audit.app, name="audit")
app.add_typer(bus.app, name="bus")
app.add_typer(letters.app, name="dead-letters")
app.add_typer(memory.app, name="memory")
app.add_typer(models.app, name="model")
app.add_typer(terms.app, name="terms")
app.add_typer(vault.app, name="vault")
app.add_typer(workflows.app, name="workflow")


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"hybridmesh {version('hybridmesh')}")
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Cloud reasoning for data that cannot leave."""


def run(arguments: Sequence[str] | None) -> None:
    """Run the command line; an error is one line and its remedy, never a traceback."""
    try:
        replace_closed_streams()
        write_every_letter()
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of what a TLS connection does at its usual end
        program_of(app)(None if arguments is None else list(arguments))
    except MeshError as error:
        _leave(str(error), remedy_for(error), exit_code_of(error))
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the outermost boundary: a traceback could show private text
        if is_of_a_place(error):
            _leave(problem_of(error), place_remedy_for(error), ExitCode.SETUP)
        if isinstance(error, ValueError) and are_no_text(sys.argv if arguments is None else arguments):
            _leave("a word of the command line is no text", "give it in UTF-8, under a locale of UTF-8", ExitCode.USAGE)
        remedy = "please report it, with the command and the version that `hybridmesh --version` prints"
        _leave(f"this is a bug of hybridmesh ({type(error).__name__})", remedy, ExitCode.BUG)


def _leave(problem: str, remedy: str, code: ExitCode) -> NoReturn:
    tell(f"error: {problem}")
    tell(f"remedy: {remedy}")
    sys.exit(code)
