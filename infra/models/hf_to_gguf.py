"""Writes a GGUF file from a Hugging Face folder of a known decoder family; no torch, no transformers."""

import math
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from gguf import MODEL_ARCH, GGUFWriter, TokenType, get_tensor_name_map

from hybridmesh.infra.models.architecture import MAX_LAYERS
from hybridmesh.infra.models.hf_folder import HfFolder, Weights, positive, read_json, read_text, unfit
from hybridmesh.infra.models.tokenizer_files import WORDS_LLAMA3, WORDS_QWEN2

FAMILIES: Final = {"llama": MODEL_ARCH.LLAMA, "qwen2": MODEL_ARCH.QWEN2, "qwen3": MODEL_ARCH.QWEN3}
SCALING: Final = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
MALFORMED: Final = (KeyError, IndexError, TypeError, AttributeError, ValueError)  # from JSON that has another form
MATRIX: Final = 2  # dimensions
ROTARY: Final = ("attn_q.weight", "attn_k.weight")
SPLITS: Final = {WORDS_LLAMA3: "llama-bpe", WORDS_QWEN2: "qwen2"}


def write_gguf(source: HfFolder, target: Path) -> None:
    """Write weights, sizes and tokenizer of ``source``; raises SetupError for what the builder would not know."""
    family = source.family
    _check_form(source.config)
    writer = GGUFWriter(target, family)
    width, layers = source.size("hidden_size"), source.size("num_hidden_layers", high=MAX_LAYERS)
    heads = source.size("num_attention_heads")
    kv_heads = source.size("num_key_value_heads", heads)
    head_size = source.size("head_dim", width // heads)
    writer.add_block_count(layers)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(source.size("intermediate_size"))
    writer.add_context_length(source.size("max_position_embeddings"))
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head_size)
    writer.add_value_length(head_size)
    writer.add_layer_norm_rms_eps(positive(source.config, "rms_norm_eps"))
    base, scaling = _rope(source.config)
    writer.add_rope_freq_base(base)
    names = get_tensor_name_map(FAMILIES[family], layers)
    found = {
        names.get_name(name, try_suffixes=(".weight", ".bias")): tensor for name, tensor in source.weights().items()
    }
    if None in found or "token_embd.weight" not in found or len(found["token_embd.weight"].shape) != MATRIX:
        raise unfit("its tensors are not those of the family")
    _write_tokenizer(writer, source, found["token_embd.weight"].shape[0])
    for name, tensor in found.items():
        turned = family == "llama" and str(name).endswith(ROTARY)
        count = heads if str(name).endswith(ROTARY[0]) else kv_heads
        writer.add_tensor(str(name), _side_by_side(tensor, count) if turned else tensor.raw, raw_dtype=tensor.kind)
    if scaling:
        writer.add_tensor("rope_freqs.weight", llama3_factors(base, head_size, scaling))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _check_form(config: dict[str, Any]) -> None:
    """Refuse what the graph does not compute: without these, the same weights are another model."""
    if config.get("hidden_act", "silu") != "silu":
        raise unfit("hidden_act in config.json is not silu")
    if config.get("use_sliding_window") or "sliding_attention" in (config.get("layer_types") or ()):
        raise unfit("attention in a sliding window is not known")
    if (config.get("partial_rotary_factor") or 1) != 1:
        raise unfit("partial rotary embedding is not known")


def _side_by_side(tensor: Weights, heads: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Put the rotary pairs of each head from two halves side by side, as llama's GGUF files have them."""
    if len(tensor.shape) != MATRIX or tensor.shape[0] % (2 * heads):
        raise unfit("the sizes of its tensors do not fit its heads")
    rows, width = tensor.raw.shape
    return tensor.raw.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width)


def _rope(config: dict[str, Any]) -> tuple[float, dict[str, float] | None]:
    """Return the base of the rotary frequencies, and Llama 3's scaling where there is one."""
    given: object = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(given, dict):
        raise unfit("the rope scaling in config.json is no object")
    rope = cast("dict[str, Any]", given)
    base = positive(rope, "rope_theta", positive(config, "rope_theta", 10000.0))
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind not in ("default", "llama3"):
        raise unfit(f"rope scaling of the kind {kind} is not known")
    if kind == "default":
        return base, None
    scaling = {name: positive(rope, name) for name in SCALING}
    if scaling["low_freq_factor"] >= scaling["high_freq_factor"]:
        raise unfit("the factors of its rope scaling are no range")
    return base, scaling


def llama3_factors(
    base: float, head_size: int, scaling: dict[str, float]
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """Return by how much each frequency is lowered: long waves by ``factor``, short ones not, between them smoothly."""
    factor, low, high = scaling["factor"], scaling["low_freq_factor"], scaling["high_freq_factor"]
    context = scaling["original_max_position_embeddings"]
    waves = 2 * math.pi * base ** (np.arange(0, head_size, 2) / head_size)
    smooth = np.clip((context / waves - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / factor + smooth)).astype(np.float32)


def _write_tokenizer(writer: GGUFWriter, source: HfFolder, size: int) -> None:
    tokenizer, config = read_json(source.folder / "tokenizer.json"), source.optional("tokenizer_config.json")
    try:
        tokens, kinds = _read_tokens(tokenizer, size)
        pairs = tokenizer["model"].get("merges", [])
        merges = [_text(pair if isinstance(pair, str) else " ".join(pair)) for pair in pairs]
        split = _pre_tokenizer(tokenizer)
        template = source.folder / "chat_template.jinja"
        chat: object = read_text(template) if template.exists() else config.get("chat_template")
        if not isinstance(chat, str):
            raise unfit("it has no chat template; only models that follow instructions are of use")
        chat.encode()
    except MALFORMED:
        raise unfit("its tokenizer is not as the model hub has them") from None
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    generation = source.optional("generation_config.json")
    for key, add in (("eos_token_id", writer.add_eos_token_id), ("bos_token_id", writer.add_bos_token_id)):
        ids: object = generation.get(key, source.config.get(key))
        first: object = next(iter(cast("list[object]", ids)), None) if isinstance(ids, list) else ids
        if first is None:
            continue
        if not isinstance(first, int) or not 0 <= first < size:
            raise unfit(f"{key} is no token")
        add(first)
    writer.add_chat_template(chat)


def _read_tokens(tokenizer: dict[str, Any], size: int) -> tuple[list[str], list[TokenType]]:
    """Return the text and the kind of each token; raises SetupError, or one of MALFORMED."""
    model = tokenizer["model"]
    if model.get("type") != "BPE" or not isinstance(model.get("vocab"), dict):
        raise unfit("its tokenizer is not byte-level BPE")
    tokens = [f"[PAD{index}]" for index in range(size)]
    kinds = [TokenType.UNUSED] * size
    named = [(index, text, TokenType.NORMAL) for text, index in model["vocab"].items()]
    for token in tokenizer.get("added_tokens", []):
        kind = TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED
        named.append((token["id"], token["content"], kind))
    if any(not 0 <= index < size for index, _, _ in named):
        raise unfit("its vocabulary does not fit its embedding")
    for index, text, kind in named:
        tokens[index], kinds[index] = _text(text), kind
    return tokens, kinds


def _text(value: object) -> str:
    """Return a text that can be written; raises one of MALFORMED for anything else, also half a character."""
    if not isinstance(value, str):
        raise TypeError
    value.encode()
    return value


def _pre_tokenizer(tokenizer: dict[str, Any]) -> str:
    """Return GGUF's name for how the tokenizer cuts text."""
    outer: dict[str, Any] = tokenizer.get("pre_tokenizer") or {}
    steps: list[dict[str, Any]] = outer.get("pretokenizers", [outer])
    if [step.get("type") for step in steps] == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
        return "smollm"
    for step in steps:
        name = SPLITS.get(step.get("pattern", {}).get("Regex", ""))
        if name:
            return name
    raise unfit("how its tokenizer cuts text is not known")
