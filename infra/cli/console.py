"""Where the command line speaks: data on stdout, people on stderr."""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import typer

from hybridmesh.infra.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    people: Console
    data: Console

# All control characters but tab and newline: a text must not be able to steer the terminal that shows it.
_PIPE_WIDTH = 130
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def __getattr__(name: str) -> object:
    """Make the Rich consoles ``people`` (stderr) and ``data`` (stdout) when they are first asked for."""
    if name not in ("people", "data"):
        raise AttributeError(name)
    from rich.console import Console

    console = Console(stderr=name == "people", highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(stderr=name == "people", highlight=False, soft_wrap=True, width=_PIPE_WIDTH)
    globals()[name] = console
    return console


def printable(text: str) -> str:
    """Return the text with its control characters spelled out in hex."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def tell(line: str) -> None:
    """Say a line to people, on stderr."""
    sys.stderr.write(printable(line) + "\n")
    sys.stderr.flush()


def put(text: str) -> None:
    """Write text to stdout as it is, at once.

    Raises:
        OSError: stdout takes no more; with its name.
        typer.Exit: nobody reads it any more, as behind ``| head``, which is to end the command without a word.

    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where what is left goes at the end
        raise typer.Exit(ExitCode.READER_GONE) from None
    except OSError as error:
        error.filename = error.filename or "standard output"
        raise


def write(text: str) -> None:
    """Write data to stdout: as it is into a file or a pipe, harmless on a terminal."""
    shown = printable(text) if sys.stdout.isatty() else text
    put(shown if shown.endswith("\n") else shown + "\n")


def write_json(value: "BaseModel | Mapping[str, object]") -> None:
    """Write one JSON object on one line to stdout."""
    if isinstance(value, dict):
        put(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
    else:
        put(cast("BaseModel", value).model_dump_json() + "\n")


def write_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table to stdout: drawn on a terminal, tab-separated with a line of names elsewhere."""
    cells = [["" if cell is None else " ".join(printable(str(cell)).split()) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        put("".join("\t".join(line) + "\n" for line in (columns, *cells)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False)
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    Console(highlight=False).print(table)
