"""Runs the command line in this process, and catches what it says and how it ends."""

import contextlib
import io
import json
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from hybridmesh.infra.cli import main
from hybridmesh.infra.cli.program import app


@dataclass(frozen=True, slots=True)
class Ran:
    """An ended command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - what a test picks from it is the test's concern
        """The one JSON object on stdout."""
        return json.loads(self.out)


@contextlib.contextmanager
def _stdin(content: bytes) -> Generator[None]:
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(content))
    try:
        yield
    finally:
        sys.stdin = before


def run_command(*words: str | Sequence[str], stdin: bytes = b"") -> Ran:
    """Run ``hybridmesh`` with these words (a list among them is several)."""
    flat = [part for word in words for part in ([word] if isinstance(word, str) else word)]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with _stdin(stdin), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(flat)
        except SystemExit as end:
            code = int(end.code or 0)
    return Ran(code, out.getvalue(), err.getvalue())


def read_options(words: list[str]) -> dict[str, Any]:
    """Return what the program's own command line makes of ``words``, without running it."""
    command = get_command(app)
    while isinstance(command, TyperGroup):
        command = command.commands[words[0]]
        words = words[1:]
    return command.make_context("hybridmesh", list(words)).params
