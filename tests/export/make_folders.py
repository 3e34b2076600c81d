"""Writes tiny Hugging Face folders with random weights, and what torch computes with them. Runs where torch is.

``python make_folders.py FOLDER``: one folder a model, each with ``expected.npz`` (``ids`` and ``output``).
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

sys.path.insert(0, str(Path(__file__).parents[1]))

from tiny_gguf import TEMPLATE, train_tokenizer

torch: Any = importlib.import_module("torch")  # not where the types are checked
transformers: Any = importlib.import_module("transformers")

TOKENS = 24
DECODER = {
    "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512, "initializer_range": 0.15,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}  # fmt: skip
ENCODER = {
    "vocab_size": 32, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128,
    "initializer_range": 0.2,
}  # fmt: skip
WORDS = ["please", "call", "dana", "whitfield", "at", "12", "baker", "street", "in", "london", "."]


def decoders() -> dict[str, tuple[Any, str]]:
    """Return a model of each family, and the name of how its tokenizer cuts text."""
    llama, qwen = len(train_tokenizer("llama-bpe").get_vocab()), len(train_tokenizer("qwen2").get_vocab())
    return {
        "llama": (
            transformers.LlamaForCausalLM(
                transformers.LlamaConfig(**DECODER, vocab_size=llama, rope_scaling=LLAMA3, tie_word_embeddings=True)
            ),
            "llama-bpe",
        ),
        "qwen2": (
            transformers.Qwen2ForCausalLM(
                transformers.Qwen2Config(**DECODER, vocab_size=qwen + 3, tie_word_embeddings=False)
            ),
            "qwen2",
        ),
        "qwen3": (
            transformers.Qwen3ForCausalLM(
                transformers.Qwen3Config(**DECODER, vocab_size=qwen, head_dim=64, tie_word_embeddings=True)
            ),
            "qwen2",
        ),
    }


def encoders() -> dict[str, Any]:
    """Return a token classifier and an embedding model."""
    labels = dict(enumerate(("O", "B-NAME", "I-NAME")))
    return {
        "classifier": transformers.BertForTokenClassification(
            transformers.BertConfig(**ENCODER, id2label=labels, label2id={v: k for k, v in labels.items()})
        ),
        "embedder": transformers.BertModel(transformers.BertConfig(**ENCODER), add_pooling_layer=False),
    }


def save(model: Any, tokenizer: Any, folder: Path, ids: list[int]) -> None:  # noqa: ANN401 - transformers' own
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    with torch.no_grad():
        output = model.float()(torch.tensor([ids]))[0][0].numpy()  # weights as saved, arithmetic in float32
    np.savez(folder / "expected.npz", ids=ids, output=output)


def main(target: Path) -> None:
    torch.manual_seed(3)
    random = np.random.default_rng(3)
    for name, (model, pre) in decoders().items():
        fast: Any = transformers.PreTrainedTokenizerFast(
            tokenizer_object=train_tokenizer(pre), eos_token="<|im_end|>", chat_template=TEMPLATE
        )
        model.generation_config.eos_token_id = model.config.eos_token_id = fast.eos_token_id
        save(model.to(torch.bfloat16), fast, target / name, random.integers(0, len(fast), TOKENS).tolist())
    vocabulary = {word: index for index, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys(WORDS)])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]")
    for name, model in encoders().items():
        save(model, fast, target / name, random.integers(4, len(vocabulary), TOKENS).tolist())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
