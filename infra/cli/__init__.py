"""The command line: ``hybridmesh``. Its commands are imported for long enough to be interrupted meanwhile."""

import os
import signal
from collections.abc import Sequence
from types import FrameType

_INTERRUPTED = 130  # as in ``exit_codes``, which is not there yet


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error is one line and its remedy, never a traceback."""
    # No exception: amid an import it would come out as another one. Who has the signal ignored goes on without it.
    waits = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if waits:
        signal.signal(signal.SIGINT, _leave)
    from hybridmesh.infra.cli.program import run

    if waits:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run(arguments)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(_INTERRUPTED)
