"""GGUF files of some hundred kilobytes with the structure of real ones: random weights, a real byte-level BPE."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter, dequantize
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from decoder_reference import Array, Sizes

Q = GGMLQuantizationType
WIDTH, FEED_FORWARD, LAYERS, HEADS, KV_HEADS, HEAD_SIZE = 256, 512, 2, 4, 2, 64
QUERIES, KEYS = HEADS * HEAD_SIZE, KV_HEADS * HEAD_SIZE
MATRICES = (
    ("attn_q", QUERIES, WIDTH), ("attn_k", KEYS, WIDTH), ("attn_v", KEYS, WIDTH), ("attn_output", WIDTH, QUERIES),
    ("ffn_gate", FEED_FORWARD, WIDTH), ("ffn_up", FEED_FORWARD, WIDTH), ("ffn_down", WIDTH, FEED_FORWARD),
)  # fmt: skip
NORMS = (("attn_norm.weight", WIDTH, 0.5, 1.5), ("ffn_norm.weight", WIDTH, 0.5, 1.5))
VECTORS = {
    "llama": NORMS,
    "qwen2": (
        *NORMS, ("attn_q.bias", QUERIES, -0.5, 0.5), ("attn_k.bias", KEYS, -0.5, 0.5), ("attn_v.bias", KEYS, -0.5, 0.5)
    ),
    "qwen3": (
        *NORMS, ("attn_q_norm.weight", HEAD_SIZE, 0.5, 1.5), ("attn_k_norm.weight", HEAD_SIZE, 0.5, 1.5)
    ),
}  # fmt: skip
SPECIAL = ("<|end_of_text|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = "{% for message in messages %}<|im_start|>{{ message.content }}<|im_end|>{% endfor %}"
# As the makers of the models publish them.
PRE_TOKENIZERS = {
    "qwen2": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "llama-bpe": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
LESSONS = (
    "The order of 12 pallets was shipped on 2026-11-14; it's 1500 km. Don't worry, we'll call you.",
    "Größe, Straße, naïve café, señor, où est l'hôtel? 東京 Москва",
    "def run(self, x):\n    return [y for y in x if y > 100]\n\n\n",
)


@dataclass(frozen=True)
class Tiny:
    """One file, its weights as floats, and what they were made with."""

    path: Path
    sizes: Sizes
    tensors: Mapping[str, Array]
    tokenizer: Tokenizer


@dataclass(frozen=True)
class Kinds:
    """How the matrices are stored; ``other`` names those that differ from ``matrix``."""

    matrix: GGMLQuantizationType = Q.F32
    embedding: GGMLQuantizationType = Q.Q8_0
    other: Mapping[str, GGMLQuantizationType] = field(default_factory=dict[str, GGMLQuantizationType])


@cache
def train_tokenizer(pre: str) -> Tokenizer:
    """Return a byte-level BPE of some five hundred tokens that cuts text as ``pre`` says."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=pre == "llama-bpe"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRE_TOKENIZERS[pre]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=509, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(LESSONS, trainer)
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def random_blocks(
    kind: GGMLQuantizationType, rows: int, columns: int, random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Return random rows of a kind whose weights are of the size that they have in models."""
    if kind in (Q.F32, Q.F16, Q.BF16):
        weights = random.normal(0, columns**-0.5, (rows, columns)).astype(np.float32)
        if kind == Q.F32:
            return weights.view(np.uint8)
        if kind == Q.F16:
            return weights.astype(np.float16).view(np.uint8)
        return (weights.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
    block, width = GGML_QUANT_SIZES[kind]
    raw = random.integers(0, 256, (rows, columns // block, width), np.uint8)
    if kind in (Q.Q4_K, Q.Q5_K):
        raw[..., 4:12] |= 0xA0  # scales and minima in the upper half of their 6 bits, as their fit puts them
    parts: list[npt.NDArray[np.float32]] = []
    for place in SCALES[kind]:  # a block is linear in its scale and its minimum
        for other in SCALES[kind]:
            raw[..., other : other + 2] = np.array([other == place], np.float16).view(np.uint8)
        parts.append(dequantize(raw.reshape(rows, -1), kind).reshape(rows, -1, block))
    if len(parts) == 1:
        scales = [np.where(random.random(raw.shape[:2]) < 0.5, -1.0, 1.0)]
    else:
        scales = [np.ones(raw.shape[:2]), -parts[0].mean(-1) / parts[1].mean(-1)]  # the weights' mean is zero
    weights = np.sum([scale[..., None] * part for scale, part in zip(scales, parts, strict=True)], axis=0)
    size = random.uniform(0.7, 1.3, raw.shape[:2]) * columns**-0.5 / np.std(weights, axis=-1)
    for place, scale in zip(SCALES[kind], scales, strict=True):
        raw[..., place : place + 2] = (scale * size).astype(np.float16)[..., None].view(np.uint8)
    return raw.reshape(rows, -1)


# Where the half floats of a block are: its scale, and where there is one its minimum.
SCALES: Mapping[GGMLQuantizationType, tuple[int, ...]] = {
    Q.Q4_0: (0,), Q.Q4_1: (0, 2), Q.Q5_0: (0,), Q.Q5_1: (0, 2), Q.Q8_0: (0,),
    Q.Q2_K: (80, 82), Q.Q3_K: (108,), Q.Q4_K: (0, 2), Q.Q5_K: (0, 2), Q.Q6_K: (208,),
}  # fmt: skip


class _TensorWriter:
    """Adds random tensors to a file and keeps them as floats."""

    def __init__(self, writer: GGUFWriter, kinds: Kinds, seed: int) -> None:
        self.tensors: dict[str, Array] = {}
        self._writer, self._kinds, self._random = writer, kinds, np.random.default_rng(seed)

    def add(self, name: str, rows: int, columns: int, kind: GGMLQuantizationType) -> None:
        raw = random_blocks(kind, rows, columns, self._random)
        self.tensors[name] = dequantize(raw, kind).reshape(rows, columns).astype(np.float64)
        self._writer.add_tensor(name, raw, raw_dtype=kind)

    def add_vector(self, name: str, size: int, low: float, high: float) -> None:
        values = self._random.uniform(low, high, size).astype(np.float32)
        self.tensors[name] = values.astype(np.float64)
        self._writer.add_tensor(name, values)

    def add_layer(self, at: str, family: str) -> None:
        for name, rows, columns in MATRICES:
            self.add(f"{at}.{name}.weight", rows, columns, self._kinds.other.get(name, self._kinds.matrix))
        for name, size, low, high in VECTORS[family]:
            self.add_vector(f"{at}.{name}", size, low, high)


def write_gguf(
    path: Path, family: str, kinds: Kinds | None = None, *, rope_factors: bool = False, tied: bool = True, seed: int = 1
) -> Tiny:
    """Write a decoder of two layers; llama gets the tokenizer of Llama 3, the others that of Qwen."""
    kinds = kinds or Kinds()
    pre = "llama-bpe" if family == "llama" else "qwen2"
    tokenizer = train_tokenizer(pre)
    writer = GGUFWriter(path, family)
    _write_metadata(writer, tokenizer, pre)
    tensors = _TensorWriter(writer, kinds, seed)
    for name in ["token_embd.weight"] if tied else ["token_embd.weight", "output.weight"]:
        tensors.add(name, tokenizer.get_vocab_size(), WIDTH, kinds.embedding)
    tensors.add_vector("output_norm.weight", WIDTH, 0.5, 1.5)
    if rope_factors:
        tensors.add_vector("rope_freqs.weight", HEAD_SIZE // 2, 1, 8)
    for layer in range(LAYERS):
        tensors.add_layer(f"blk.{layer}", family)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return Tiny(path, Sizes(family, LAYERS, HEADS, KV_HEADS, HEAD_SIZE), tensors.tensors, tokenizer)


def _write_metadata(writer: GGUFWriter, tokenizer: Tokenizer, pre: str) -> None:
    vocabulary = tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_context_length(1 << 17)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_SIZE)
    writer.add_value_length(HEAD_SIZE)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in SPECIAL else 1 for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in merges_of(tokenizer)])
    writer.add_eos_token_id(vocabulary["<|im_end|>"])
    writer.add_chat_template(TEMPLATE)


def merges_of(tokenizer: Tokenizer) -> list[list[str]]:
    """Return the merges in order, which the library shows in its JSON only."""
    import json

    model: dict[str, list[list[str]]] = json.loads(tokenizer.to_str())["model"]
    return model["merges"]
