"""Writes tokenizer.json, tokenizer_config.json and genai_config.json from GGUF metadata (byte-level BPE only)."""

import json
from pathlib import Path
from typing import Final

from hybridmesh.infra.models.architecture import Architecture
from hybridmesh.infra.models.gguf_metadata import Metadata, unusable

CONTROL, USER_DEFINED = 3, 4  # GGUF token types
END_TOKENS: Final = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "</s>")
WORDS_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
WORDS_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
WORDS_LLAMA3 = WORDS_QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
# How text is cut before BPE, by GGUF's name of the pre-tokenizer. genai's own tokenizer gets "Digits" wrong and
# refuses lookahead (?=...), so smollm's single digits are a split of their own.
SPLITS: Final = {"smollm": (r"\p{N}", WORDS_GPT2), "qwen2": (WORDS_QWEN2,), "llama-bpe": (WORDS_LLAMA3,)}
CLASSES: Final = {"smollm": "GPT2Tokenizer", "qwen2": "Qwen2Tokenizer", "llama-bpe": "PreTrainedTokenizerFast"}


class Vocabulary:
    """The tokens of one file; raises SetupError for a tokenizer that is not byte-level BPE, or does not fit."""

    def __init__(self, meta: Metadata, facts: Architecture) -> None:
        model, self.pre = meta.text("tokenizer.ggml.model"), meta.text("tokenizer.ggml.pre", "")
        if model != "gpt2" or self.pre not in SPLITS:
            raise unusable(f"tokenizer {model}/{self.pre} is not known")
        self.tokens = meta.texts("tokenizer.ggml.tokens")
        self.kinds = meta.integers("tokenizer.ggml.token_type")
        self.merges = meta.texts("tokenizer.ggml.merges")
        if not len(self.tokens) == len(self.kinds) == facts.vocabulary:
            raise unusable("the vocabulary does not fit the embedding")
        last = len(self.tokens) - 1
        self.eos = meta.integer("tokenizer.ggml.eos_token_id", high=last)
        self.bos = meta.integer("tokenizer.ggml.bos_token_id", self.eos, high=last)
        self.pad = meta.integer("tokenizer.ggml.padding_token_id", self.eos, high=last)
        self.adds_bos = meta.flag("tokenizer.ggml.add_bos_token")
        self.chat_template = meta.text("tokenizer.chat_template")

    @property
    def ends(self) -> list[int]:
        """Every token that ends a turn: the declared one first."""
        named = (i for i, t in enumerate(self.tokens) if t in END_TOKENS and self.kinds[i] == CONTROL)
        return [self.eos, *(i for i in named if i != self.eos)]


def write_tokenizer(vocabulary: Vocabulary, context: int, folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    splits = [
        {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}
        for regex in SPLITS[vocabulary.pre]
    ]
    added = [
        {
            "id": i, "content": vocabulary.tokens[i], "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": kind == CONTROL,
        }
        for i, kind in enumerate(vocabulary.kinds) if kind in (CONTROL, USER_DEFINED)
    ]  # fmt: skip
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "NFC"} if vocabulary.pre == "qwen2" else None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [*splits, byte_level]},
        "post_processor": None, "decoder": {**byte_level, "add_prefix_space": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
            "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False,
            "ignore_merges": vocabulary.pre == "llama-bpe",  # a word that is a token needs no merges to it
            "vocab": {token: i for i, token in enumerate(vocabulary.tokens)}, "merges": vocabulary.merges,
        },
    }  # fmt: skip
    config = {
        "tokenizer_class": CLASSES[vocabulary.pre],
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
        "bos_token": vocabulary.tokens[vocabulary.bos] if vocabulary.adds_bos else None,
        "eos_token": vocabulary.tokens[vocabulary.eos],
        "unk_token": None,
        "pad_token": vocabulary.tokens[vocabulary.pad],
        "chat_template": vocabulary.chat_template,
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False), "utf-8")


def write_genai_config(vocabulary: Vocabulary, facts: Architecture, folder: Path) -> None:
    """Write genai_config.json: what onnxruntime-genai needs to run the graph."""
    names = {"past_key_names": "past_key_values.%d.key", "past_value_names": "past_key_values.%d.value"}
    presents = {"present_key_names": "present.%d.key", "present_value_names": "present.%d.value"}
    no_providers: list[str] = []
    config = {
        "model": {
            "type": facts.family,
            "context_length": facts.context,
            "vocab_size": facts.vocabulary,
            "bos_token_id": vocabulary.bos,
            "eos_token_id": vocabulary.ends,
            "pad_token_id": vocabulary.pad,
            "decoder": {
                "filename": "model.onnx",
                "session_options": {"log_id": "onnxruntime-genai", "provider_options": no_providers},
                "hidden_size": facts.width,
                "head_size": facts.head_size,
                "num_attention_heads": facts.heads,
                "num_key_value_heads": facts.kv_heads,
                "num_hidden_layers": facts.layers,
                "inputs": {"input_ids": "input_ids", "attention_mask": "attention_mask", **names},
                "outputs": {"logits": "logits", **presents},
            },
        },
        "search": {"do_sample": False, "max_length": facts.context, "past_present_share_buffer": True},
    }
    (folder / "genai_config.json").write_text(json.dumps(config, indent=1), "utf-8")
