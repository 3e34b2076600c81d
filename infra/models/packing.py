"""Turns GGML weight blocks into the codes, scales and zero points of ``MatMulNBits`` (blocks of 32 or 64). Pure.

Q8_0, Q5_0 and Q4_0 blocks already are ``scale * (code - offset)``: their codes are copied, and nothing is lost.
All else is dequantised and fitted again, since the fast CPU kernels take integer zero points only.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType

from hybridmesh.infra.models.unpacking import unpack_levels

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Order = npt.NDArray[np.intp]
Bits = Literal[4, 8]
Profile = Literal["exact", "fast", "small"]

BLOCK: Final = 32
WIDE: Final = 64
NARROW: Final = 4
TINY: Final = 1e-12
Q = GGMLQuantizationType
FOUR_BIT: Final = frozenset({Q.Q2_K, Q.Q3_K, Q.Q4_0, Q.Q4_1, Q.Q4_K})
NARROWED: Final = frozenset({Q.Q5_0, Q.Q5_1, Q.Q5_K, Q.F16, Q.BF16, Q.F32})

Rounding = Callable[[Floats], Floats]


def _floor(values: Floats) -> Floats:
    return np.floor(values)


def _ceil(values: Floats) -> Floats:
    return np.ceil(values)


def _nearest(values: Floats) -> Floats:
    return np.rint(values)


# Shares of the block's range, and roundings of its zero point, that are tried for each width.
GRID: Final[dict[Bits, tuple[tuple[float, Rounding], ...]]] = {
    8: ((1.0, _nearest),),
    4: tuple((shrink, rounding) for shrink in (1.0, 0.9, 0.8) for rounding in (_floor, _ceil)),
}


@dataclass(frozen=True, slots=True)
class Packed:
    """Some rows with weight = scale * (code - zero): codes (rows, blocks, block), scale and zero (rows, blocks)."""

    codes: Bytes
    scale: Floats
    zero: Bytes

    def weights(self) -> Floats:
        """Return the float weights (rows, columns) that the codes stand for."""
        levels = self.codes.astype(np.float32)
        levels -= self.zero[..., None]
        levels *= self.scale[..., None]
        return levels.reshape(len(self.codes), -1)


@dataclass(frozen=True, slots=True)
class Form:
    """How a matrix is packed; ``shifted`` is for 4 bits only, in blocks of 32."""

    bits: Bits
    block: int = BLOCK
    shifted: bool = False


def choose_form(kinds: Collection[GGMLQuantizationType], profile: Profile, columns: int, *, sensitive: bool) -> Form:
    """Choose how matrices that are stacked together are packed.

    ``exact`` spends 8 bits unless 4 lose nothing. ``fast`` does so in blocks of 64 unless they are ``sensitive``: half
    the scales, a twentieth less time. ``small`` gives 4 bits with shifts to what the source has in 4, which loses next
    to nothing, and to matrices of 5 bits or in floats unless they are ``sensitive``; those get 8, as does what the
    maker of the source kept in 6 or 8.
    """
    if all(kind == Q.Q4_0 for kind in kinds):
        return Form(4)
    if profile == "small" and all(kind in FOUR_BIT or (kind in NARROWED and not sensitive) for kind in kinds):
        return Form(4, shifted=True)
    return Form(8) if sensitive else eight_bits(profile, columns)


def eight_bits(profile: Profile, columns: int) -> Form:
    """Return the form of 8 bits that a profile has for rows of so many columns."""
    return Form(8, WIDE if profile == "fast" and columns % WIDE == 0 else BLOCK)


def copy_codes(raw: Bytes, kind: GGMLQuantizationType, bits: Bits) -> Packed | None:
    """Take over the codes of a symmetric block type (32 weights) as they are; None where they do not fit ``bits``."""
    if kind not in (Q.Q8_0, Q.Q5_0, Q.Q4_0) or (bits == NARROW and kind != Q.Q4_0):
        return None
    levels = unpack_levels(raw, kind)
    if levels is None:
        return None
    zero = np.uint8(8 if kind == Q.Q4_0 else 128)
    return Packed(levels.level.view(np.uint8) + zero, levels.scale, np.full(levels.scale.shape, zero))


def fit_codes(weights: Floats, bits: Bits, block: int = BLOCK) -> Packed:
    """Quantise float32 (rows, columns) with integer zero points, each block with its least-squares scale.

    With 4 bits three ranges and two roundings of the zero point are tried, and the smallest squared error wins;
    a finer search did not lower the model's divergence.
    """
    w = weights.reshape(-1, block)
    low, high = _extremes(w)
    np.minimum(low, 0, out=low)
    np.maximum(high, 0, out=high)
    tried = (_fit(w, low, high, bits, shrink, rounding) for shrink, rounding in GRID[bits])
    codes, scale, zero, best = next(tried)
    for code, fitted, offset, gain in tried:
        better = gain > best
        best[better], scale[better] = gain[better], fitted[better]
        codes[better], zero[better] = code[better], offset[better]
    shape = (len(weights), weights.shape[1] // block)
    return Packed(codes.reshape(*shape, block), scale.reshape(shape), zero.reshape(shape))


def _fit(
    w: Floats, low: Floats, high: Floats, bits: Bits, shrink: float, rounding: Rounding
) -> tuple[Bytes, Floats, Bytes, Floats]:
    """Return codes, scales, zero points and gains; |w|^2 - gain is the squared error of a block at its best scale.

    The time goes into memory: each pass over all weights is a tenth of it.
    """
    top = np.float32(2**bits - 1)
    step = np.maximum((high - low) * (np.float32(shrink) / top), np.float32(TINY))
    offset = np.clip(rounding(np.asarray(-low * np.float32(shrink) / step, np.float32)), 0, top)
    level: Floats = np.asarray(w / step[:, None], np.float32)
    np.rint(level, out=level)
    least, most = -offset, top - offset
    (beyond,) = np.nonzero((np.rint(high / step) > most) | (np.rint(low / step) < least))  # few, or all of few
    if beyond.size:
        level[beyond] = np.clip(level[beyond], least[beyond, None], most[beyond, None])
    zero = offset.astype(np.uint8)
    codes = level.astype(np.int16).astype(np.uint8)  # modulo 256
    codes += zero[:, None]
    dot = np.einsum("ij,ij->i", w, level)
    fitted = dot / np.maximum(np.einsum("ij,ij->i", level, level), np.float32(TINY))
    return codes, fitted, zero, dot * fitted


def _extremes(w: Floats) -> tuple[Floats, Floats]:
    """Return the least and the largest weight of each block: quickly, by reducing columns of four instead of rows."""
    across = np.ascontiguousarray(w.view(np.complex128).T).view(np.float32)  # a complex number is four weights
    low, high = across.min(0).reshape(-1, 4), across.max(0).reshape(-1, 4)
    return np.ascontiguousarray(low.T).min(0), np.ascontiguousarray(high.T).max(0)


def pair_nibbles(values: Bytes) -> Bytes:
    """Put two 4-bit values into a byte along the last axis, the first in the low half; odd ends are padded."""
    if values.shape[-1] % 2:
        values = np.concatenate([values, np.zeros((*values.shape[:-1], 1), np.uint8)], axis=-1)
    pairs = np.ascontiguousarray(values).view("<u2")  # the first in the low byte: two passes, none of them strided
    return np.asarray(pairs | pairs >> 4).astype(np.uint8)


def rope_halves(rows: int, heads: int) -> Order:
    """Return the row order from llama GGUF's interleaved rotary pairs to two halves of each head."""
    return np.arange(rows).reshape(heads, -1, 2).swapaxes(1, 2).reshape(-1)
