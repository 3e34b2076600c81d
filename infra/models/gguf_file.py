"""A GGUF file (version 2 or 3, little endian): metadata, and tensors as lazily mapped rows.

The header is not trusted: counts, sizes, kinds and offsets are checked against the file before anything is mapped.
"""

import math
import mmap
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize

from hybridmesh.infra.models.gguf_cursor import Cursor
from hybridmesh.infra.models.gguf_metadata import Metadata, Value, unusable
from hybridmesh.infra.models.unpacking import unpack_levels

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
MAX_DIMENSIONS = 4
MIN_PAIR_BYTES = 8 + 4 + 1  # an empty key, its type, the smallest value
MIN_TENSOR_BYTES = 8 + 4 + 8 + 4 + 8  # an empty name, one dimension, kind and offset


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor as stored: ``shape`` is (rows, columns) or (size,), ``raw`` is uint8 (rows, bytes a row)."""

    kind: GGMLQuantizationType
    shape: tuple[int, ...]
    raw: Bytes

    @property
    def rows(self) -> int:
        """Output features of a matrix; 1 for a vector."""
        return len(self.raw)

    @property
    def columns(self) -> int:
        """Input features of a matrix; the size of a vector."""
        return self.shape[-1]

    def floats(self, raw: Bytes | None = None) -> Floats:
        """Dequantise all rows, or the given ones, to float32 (rows, columns); raises SetupError where that fails."""
        rows = self.raw if raw is None else raw
        with np.errstate(all="ignore"):  # damaged scales, which are refused
            if (levels := unpack_levels(rows, self.kind)) is not None:
                if not np.isfinite(levels.scale).all():
                    raise unusable("its weights are not finite")
                return levels.weights()
        try:
            with np.errstate(all="ignore"):
                values = dequantize(rows, self.kind).astype(np.float32, copy=False).reshape(len(rows), self.columns)
        except NotImplementedError:
            raise unusable(f"weights of kind {self.kind.name} are not known") from None
        if not np.isfinite(values).all():
            raise unusable("its weights are not finite")
        return values

    def vector(self) -> Floats:
        """Dequantise to float32 (size,)."""
        return self.floats().reshape(-1)


@dataclass(frozen=True, slots=True)
class _Info:
    name: str
    shape: tuple[int, ...]
    kind: GGMLQuantizationType
    offset: int


class GgufFile:
    """An open file; use it as a context manager. Raises SetupError when the header does not hold."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            if path.stat().st_size < MIN_TENSOR_BYTES:
                raise unusable("the file is too short")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        cursor = Cursor(self._map, 4)
        if self._map[:4] != b"GGUF" or cursor.integer() not in (2, 3):
            raise unusable("it is not GGUF version 2 or 3")
        tensors, pairs = cursor.count(MIN_TENSOR_BYTES, "tensor"), cursor.count(MIN_PAIR_BYTES, "pair")
        values: dict[str, Value] = {}
        for _ in range(pairs):
            key = cursor.text()
            if key in values:
                raise unusable(f"{key} stands twice in the header")
            values[key] = cursor.value()
        self.metadata = Metadata(values)
        align = self.metadata.integer("general.alignment", 32, low=1, high=1 << 16)
        infos = [self._read_info(cursor) for _ in range(tensors)]
        base = -(-cursor.at // align) * align
        self.tensors: dict[str, Tensor] = {}
        whole = np.frombuffer(self._map, dtype=np.uint8)
        end = base
        for info in sorted(infos, key=lambda info: info.offset):
            if info.name in self.tensors:
                raise unusable(f"tensor {info.name} stands twice in the header")
            if base + info.offset < end:
                raise unusable(f"tensor {info.name} overlaps another one")
            tensor = self._map_tensor(whole, info, base)
            self.tensors[info.name] = tensor
            end = base + info.offset + tensor.raw.size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The mapping itself ends with the last array that looks into it.
        self.tensors = {}

    def tensor(self, name: str) -> Tensor:
        """Return one tensor; raises SetupError when the file has none of that name."""
        try:
            return self.tensors[name]
        except KeyError:
            raise unusable(f"tensor {name} is missing") from None

    def release(self) -> None:
        """Let the kernel drop the pages read so far, so that the file does not count as this process's memory."""
        if hasattr(self._map, "madvise"):
            self._map.madvise(mmap.MADV_DONTNEED)

    @staticmethod
    def _read_info(cursor: Cursor) -> _Info:
        name = cursor.text()
        dimensions = cursor.integer()
        if not 1 <= dimensions <= MAX_DIMENSIONS:
            raise unusable(f"tensor {name} has {dimensions} dimensions")
        shape = tuple(reversed([cursor.integer(10) for _ in range(dimensions)]))
        kind, offset = cursor.integer(), cursor.integer(10)
        try:
            return _Info(name, shape, GGMLQuantizationType(kind), offset)
        except ValueError:
            raise unusable(f"tensor {name} is of an unknown kind") from None

    @staticmethod
    def _map_tensor(whole: Bytes, info: _Info, base: int) -> Tensor:
        block, width = GGML_QUANT_SIZES[info.kind]
        if min(info.shape) < 1 or info.shape[-1] % block:
            raise unusable(f"tensor {info.name} has an impossible shape")
        rows, row_bytes = math.prod(info.shape[:-1]), info.shape[-1] // block * width
        start = base + info.offset
        if start + rows * row_bytes > whole.size:
            raise unusable(f"tensor {info.name} lies outside the file")
        raw = whole[start : start + rows * row_bytes].reshape(rows, row_bytes)
        return Tensor(info.kind, info.shape, raw)
