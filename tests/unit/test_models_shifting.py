"""4-bit blocks with a shift lose next to nothing of 4-bit sources, and less than others of wider ones."""

import numpy as np
import pytest
from gguf import GGMLQuantizationType, dequantize
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmesh.infra.models.packing import BLOCK, fit_codes
from hybridmesh.infra.models.shifting import copy_shifted, fit_shifted, shift_columns
from tiny_gguf import random_blocks

Q = GGMLQuantizationType
Matrix = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def rms(values: Matrix) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


@pytest.mark.parametrize("kind", [Q.Q4_1, Q.Q4_K])
@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 5), blocks=st.integers(1, 4))
def test_four_bit_codes_are_copied(kind: GGMLQuantizationType, seed: int, rows: int, blocks: int) -> None:
    """It runs on what you have: scale, code and minimum are those of the file, up to the last bits of a float32."""
    raw = random_blocks(kind, rows, blocks * 256, np.random.default_rng(seed))
    found = copy_shifted(raw, kind)
    assert found is not None
    wanted = dequantize(raw, kind).reshape(rows, -1)
    np.testing.assert_allclose(found.weights(), wanted, rtol=0, atol=2e-6 * np.abs(wanted).max())
    assert found.packed.codes.max() < 16
    assert found.packed.zero.max() < 16


@pytest.mark.parametrize("kind", [Q.Q4_0, Q.Q5_K, Q.Q8_0, Q.F32])
def test_other_kinds_are_not_copied(kind: GGMLQuantizationType) -> None:
    """It runs on what you have: a copy is made only of what is a scale, a code and a minimum."""
    assert copy_shifted(np.zeros((1, 256), np.uint8), kind) is None


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), offset=st.floats(-3, 3), spread=st.floats(1e-3, 10))
def test_a_shift_lowers_the_error_of_a_fit(seed: int, offset: float, spread: float) -> None:
    """It runs on what you have: a free minimum beats whole zero points wherever the weights lie."""
    weights = (np.random.default_rng(seed).normal(size=(16, 128)) * spread + offset).astype(np.float32)
    shifted = rms(fit_shifted(weights).weights() - weights)
    assert shifted < 0.09 * spread
    assert shifted < rms(fit_codes(weights, 4).weights() - weights)


def test_a_block_of_one_value_is_kept() -> None:
    """It runs on what you have: a block without spread gives neither NaN nor noise."""
    weights = np.full((1, BLOCK), 0.25, np.float32)
    np.testing.assert_allclose(fit_shifted(weights).weights(), weights, rtol=1e-6)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), blocks=st.integers(1, 40))
def test_widened_rows_meet_the_sums_of_the_blocks(seed: int, blocks: int) -> None:
    """It runs on what you have: further columns times sums of blocks are the shifts times the input."""
    random = np.random.default_rng(seed)
    weights = random.normal(size=(3, blocks * BLOCK)).astype(np.float32)
    x = random.normal(size=blocks * BLOCK).astype(np.float32)
    shifted = fit_shifted(weights)
    sums = np.zeros(shift_columns(blocks), np.float32)
    sums[:blocks] = x.reshape(blocks, BLOCK).sum(1)
    found = shifted.widened().weights() @ np.concatenate([x, sums])
    np.testing.assert_allclose(found, shifted.weights() @ x, atol=0.05 * np.sqrt(x.size))
