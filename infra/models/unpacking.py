"""Takes GGML's symmetric weight blocks apart into whole numbers and scales, all rows of a chunk at once. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Q = GGMLQuantizationType
FIFTH_CLEAR: Final = np.where(  # for each byte of fifth bits: 0xF0, which is -16, where one is clear
    np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little"), 0, 0xF0
).astype(np.uint8).view("<u8")[:, 0]  # fmt: skip
NIBBLES: Final = 0x0F0F_0F0F_0F0F_0F0F


@dataclass(frozen=True, slots=True)
class Levels:
    """Some rows with weight = scale * level: level int8 (rows, blocks, block), scale (rows, blocks)."""

    level: npt.NDArray[np.int8]
    scale: Floats

    def weights(self) -> Floats:
        """Return the float weights (rows, columns)."""
        weights = self.level.astype(np.float32)
        weights *= self.scale[..., None]
        return weights.reshape(len(weights), -1)


def unpack_levels(raw: Bytes, kind: GGMLQuantizationType) -> Levels | None:
    """Take rows of symmetric blocks (Q4_0, Q5_0, Q6_K, Q8_0) apart; None for other kinds."""
    if kind not in UNPACKERS:
        return None
    level, scale = UNPACKERS[kind](raw.reshape(-1, GGML_QUANT_SIZES[kind][1]))
    rows = len(raw)
    size = level.size // scale.size
    return Levels(level.view(np.int8).reshape(rows, -1, size), scale.reshape(rows, -1))


def _unpack_q4_0(blocks: Bytes) -> tuple[Bytes, Floats]:
    return _nibbles(blocks[:, 2:]).view(np.uint8) - np.uint8(8), _halves(blocks[:, :2])


def _unpack_q5_0(blocks: Bytes) -> tuple[Bytes, Floats]:
    words = _nibbles(blocks[:, 6:])
    words |= FIFTH_CLEAR[blocks[:, 2:6]]
    return words.view(np.uint8), _halves(blocks[:, :2])


def _unpack_q6_k(blocks: Bytes) -> tuple[Bytes, Floats]:
    """Low nibbles of 64, then high ones, in each half of 128; two bits more in the bytes behind, for four quarters."""
    low = np.ascontiguousarray(blocks[:, :128]).reshape(-1, 2, 64)
    high = np.ascontiguousarray(blocks[:, 128:192]).reshape(-1, 2, 32)
    level = np.empty((len(blocks), 2, 4, 32), np.uint8)
    halves = level.reshape(-1, 2, 2, 64)
    np.bitwise_and(low, 15, out=halves[:, :, 0])
    np.right_shift(low, 4, out=halves[:, :, 1])
    for quarter, bits in enumerate((high << 4, high << 2, high, high >> 2)):
        level[:, :, quarter] |= bits & np.uint8(0x30)
    level -= np.uint8(32)
    return level, _halves(blocks[:, 208:]) * blocks[:, 192:208].view(np.int8).astype(np.float32)


def _unpack_q8_0(blocks: Bytes) -> tuple[Bytes, Floats]:
    return np.ascontiguousarray(blocks[:, 2:]), _halves(blocks[:, :2])


def _nibbles(pairs: Bytes) -> npt.NDArray[np.uint64]:
    """Return 32 values of 4 bits for each 16 bytes, as 4 words: all low halves, then all high ones."""
    words = np.ascontiguousarray(pairs).view("<u8")
    values = np.empty((len(words), 4), "<u8")
    values[:, :2] = words
    np.right_shift(words, 4, out=values[:, 2:])
    values &= np.uint64(NIBBLES)
    return values


def _halves(pairs: Bytes) -> Floats:
    return np.ascontiguousarray(pairs).view(np.float16).astype(np.float32)


UNPACKERS: Final[dict[GGMLQuantizationType, Callable[[Bytes], tuple[npt.NDArray[Any], Floats]]]] = {
    Q.Q4_0: _unpack_q4_0,
    Q.Q5_0: _unpack_q5_0,
    Q.Q6_K: _unpack_q6_k,
    Q.Q8_0: _unpack_q8_0,
}
