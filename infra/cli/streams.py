"""Standard streams that whoever started the program has closed: a command that uses one gets an error that names it."""

import errno
import io
import sys
from typing import Never, Self, TextIO, cast


class ClosedStream(io.TextIOBase):
    """In the place of a stream that is closed: refuses to be read or written to, and nothing else."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def buffer(self) -> Self:
        """Itself, for those who want bytes."""
        return self

    def read(self, _size: int | None = -1, /) -> Never:
        """Raise OSError."""
        raise OSError(errno.EBADF, "it is closed", self._name)

    def readline(self, _size: int | None = -1, /) -> Never:
        """Raise OSError."""
        self.read()

    def write(self, _text: str, /) -> Never:
        """Raise OSError."""
        self.read()


class _Nowhere(io.TextIOBase):
    """In the place of standard error: what is said to nobody is dropped."""

    def write(self, text: str, /) -> int:
        return len(text)


def replace_closed_streams() -> None:
    """Put something in the place of each standard stream that Python found closed; words to people are dropped then."""
    if sys.stdin is None:
        sys.stdin = cast("TextIO", ClosedStream("standard input"))
    if sys.stdout is None:
        sys.stdout = cast("TextIO", ClosedStream("standard output"))
    if sys.stderr is None:
        sys.stderr = cast("TextIO", _Nowhere())
