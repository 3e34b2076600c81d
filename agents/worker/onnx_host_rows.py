"""The key-value buffer in main memory."""

import mmap
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from hybridmesh.agents.worker.onnx_rows import RowShape, Saved

Values = npt.NDArray[Any]  # parts x heads x tokens x size, in the graph's own number type


class HostRows:
    """``rows`` sequences of up to ``room`` tokens in main memory; pages that no token reached take none of it.

    Rows that follow one another are one tensor, which is why a batch has to lie in the first rows without a gap.
    """

    def __init__(self, shape: RowShape, rows: int, room: int) -> None:
        self.device = "cpu"
        self.shape, self.rows, self.room = shape, rows, room
        # Zeros, a page at a time as it is written to; of shared memory no page could be given back.
        self._memory = mmap.mmap(-1, rows * room * shape.token_bytes, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        sizes = (shape.parts, rows, shape.heads, room, shape.size)
        self._values: Values = np.frombuffer(self._memory, shape.kind).reshape(sizes)

    def address(self, part: int, row: int) -> int:
        """Return where a row of a part starts."""
        return self._values.ctypes.data + part * self._values.strides[0] + row * self._values.strides[1]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of a row over another one."""
        self._values[:, target, :, :length] = self._values[:, source, :, :length]

    def save(self, row: int, length: int) -> Values:
        """Return a copy of the first ``length`` tokens of a row."""
        return self._values[:, row, :, :length].copy()

    def restore(self, saved: Saved, length: int, row: int) -> None:
        """Put the first ``length`` tokens of a copy into a row."""
        self._values[:, row, :, :length] = cast("Values", saved)[:, :, :length]

    def clear(self, row: int) -> None:
        """Give back the whole pages of a row, on systems that take them."""
        if not hasattr(mmap, "MADV_DONTNEED"):
            return
        part_bytes, row_bytes = self._values.strides[:2]
        for part in range(self.shape.parts):
            start = part * part_bytes + row * row_bytes
            first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
            if (length := (start + row_bytes - first) // mmap.PAGESIZE * mmap.PAGESIZE) > 0:
                self._memory.madvise(mmap.MADV_DONTNEED, first, length)
