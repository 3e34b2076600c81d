"""One file, one owner at a time, among processes: the claim ends with its holder, however that ends."""

import contextlib
import os
import sys
import time
from collections.abc import Generator
from pathlib import Path

from hybridmesh.bus.errors import UsageError

_LOOK_S = 0.05

if sys.platform == "win32":

    def claim(_: int) -> bool:
        """Say yes to everybody: who reads a file that is locked there would be refused."""
        return True

else:
    import fcntl

    def claim(descriptor: int) -> bool:
        """Claim an open file until it is closed; say whether it is one's own now, as it is where no disk can lock."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


def open_claimed(path: Path) -> int | None:
    """Open a file that is nobody's and return its descriptor; None where another has it, or where it is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    if claim(descriptor) and _is_there(path, descriptor):
        return descriptor
    os.close(descriptor)
    return None


@contextlib.contextmanager
def sole_writer(folder: Path, *, within_s: float) -> Generator[None]:
    """Be the only one to change a folder, among threads and processes that ask.

    Raises:
        UsageError: somebody else is at it for longer than ``within_s`` seconds.

    """
    until = time.monotonic() + within_s
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not claim(descriptor):
            if time.monotonic() >= until:
                raise UsageError(f"another command is changing {folder}", remedy="run this one again when that is done")
            time.sleep(_LOOK_S)
        yield
    finally:
        os.close(descriptor)


def _is_there(path: Path, descriptor: int) -> bool:
    """Say whether the file still has its name: who had it before may have removed it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False
