"""A tiny decoder as a Hugging Face folder: it becomes GGUF, and each way to spoil its JSON is a set-up error."""

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hybridmesh.bus.errors import SetupError, UsageError
from hybridmesh.infra.models import room
from hybridmesh.infra.models.architecture import Architecture
from hybridmesh.infra.models.exporting import export_model
from hybridmesh.infra.models.gguf_file import GgufFile
from hybridmesh.infra.models.hf_folder import HfFolder
from hybridmesh.infra.models.hf_to_gguf import write_gguf
from hybridmesh.infra.models.progress import silent
from hybridmesh.infra.models.store import ModelStore
from hybridmesh.infra.models.tokenizer_files import Vocabulary
from tiny_gguf import TEMPLATE, train_tokenizer

WIDTH, HEADS, FEED_FORWARD = 64, 4, 128
CONFIG: dict[str, Any] = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": WIDTH, "num_hidden_layers": 1,
    "num_attention_heads": HEADS, "num_key_value_heads": None, "intermediate_size": FEED_FORWARD,
    "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "eos_token_id": [2, 0],
    "rope_scaling": {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32,
    },
}  # fmt: skip
LAYER = {
    "input_layernorm.weight": (WIDTH,), "post_attention_layernorm.weight": (WIDTH,),
    "self_attn.q_proj.weight": (WIDTH, WIDTH), "self_attn.k_proj.weight": (WIDTH, WIDTH),
    "self_attn.v_proj.weight": (WIDTH, WIDTH), "self_attn.o_proj.weight": (WIDTH, WIDTH),
    "mlp.gate_proj.weight": (FEED_FORWARD, WIDTH), "mlp.up_proj.weight": (FEED_FORWARD, WIDTH),
    "mlp.down_proj.weight": (WIDTH, FEED_FORWARD),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a llama of one layer."""
    tokenizer = train_tokenizer("llama-bpe")
    made = tmp_path / "hf"
    made.mkdir()
    tokenizer.save(str(made / "tokenizer.json"))
    (made / "tokenizer_config.json").write_text(json.dumps({"chat_template": TEMPLATE}), "utf-8")
    (made / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    vocabulary = (tokenizer.get_vocab_size(), WIDTH)
    shapes = {"model.embed_tokens.weight": vocabulary, "model.norm.weight": (WIDTH,)}
    shapes |= {f"model.layers.0.{name}": shape for name, shape in LAYER.items()}
    header, end = dict[str, Any](), 0
    for name, shape in shapes.items():
        start, end = end, end + int(np.prod(shape)) * 4
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    numbers = np.random.default_rng(1).normal(size=end // 4).astype(np.float32)
    (made / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + numbers.tobytes())
    return made


def change(folder: Path, filename: str, spoil: Callable[[Any], object]) -> None:
    path = folder / filename
    value = json.loads(path.read_text("utf-8"))
    spoil(value)
    path.write_text(json.dumps(value), "utf-8")


def test_an_honest_folder_becomes_gguf(folder: Path, tmp_path: Path) -> None:
    """It runs on what you have: sizes, tokens and weights as the builder reads them."""
    write_gguf(HfFolder.open(folder), tmp_path / "m.gguf")
    with GgufFile(tmp_path / "m.gguf") as gguf:
        facts = Architecture.read(gguf)
        vocabulary = Vocabulary(gguf.metadata, facts)
    assert (facts.heads, facts.kv_heads, facts.head_size, facts.context) == (HEADS, HEADS, WIDTH // HEADS, 512)
    assert vocabulary.eos == 2
    assert vocabulary.chat_template == TEMPLATE


@pytest.mark.parametrize(
    "other",
    [
        {"hidden_act": "gelu"},
        {"use_sliding_window": True},
        {"layer_types": ["full_attention", "sliding_attention"]},
        {"partial_rotary_factor": 0.5},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_the_graph_does_not_compute_is_refused(folder: Path, tmp_path: Path, other: dict[str, Any]) -> None:
    """Nothing is hidden: weights that fit are not run as another model than their makers say."""
    change(folder, "config.json", lambda config: config.update(other))
    with pytest.raises(SetupError, match="folder cannot be used"):
        write_gguf(HfFolder.open(folder), tmp_path / "m.gguf")


def test_the_room_for_an_export_is_looked_at_first(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs on what you have: the weights lie on the disk twice for a while, which is told before they do."""

    def usage(_root: Path) -> SimpleNamespace:
        return SimpleNamespace(free=room.SPARE_BYTES + 20_200_000)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(SetupError, match="MB of disk"):
        export_model(ModelStore(tmp_path / "cache"), folder, "mine", "exact", silent)


@pytest.mark.parametrize("name", ["mine-7b", "mine-3b-v2", "mine-70b-0.5b"])
def test_a_name_that_says_more_weights_than_there_are_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    """Nothing is hidden: agents rely on a model that nobody measured by its size, so that has to be true."""
    with pytest.raises(UsageError, match="says that it has"):
        export_model(ModelStore(tmp_path / "cache"), folder, name, "exact", silent)


TEXTS = ("config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja")


@pytest.mark.parametrize("filename", TEXTS)
@pytest.mark.parametrize("odd", ["pipe", "enormous"])
def test_a_text_that_never_ends_is_refused(folder: Path, tmp_path: Path, filename: str, odd: str) -> None:
    """It runs on what you have: a pipe or a file of holes in a downloaded folder stops nothing."""
    path = folder / filename
    path.unlink(missing_ok=True)
    if odd == "pipe":
        os.mkfifo(path)
    else:
        with path.open("wb") as file:
            file.truncate(10**12)
    with pytest.raises(SetupError, match="folder cannot be used"):
        write_gguf(HfFolder.open(folder), tmp_path / "m.gguf")


def test_weights_in_a_pipe_are_refused(folder: Path) -> None:
    """It runs on what you have: nobody waits for a writer who never comes."""
    os.mkfifo(folder / "more.safetensors")
    with pytest.raises(SetupError, match="no plain file"):
        HfFolder.open(folder)


SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings")


NO_SIZES = (None, 0, -1, "4", True, [4])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in SIZES for value in (*NO_SIZES, 2.5, 10**12)),
        *(("rms_norm_eps", value) for value in NO_SIZES),
    ],
    ids=repr,
)
def test_a_size_that_is_none_is_named(folder: Path, tmp_path: Path, name: str, value: object) -> None:
    """It runs on what you have: who has a folder with a broken configuration reads what is wrong in it."""
    change(folder, "config.json", lambda config: config.update({name: value}))
    with pytest.raises(SetupError, match=f"folder cannot be used: {name}"):
        write_gguf(HfFolder.open(folder), tmp_path / "m.gguf")


SPOILT: dict[str, tuple[str, Callable[[Any], object]]] = {
    "no heads": ("config.json", lambda it: it.pop("num_attention_heads")),
    "heads that do not divide": ("config.json", lambda it: it.update(num_attention_heads=5)),
    "a rope that is a text": ("config.json", lambda it: it.update(rope_scaling="llama3")),
    "a rope without factors": ("config.json", lambda it: it["rope_scaling"].pop("factor")),
    "a rope of texts": ("config.json", lambda it: it["rope_scaling"].update(factor="8")),
    "a rope without a range": ("config.json", lambda it: it["rope_scaling"].update(low_freq_factor=4.0)),
    "an end that is a text": ("config.json", lambda it: it.update(eos_token_id="</s>")),
    "an end below zero": ("config.json", lambda it: it.update(eos_token_id=-1)),
    "no tokenizer model": ("tokenizer.json", lambda it: it.update(model=None)),
    "a token without an id": ("tokenizer.json", lambda it: it["added_tokens"][0].pop("id")),
    "a token whose text is a number": ("tokenizer.json", lambda it: it["added_tokens"][0].update(content=5)),
    "half a character": ("tokenizer.json", lambda it: it["added_tokens"][0].update(content="\ud800")),
    "an id that is a text": ("tokenizer.json", lambda it: it["model"]["vocab"].update(x="5")),
    "merges that are numbers": ("tokenizer.json", lambda it: it["model"].update(merges=[5])),
    "a cut that is a list": ("tokenizer.json", lambda it: it.update(pre_tokenizer=[1])),
    "a template of half a character": ("tokenizer_config.json", lambda it: it.update(chat_template="\ud800")),
    "no template": ("tokenizer_config.json", lambda it: it.update(chat_template=5)),
}


@pytest.mark.parametrize(("filename", "spoil"), SPOILT.values(), ids=SPOILT.keys())
def test_a_spoilt_folder_is_a_setup_error(
    folder: Path, tmp_path: Path, filename: str, spoil: Callable[[Any], object]
) -> None:
    """It runs on what you have: JSON of another form than the hub's is told, and is no bug."""
    change(folder, filename, spoil)
    with pytest.raises(SetupError, match="folder cannot be used") as refused:
        write_gguf(HfFolder.open(folder), tmp_path / "m.gguf")
    assert refused.value.remedy


def test_json_that_is_nested_too_deeply_is_none(folder: Path) -> None:
    """It runs on what you have: a hostile configuration is refused like any that cannot be read."""
    (folder / "config.json").write_text("[" * 100_000, "utf-8")
    with pytest.raises(SetupError, match=r"config\.json"):
        HfFolder.open(folder)


@pytest.mark.parametrize("labels", [None, 5, {"1": "B-CITY"}, ["O"]], ids=repr)
def test_a_classifier_without_labels_is_refused_before_minutes_of_work(
    folder: Path, tmp_path: Path, labels: object
) -> None:
    """It runs on what you have: what nobody could name is not exported."""
    spoilt = {"architectures": ["BertForTokenClassification"], "model_type": "bert", "id2label": labels}
    change(folder, "config.json", lambda config: config.update(spoilt))
    with pytest.raises(SetupError, match="labels"):
        export_model(ModelStore(tmp_path / "cache"), folder, "mine", "exact", silent)
