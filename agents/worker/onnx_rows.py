"""The key-value buffer as the decoding loop sees it, wherever it lies: one row a sequence, laid out once."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class RowShape:
    """What a graph keeps of a token: ``parts`` (keys and values of each layer) times ``heads`` times ``size``."""

    parts: int
    heads: int
    size: int
    kind: np.dtype[Any]

    @property
    def token_bytes(self) -> int:
        """Bytes of one token."""
        return self.parts * self.heads * self.size * self.kind.itemsize


class Saved(Protocol):
    """A copy of the start of a row, to be put back by whoever made it."""

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        ...


class Rows(Protocol):
    """``rows`` sequences of up to ``room`` tokens, where a session on ``device`` can work on them."""

    device: str
    shape: RowShape
    rows: int
    room: int

    def address(self, part: int, row: int) -> int:
        """Return where a row of a part starts."""
        ...

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of a row over another one."""
        ...

    def save(self, row: int, length: int) -> Saved:
        """Return a copy of the first ``length`` tokens of a row."""
        ...

    def restore(self, saved: Saved, length: int, row: int) -> None:
        """Put the first ``length`` tokens of a copy into a row."""
        ...

    def clear(self, row: int) -> None:
        """Give back the memory of a row that nobody uses, where it is taken page by page."""
        ...
