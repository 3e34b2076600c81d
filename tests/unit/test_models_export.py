"""Folders of the user's: hostile ones are refused, names are no paths, and exporting costs the base install nothing."""

import json
import math
import re
import shutil
import struct
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packaging.requirements import Requirement

from hybridmesh.bus.errors import SetupError, UsageError
from hybridmesh.infra.models.entry import Entry
from hybridmesh.infra.models.exported import exported_entry
from hybridmesh.infra.models.exporting import export_model
from hybridmesh.infra.models.hf_folder import HfFolder
from hybridmesh.infra.models.hf_to_gguf import llama3_factors
from hybridmesh.infra.models.progress import silent
from hybridmesh.infra.models.store import ModelStore
from tiny_encoder import NAME, encoder_entry, write_encoder

ROOT = Path(__file__).parents[2]


def write_weights(path: Path, header: dict[str, Any] | bytes, data: bytes = bytes(64)) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def tensor(dtype: str = "F32", shape: tuple[int, ...] = (4, 4), start: int = 0, end: int = 64) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


HOSTILE: dict[str, Any] = {
    "no JSON": b"{",
    "a list": b"[]",
    "no sizes": {"t": {"dtype": "F32"}},
    "integers": {"t": tensor("I64")},
    "an end outside": {"t": tensor(end=2**40, shape=(2**20, 2**18))},
    "a start outside": {"t": tensor(start=-64, end=0)},
    "sizes that do not fit": {"t": tensor(shape=(5, 4))},
    "sizes that overflow": {"t": tensor(shape=(2**32, 2**32))},
    "texts for sizes": {"t": {"dtype": "F32", "shape": ["a"], "data_offsets": [0, 64]}},
    "no dimensions": {"t": tensor(shape=(), end=4)},
    "a deep nest": b'{"t":' * 100_000,
}


@pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_weights_are_refused(header: dict[str, Any] | bytes, tmp_path: Path) -> None:
    """It runs on what you have: a damaged or hostile file is a clear set-up error, never a crash."""
    write_weights(tmp_path / "model.safetensors", header)
    with pytest.raises(SetupError, match="folder cannot be used") as refused:
        HfFolder(tmp_path, {}).weights()
    assert refused.value.remedy


def test_a_header_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    """It runs on what you have: a length that lies asks for no memory."""
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", 2**62) + bytes(64))
    with pytest.raises(SetupError, match="damaged"):
        HfFolder(tmp_path, {}).weights()


def test_weights_are_read_as_they_are(tmp_path: Path) -> None:
    """It runs on what you have: rows of an honest file, without loading it."""
    values = np.arange(16, dtype=np.float32)
    write_weights(tmp_path / "model.safetensors", {"t": tensor(), "__metadata__": {"a": "b"}}, values.tobytes())
    found = HfFolder(tmp_path, {}).weights()["t"]
    np.testing.assert_array_equal(found.raw.view(np.float32), values.reshape(4, 4))


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [("LlamaForCausalLM", "causal"), ("BertForTokenClassification", "token-classifier"), ("BertModel", "embedder")],
)
def test_the_kind_is_what_the_folder_says(architecture: str, kind: str, tmp_path: Path) -> None:
    """It runs on what you have: nobody has to know what to call a model."""
    assert HfFolder(tmp_path, {"architectures": [architecture]}).kind == kind


@pytest.mark.parametrize("architectures", [5, "LlamaForCausalLM", [5], {"a": "b"}])
def test_architectures_that_are_no_names_are_refused(architectures: object, tmp_path: Path) -> None:
    """It runs on what you have: a configuration of another form is a clear set-up error."""
    with pytest.raises(SetupError, match="architectures"):
        _ = HfFolder(tmp_path, {"architectures": architectures}).kind


def test_decoders_that_nothing_runs_are_refused_at_once(tmp_path: Path) -> None:
    """It runs on what you have: a family that the worker does not run is told before minutes of work."""
    (tmp_path / "config.json").write_text('{"model_type": "gpt_bigcode", "architectures": ["XForCausalLM"]}')
    with pytest.raises(SetupError, match="gpt_bigcode") as refused:
        export_model(ModelStore(tmp_path / "cache"), tmp_path, "mine", "exact", silent)
    assert "qwen3" in refused.value.remedy


@pytest.mark.parametrize("name", ["../elsewhere", ".hidden", "a/b", "", "Großes", "x" * 65])
def test_names_are_no_paths(name: str) -> None:
    """Nothing private leaves: a name cannot put a model anywhere but into the cache."""
    with pytest.raises(UsageError):
        exported_entry(name, "embedder", "", 0)


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    folder = tmp_path / "files"
    folder.mkdir()
    write_encoder(folder)
    return encoder_entry(folder)


def test_an_adopted_model_is_one_like_the_others(entry: Entry, tmp_path: Path) -> None:
    """Nothing is hidden: a model of the user's own is listed, verified and removed, and cannot pose as another."""
    store = ModelStore(tmp_path / "cache", hub=False, index=False, catalog={NAME: entry})

    def build(_work: Path, target: Path) -> None:
        for file in entry.files:
            shutil.copyfile(tmp_path / "files" / file.filename, target / file.filename)

    made = store.adopt(exported_entry("mine", "embedder", "Mine", 1000), build, silent)
    assert store.path("mine") == made.folder
    assert store.list() == (made,)
    assert store.prepare("mine", silent) == store.verify("mine") == made
    with pytest.raises(UsageError, match="catalog has a model"):
        store.adopt(exported_entry(NAME, "embedder", "", 0), build, silent)
    assert store.remove("mine")
    with pytest.raises(UsageError):
        store.path("mine")


def test_llama_3_lowers_long_waves_only() -> None:
    """It runs on what you have: short waves stay, long ones go down by the factor, and between them smoothly."""
    scaling = {
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    factors = llama3_factors(500000.0, 128, scaling)
    waves = 2 * math.pi * 500000.0 ** (np.arange(0, 128, 2) / 128)
    assert (factors[waves < 8192 / 4] == 1).all()
    np.testing.assert_allclose(factors[waves > 8192], 8.0, rtol=1e-6)
    assert (np.diff(factors) >= 0).all()


def test_the_base_install_pulls_no_torch() -> None:
    """It runs on what you have: 5 GB are for those who export encoders, and for nobody else."""
    packages = re.compile(r"^(torch|transformers|optimum)\b", re.MULTILINE)
    assert not packages.search((ROOT / "requirements.lock").read_text("utf-8"))
    assert len(set(packages.findall((ROOT / "requirements-export.lock").read_text("utf-8")))) == 3


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-export.lock"])
@pytest.mark.parametrize("platform", [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "x86_64")], ids="-".join)
def test_every_platform_gets_one_runtime(name: str, platform: tuple[str, str]) -> None:
    """It runs on what you have: both runtimes install the same files, so that one would overwrite the other's."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    wanted = [Requirement(line.rstrip("\\")) for line in lines if line.startswith("onnxruntime")]
    environment = {"sys_platform": platform[0], "platform_machine": platform[1]}
    found = {it.name: str(it.specifier) for it in wanted if it.marker is None or it.marker.evaluate(environment)}
    runtime = "onnxruntime-gpu" if platform == ("linux", "x86_64") else "onnxruntime"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (pinned,) = {it.specifier for it in map(Requirement, project["dependencies"]) if it.name.startswith("onnxruntime")}
    assert found == {runtime: str(pinned)}
