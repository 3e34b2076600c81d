"""Weight blocks keep their values on the way from GGUF to ONNX."""

import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.infra.models.packing import (
    BLOCK,
    WIDE,
    Bits,
    Form,
    choose_form,
    copy_codes,
    eight_bits,
    fit_codes,
    pair_nibbles,
    rope_halves,
)
from hybridmesh.infra.models.requantise import spread_nibbles
from hybridmesh.infra.models.unpacking import unpack_levels

Q = GGMLQuantizationType


def random_blocks(
    kind: GGMLQuantizationType, rows: int, blocks: int, seed: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Every byte random but for the two of the scale, which stay a finite half float."""
    random = np.random.default_rng(seed)
    raw = random.integers(0, 256, (rows, blocks, GGML_QUANT_SIZES[kind][1]), np.uint8)
    scale = random.uniform(-2, 2, (rows, blocks)).astype(np.float16)
    raw[..., :2] = scale[..., None].view(np.uint8)
    return raw.reshape(rows, -1)


@pytest.mark.parametrize(("kind", "bits"), [(Q.Q8_0, 8), (Q.Q5_0, 8), (Q.Q4_0, 4), (Q.Q4_0, 8)])
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 4), blocks=st.integers(1, 5))
def test_symmetric_blocks_are_copied_to_the_bit(
    kind: GGMLQuantizationType, bits: Bits, seed: int, rows: int, blocks: int
) -> None:
    """It runs on what you have: the prepared model is the published one, not an approximation of it."""
    raw = random_blocks(kind, rows, blocks, seed)
    packed = copy_codes(raw, kind, bits)
    assert packed is not None
    assert packed.codes.max() < 2**bits
    np.testing.assert_array_equal(packed.weights(), dequantize(raw, kind).reshape(rows, -1))


@pytest.mark.parametrize("kind", [Q.Q4_0, Q.Q5_0, Q.Q6_K, Q.Q8_0])
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 40), blocks=st.integers(1, 3))
def test_levels_are_the_weights_to_the_bit(kind: GGMLQuantizationType, seed: int, rows: int, blocks: int) -> None:
    """It runs on what you have: unpacked a chunk at once, weights are what GGUF's own library makes of them."""
    raw = random_blocks(kind, rows, blocks, seed)
    if kind == Q.Q6_K:  # its scale comes last
        raw = np.roll(raw.reshape(rows, blocks, -1), -2, axis=-1).reshape(rows, -1)
    levels = unpack_levels(raw, kind)
    assert levels is not None
    assert levels.weights().tobytes() == dequantize(raw, kind).tobytes()


@pytest.mark.parametrize("block", [BLOCK, WIDE])
@given(seed=st.integers(0, 2**32 - 1), span=st.integers(0, 32))
def test_codes_of_a_fit_are_the_nearest_ones(seed: int, span: int, block: int) -> None:
    """It runs on what you have: also where code and zero point both are rounded up, and one of them has to give way."""
    whole = np.random.default_rng(seed).integers(-span, span + 1, (2, 128))  # many ties
    weights = (whole * np.float32(0.125)).astype(np.float32)
    packed, w = fit_codes(weights, 8, block), weights.reshape(-1, block)
    low, high = np.minimum(w.min(1), 0), np.maximum(w.max(1), 0)
    step = np.maximum((high - low) * (np.float32(1) / np.float32(255)), np.float32(1e-12))
    zero = np.rint(-low / step)
    codes = np.clip(np.rint(w / step[:, None]) + zero[:, None], 0, 255)
    np.testing.assert_array_equal(packed.zero.ravel(), zero)
    np.testing.assert_array_equal(packed.codes.reshape(-1, block), codes)


@pytest.mark.parametrize(("kind", "bits"), [(Q.Q8_0, 4), (Q.Q5_0, 4), (Q.Q4_1, 8), (Q.Q4_K, 4), (Q.F32, 8)])
def test_blocks_that_would_lose_are_not_copied(kind: GGMLQuantizationType, bits: Bits) -> None:
    """It runs on what you have: a copy is made only where nothing is lost by it."""
    assert copy_codes(np.zeros((1, GGML_QUANT_SIZES[kind][1]), np.uint8), kind, bits) is None


@given(
    seed=st.integers(0, 2**32 - 1),
    shift=st.floats(-3, 3),
    spread=st.floats(1e-3, 10),
    bits=st.sampled_from((4, 8)),
    block=st.sampled_from((BLOCK, WIDE)),
)
def test_a_fit_stays_within_half_a_step(seed: int, shift: float, spread: float, bits: Bits, block: int) -> None:
    """It runs on what you have: refitted blocks have a bounded error, whatever the values."""
    weights = (np.random.default_rng(seed).normal(size=(3, 128)) * spread + shift).astype(np.float32)
    packed = fit_codes(weights, bits, block)
    assert packed.codes.shape == (3, 128 // block, block)
    blocks = weights.reshape(-1, block)
    step = (np.maximum(blocks.max(1), 0) - np.minimum(blocks.min(1), 0)) / (2**bits - 1)
    error = np.sqrt(np.mean((packed.weights().reshape(-1, block) - blocks) ** 2, axis=1))
    # Half a step for the code and half a step for the zero point, before the scale is fitted to lower the error.
    assert (error <= step + 1e-6).all()
    assert packed.codes.max() < 2**bits
    assert packed.zero.max() < 2**bits


def test_zeros_stay_zero() -> None:
    """It runs on what you have: an empty block gives neither NaN nor noise."""
    np.testing.assert_array_equal(fit_codes(np.zeros((1, 32), np.float32), 4).weights(), np.zeros((1, 32)))


@given(st.lists(st.integers(0, 15), min_size=1, max_size=33))
def test_nibbles_come_back(values: list[int]) -> None:
    """It runs on what you have: packing two codes a byte loses none, also at odd ends."""
    codes = np.array([values], np.uint8)
    np.testing.assert_array_equal(spread_nibbles(pair_nibbles(codes))[:, : len(values)], codes)


def test_rope_rows_turn_pairs_into_halves() -> None:
    """It runs on what you have: attention of llama files sees its rotary pairs where the kernel looks for them."""
    assert rope_halves(8, 2).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert sorted(rope_halves(96, 3).tolist()) == list(range(96))


def test_profiles_choose_the_form() -> None:
    """It runs on what you have: "exact" spends 8 bits unless 4 lose nothing; "small" narrows what bears it."""
    assert choose_form([Q.Q4_0], "exact", 896, sensitive=True) == Form(4)
    assert choose_form([Q.Q4_K], "exact", 896, sensitive=False) == Form(8)
    assert choose_form([Q.Q4_K], "small", 896, sensitive=True) == Form(4, shifted=True)
    assert choose_form([Q.Q4_K, Q.Q5_0], "small", 896, sensitive=False) == Form(4, shifted=True)
    assert choose_form([Q.Q4_K, Q.Q5_0], "small", 896, sensitive=True) == Form(8)
    assert choose_form([Q.Q4_K, Q.Q6_K], "small", 896, sensitive=False) == Form(8)


def test_fast_widens_the_blocks_that_bear_it() -> None:
    """It runs on what you have: blocks of 64 where rows are whole ones and nothing is lost that matters."""
    assert choose_form([Q.Q4_K], "fast", 896, sensitive=False) == Form(8, WIDE)
    assert choose_form([Q.Q4_K], "fast", 896, sensitive=True) == Form(8)
    assert choose_form([Q.Q4_K], "fast", 96, sensitive=False) == Form(8)
    assert choose_form([Q.Q4_0], "fast", 896, sensitive=False) == Form(4)
    assert eight_bits("fast", 896) == Form(8, WIDE)
    assert eight_bits("small", 896) == eight_bits("exact", 896) == Form(8)
