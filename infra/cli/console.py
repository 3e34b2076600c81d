"""Where the command line speaks: data on stdout, people on stderr."""

import sys

from pydantic import BaseModel
from rich.console import Console

people = Console(stderr=True, highlight=False, soft_wrap=True)
data = Console(highlight=False, soft_wrap=True)


def tell(line: str) -> None:
    """Say a line to people, on stderr, without markup."""
    people.print(line, markup=False)


def write(text: str) -> None:
    """Write data to stdout as it is."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def write_json(value: BaseModel) -> None:
    """Write one JSON object on one line to stdout."""
    write(value.model_dump_json())
