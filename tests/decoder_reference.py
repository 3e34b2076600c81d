"""The decoders again in plain float64 numpy, from their papers, token by token: what the built graphs are held to.

Takes tensors as a GGUF file has them (llama: rotary pairs side by side) and shares no code with the builder.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sizes:
    family: str
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    epsilon: float = 1e-5
    rope_base: float = 10000.0


def rms_norm(x: Array, weight: Array, epsilon: float) -> Array:
    scaled: Array = x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * weight
    return scaled


def rotate(x: Array, positions: Array, frequencies: Array, *, halves: bool) -> Array:
    """Turn each pair of (tokens, heads, head size) as a complex number."""
    half = x.shape[-1] // 2
    real, imaginary = (x[..., :half], x[..., half:]) if halves else (x[..., 0::2], x[..., 1::2])
    pairs = real + 1j * imaginary
    turned = pairs * np.exp(1j * positions[:, None, None] * frequencies)
    if halves:
        return np.concatenate([turned.real, turned.imag], axis=-1)
    return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)


def run_decoder(tensors: Mapping[str, Array], sizes: Sizes, ids: list[int]) -> Array:
    """Return the logits of every position."""
    embedding = tensors["token_embd.weight"]
    x = embedding[ids]
    positions = np.arange(len(ids), dtype=np.float64)
    frequencies = sizes.rope_base ** (-np.arange(0, sizes.head_size, 2) / sizes.head_size)
    if "rope_freqs.weight" in tensors:
        frequencies = frequencies / tensors["rope_freqs.weight"]
    halves = sizes.family != "llama"
    future = np.triu(np.full((len(ids), len(ids)), -np.inf), 1)
    for layer in range(sizes.layers):

        def weight(part: str, layer: int = layer) -> Array:
            return tensors[f"blk.{layer}.{part}.weight"]

        def project(x: Array, part: str, layer: int = layer) -> Array:
            bias = tensors.get(f"blk.{layer}.{part}.bias", np.zeros(1))
            y: Array = x @ tensors[f"blk.{layer}.{part}.weight"].T + bias
            return y

        h = rms_norm(x, weight("attn_norm"), sizes.epsilon)
        q = project(h, "attn_q").reshape(len(ids), sizes.heads, -1)
        k = project(h, "attn_k").reshape(len(ids), sizes.kv_heads, -1)
        v = project(h, "attn_v").reshape(len(ids), sizes.kv_heads, -1)
        if sizes.family == "qwen3":
            q = rms_norm(q, weight("attn_q_norm"), sizes.epsilon)
            k = rms_norm(k, weight("attn_k_norm"), sizes.epsilon)
        q, k = (rotate(part, positions, frequencies, halves=halves) for part in (q, k))
        heads: list[Array] = []
        for head in range(sizes.heads):
            shared = head // (sizes.heads // sizes.kv_heads)
            scores = q[:, head] @ k[:, shared].T / np.sqrt(sizes.head_size) + future
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
            heads.append(weights / weights.sum(axis=-1, keepdims=True) @ v[:, shared])
        x = x + project(np.concatenate(heads, axis=-1), "attn_output")
        h = rms_norm(x, weight("ffn_norm"), sizes.epsilon)
        gate = project(h, "ffn_gate")
        x = x + project(gate / (1 + np.exp(-gate)) * project(h, "ffn_up"), "ffn_down")
    x = rms_norm(x, tensors["output_norm.weight"], sizes.epsilon)
    logits: Array = x @ tensors.get("output.weight", embedding).T
    return logits
