"""Standard streams as whoever started the program left them: closed, or in an encoding that has not every letter."""

import errno
import io
import re
import sys
from collections.abc import Iterable
from typing import Never, Self, TextIO, cast

_UNREAD = re.compile("[\udc80-\udcff]")  # a byte that Python could not read is kept as one of these


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


def write_every_letter() -> None:
    """Have no output fail over a letter; what goes into a file or a pipe is UTF-8, as what is read is.

    A terminal is left its own encoding, and shows by its number what that has not.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def are_no_text(words: Iterable[str]) -> bool:
    """Say whether words of the command line are in another encoding than the system's, so that they are no text."""
    return any(_UNREAD.search(word) for word in words)
