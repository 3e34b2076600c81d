"""Ctrl-C while the program still starts: nothing was begun, and nothing is said."""

import signal
import subprocess
import sys

import pytest

from hybridmesh.infra.cli.exit_codes import ExitCode

# Sends itself the signal as soon as a module is looked for.
_START = """
import os, signal, sys
if "ignoring" in sys.argv[2:]:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
class Interrupting:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from hybridmesh.infra.cli import main
main(["--version"])
"""


def started(module: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Start the program, and interrupt it when it comes to a module."""
    return subprocess.run(
        [sys.executable, "-c", _START, module, *words], capture_output=True, text=True, check=False, timeout=50
    )


@pytest.mark.parametrize(
    "module", ["typer", "typer.main", "hybridmesh.bus.errors", "hybridmesh.infra.cli.workflows", "importlib.metadata"]
)
def test_who_interrupts_the_start_hears_nothing(module: str) -> None:
    """Nothing is hidden: the code says that it was interrupted, and no traceback looks like a bug."""
    ran = started(module)
    assert (ran.returncode, ran.stdout, ran.stderr.replace("Aborted.\n", "")) == (ExitCode.INTERRUPTED, "", "")


def test_who_has_the_signal_ignored_goes_on() -> None:
    """Nothing is lost: a shell that starts a program in the background keeps Ctrl-C from it."""
    ran = started("typer", "ignoring")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("hybridmesh ")


def test_the_signal_is_an_exception_again_once_the_program_runs() -> None:
    """Nothing is lost: what a command has begun is put in order when it is interrupted."""
    code = """if True:
        import signal
        from hybridmesh.infra.cli import main
        try:
            main(["--version"])
        finally:
            print(signal.getsignal(signal.SIGINT))
    """
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=50)
    assert signal.default_int_handler.__name__ in ran.stdout
