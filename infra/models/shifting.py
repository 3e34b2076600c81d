"""4-bit blocks with a shift, ``scale * (code - zero) + shift``: what Q4_K and Q4_1 are, and what loses least. Pure.

The fast CPU kernels know no shift. A row carries its shifts as some columns more (one a block), which meet the sums
of the input's blocks of 32: ``w @ x = codes @ x + shift @ blocksum(x)``. Those columns are 4 bit as well: a shift is
at most half a step where the zero point could be chosen freely, so a coarse one is exact enough.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import Q4_K

from hybridmesh.infra.models.packing import BLOCK, TINY, Bytes, Floats, Packed, fit_codes

Q = GGMLQuantizationType
TOP: Final = np.float32(15)
SHRINKS: Final = (1.0, 0.93, 0.86)  # shares of a block's range that are tried
ROUNDS: Final = 2  # of rounding to codes and fitting scale and shift to them
SCALE_BYTES: Final = 12  # of a Q4_K block: eight scales and eight minima of 6 bits


@dataclass(frozen=True, slots=True)
class Shifted:
    """Packed rows, and what is added to every weight of a block: shift (rows, blocks)."""

    packed: Packed
    shift: Floats

    def weights(self) -> Floats:
        """Return the float weights (rows, columns) that codes and shifts stand for."""
        return self.packed.weights() + np.repeat(self.shift, BLOCK, axis=1)

    def widened(self) -> Packed:
        """Return the rows with their shifts as further columns, filled up to whole blocks of them."""
        rows, blocks = self.shift.shape
        columns = np.zeros((rows, shift_columns(blocks)), np.float32)
        columns[:, :blocks] = self.shift
        more = fit_codes(columns, 4)
        ours, theirs = self.packed, more
        return Packed(
            np.concatenate([ours.codes, theirs.codes], axis=1),
            np.concatenate([ours.scale, theirs.scale], axis=1),
            np.concatenate([ours.zero, theirs.zero], axis=1),
        )


def shift_columns(blocks: int) -> int:
    """Return how many columns the shifts of so many blocks take."""
    return -(-blocks // BLOCK) * BLOCK


def copy_shifted(raw: Bytes, kind: GGMLQuantizationType) -> Shifted | None:
    """Take over the codes of Q4_1 and Q4_K blocks as they are; None for other kinds."""
    if kind == Q.Q4_1:
        return _copy_q4_1(raw)
    return _copy_q4_k(raw) if kind == Q.Q4_K else None


def _copy_q4_1(raw: Bytes) -> Shifted:
    blocks = raw.reshape(len(raw), -1, GGML_QUANT_SIZES[Q.Q4_1][1])
    halves = np.ascontiguousarray(blocks[..., :4]).view(np.float16).astype(np.float32)
    nibbles = blocks[..., 4:]
    codes = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1)
    return _with_zero(codes, halves[..., 0], halves[..., 1])


def _copy_q4_k(raw: Bytes) -> Shifted:
    blocks = raw.reshape(-1, GGML_QUANT_SIZES[Q.Q4_K][1])
    halves = np.ascontiguousarray(blocks[:, :4]).view(np.float16).astype(np.float32)
    scales, minima = Q4_K.get_scale_min(np.ascontiguousarray(blocks[:, 4 : 4 + SCALE_BYTES]))
    pairs = blocks[:, 4 + SCALE_BYTES :].reshape(len(blocks), -1, BLOCK)
    codes = np.stack([pairs & 15, pairs >> 4], axis=2).reshape(len(raw), -1, BLOCK)
    scale = (halves[:, :1] * scales.astype(np.float32)).reshape(len(raw), -1)
    return _with_zero(codes, scale, -(halves[:, 1:] * minima.astype(np.float32)).reshape(len(raw), -1))


def fit_shifted(weights: Floats) -> Shifted:
    """Quantise float32 (rows, columns) to 4 bits with the scale and shift of least squared error for each block."""
    w = weights.reshape(-1, BLOCK)
    low, high = w.min(1, keepdims=True), w.max(1, keepdims=True)
    best: Floats = np.full((len(w), 1), np.inf, np.float32)
    codes = np.zeros(w.shape, np.uint8)
    scale, start = np.zeros_like(best), np.zeros_like(best)
    for shrink in SHRINKS:
        step = np.maximum((high - low) * np.float32(shrink / TOP), np.float32(TINY))
        lowest = (low + high) / 2 - step * (TOP / 2)
        code = _round(w, step, lowest)
        for last in range(ROUNDS):
            step, lowest = _regress(w, code)
            if last < ROUNDS - 1:
                code = _round(w, step, lowest)
        error = np.square(w - (code * step + lowest)).sum(1, keepdims=True)
        better = error < best
        best = np.where(better, error, best)
        codes = np.where(better, code.astype(np.uint8), codes)
        scale, start = np.where(better, step, scale), np.where(better, lowest, start)
    shape = (len(weights), -1)
    return _with_zero(codes.reshape(*shape, BLOCK), scale.reshape(shape), start.reshape(shape))


def _round(w: Floats, step: Floats, lowest: Floats) -> Floats:
    code: Floats = np.clip(np.rint((w - lowest) / step), 0, TOP)
    return code


def _regress(w: Floats, code: Floats) -> tuple[Floats, Floats]:
    """Return the step and the weight of code 0 that fit a block's codes best."""
    middle = code.mean(1, keepdims=True)
    spread = code - middle
    gain = np.einsum("ij,ij->i", w, spread)[:, None]
    size = np.einsum("ij,ij->i", spread, spread)[:, None]
    step = np.maximum(gain / np.maximum(size, np.float32(TINY)), np.float32(TINY))
    return step, w.mean(1, keepdims=True) - step * middle


def _with_zero(codes: npt.NDArray[np.integer[Any]], scale: Floats, start: Floats) -> Shifted:
    """Split ``start``, the weight of code 0, into a whole zero point and the shift that is left."""
    zero = np.clip(np.rint(-start / np.where(scale == 0, np.float32(1), scale)), 0, TOP)
    shift = start + scale * zero
    return Shifted(
        Packed(np.ascontiguousarray(codes, np.uint8), scale, zero.astype(np.uint8)), shift.astype(np.float32)
    )
