"""Folders of Hugging Face models made into prepared ones, and held against torch: ``make test-export``."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped] # ships no types
import pytest

from hybridmesh.infra.models.store import ModelStore

PYTHON = os.environ.get("EXPORT_PYTHON", "")
pytestmark = pytest.mark.skipif(not PYTHON, reason="needs torch and optimum: run `make test-export`")

Array = npt.NDArray[np.float32]
MAKE = Path(__file__).parent / "make_folders.py"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hf")
    subprocess.run([PYTHON, str(MAKE), str(folder)], check=True, capture_output=True)
    return folder


def export(python: str, folder: Path, cache: Path) -> "subprocess.CompletedProcess[str]":
    program = str(Path(python).with_name("hybridmesh"))
    command = [program, "model", "export", str(folder), "--as", "mine", "--json"]
    environment = {**os.environ, "HYBRIDMESH_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def run(model: Path, ids: list[int]) -> Array:
    """Return the first output for all tokens; a decoder gets its tokens one by one, and gives all their logits."""
    session: Any = onnxruntime.InferenceSession(str(model / "model.onnx"), providers=["CPUExecutionProvider"])
    names: dict[str, list[Any]] = {value.name: value.shape for value in session.get_inputs()}
    tokens = np.array([ids], np.int64)
    feed: dict[str, Any] = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
    if "token_type_ids" in names:
        feed["token_type_ids"] = np.zeros_like(tokens)
    pasts = [name for name in names if name.startswith("past_key_values")]
    if not pasts:
        return cast("Array", session.run(None, feed)[0][0])
    feed |= {name: np.zeros((1, names[name][1], 0, names[name][3]), np.float32) for name in pasts}
    rows: list[Array] = []
    for seen, token in enumerate(ids, 1):
        feed["input_ids"], feed["attention_mask"] = np.array([[token]], np.int64), np.ones((1, seen), np.int64)
        logits, *present = session.run(None, feed)
        feed |= dict(zip(pasts, present, strict=True))
        rows.append(logits.reshape(-1))
    return np.stack(rows)


@pytest.mark.parametrize("name", ["llama", "qwen2", "qwen3"])
def test_a_decoder_is_exported_without_torch(name: str, folders: Path, tmp_path: Path) -> None:
    """It runs on what you have: a folder of a known family becomes a model for the worker, in the base install."""
    done = export(sys.executable, folders / name, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kind"] == "causal"
    assert_near(folders / name, tmp_path / "mine", 0.25)


@pytest.mark.parametrize(("name", "kind"), [("classifier", "token-classifier"), ("embedder", "embedder")])
def test_an_encoder_is_exported_by_optimum(name: str, kind: str, folders: Path, tmp_path: Path) -> None:
    """It runs on what you have: any encoder becomes an int8 graph that computes what torch does."""
    done = export(PYTHON, folders / name, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kind"] == kind
    assert_near(folders / name, tmp_path / "mine", 0.25)
    store = ModelStore(tmp_path)
    (found,) = store.list()
    assert store.verify("mine") == found
    assert (found.folder / "tokenizer.json").is_file()
    assert (found.folder / "labels.json").is_file() == (kind == "token-classifier")


def test_without_the_extra_it_says_what_to_install(folders: Path, tmp_path: Path) -> None:
    """It runs on what you have: the base install never pulls torch, and says what an encoder needs."""
    done = export(sys.executable, folders / "embedder", tmp_path)
    assert done.returncode == 5
    assert "hybridmesh[export]" in done.stderr
    assert not (tmp_path / "mine").exists()


def assert_near(folder: Path, model: Path, bound: float) -> None:
    """Hold the output within ``bound`` of its spread, which is what weights and activations of 8 bits cost."""
    expected: dict[str, Any] = dict(np.load(folder / "expected.npz"))
    wanted = cast("Array", expected["output"])
    found = run(model, expected["ids"].tolist())[:, : wanted.shape[1]]
    assert np.abs(found - wanted).max() < bound * wanted.std()
    assert (found.argmax(-1) == wanted.argmax(-1)).mean() > 0.75
