"""The tables of rotary position embedding, with the scaling that stretches a model's context folded in. Pure."""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridmesh.infra.models.gguf_file import Floats, GgufFile
from hybridmesh.infra.models.gguf_metadata import unusable

FACTORS: Final = "rope_freqs.weight"  # Llama 3: by how much each frequency is lowered


def rope_frequencies(gguf: GgufFile, family: str, head_size: int) -> npt.NDArray[np.float64]:
    """Return the angle a position of each pair of a head; raises SetupError for a scaling that is not known."""
    meta = gguf.metadata
    exponents = -np.arange(0, head_size, 2, dtype=np.float64) / head_size
    frequencies = np.power(meta.number(f"{family}.rope.freq_base", 10000.0), exponents)
    if meta.text(f"{family}.rope.scaling.type", "linear") not in ("none", "linear"):
        raise unusable("its rope scaling is not known")
    frequencies /= meta.number(f"{family}.rope.scaling.factor", 1.0)
    if FACTORS in gguf.tensors:
        factors = gguf.tensor(FACTORS).vector().astype(np.float64)
        if factors.shape != frequencies.shape or not (np.isfinite(factors) & (factors > 0)).all():
            raise unusable("the factors of its rope scaling do not fit the heads")
        frequencies /= factors
    return frequencies


def rope_tables(frequencies: npt.NDArray[np.float64], positions: int) -> tuple[Floats, Floats]:
    """Return cosines and sines, each float32 (positions, pairs)."""
    angles = np.outer(np.arange(positions), frequencies)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
