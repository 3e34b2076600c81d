"""The commands about this machine: the doctor on the real one, and the model store in a folder of its own."""

import shutil
from pathlib import Path

import pytest

from command_line import run_command
from hybridmesh.infra.models.catalog import CATALOG
from hybridmesh.infra.models.exported import exported_entry
from hybridmesh.infra.models.progress import silent
from hybridmesh.infra.models.store import ModelStore
from tiny_encoder import encoder_entry, write_encoder

pytestmark = pytest.mark.connected


def test_the_doctor_sees_the_real_machine(tmp_path: Path) -> None:
    """It runs on what you have: no model, no key and no mesh are no obstacle, and nothing is changed."""
    ran = run_command("doctor", "--json", "--data", str(tmp_path / "mesh"), "--set", f"cache={tmp_path / 'models'}")
    states = {item["name"]: item["state"] for item in ran.json["findings"]}
    assert (ran.code, ran.json["can_start"]) == (0, True)
    assert (states["nats-server"], states["onnxruntime"], states["data folder"]) == ("ok", "ok", "ok")
    assert "warn" in {state for name, state in states.items() if name.startswith("model ")}
    assert all(item["remedy"] for item in ran.json["findings"] if item["state"] != "ok")
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_names_what_is_missing(tmp_path: Path) -> None:
    """It runs on what you have, and says what it lacks."""
    bad = ["--set", f"bus.server_binary={tmp_path / 'none'}", "--set", "models.local=no-such-model"]
    ran = run_command("doctor", "--data", str(tmp_path), bad)
    assert ran.code == 5
    assert "missing  nats-server" in ran.out
    assert "missing  models" in ran.out
    assert "remedy: one of: " in ran.out


def test_models_are_listed_and_looked_after(tmp_path: Path) -> None:
    """It runs on what you have."""
    place = ["--set", f"cache={tmp_path}", "--json"]
    models = {model["name"]: model for model in run_command("model", "list", place).json["models"]}
    assert models["qwen2.5-coder-0.5b"]["needed"]
    assert not any(model["prepared"] for model in models.values())
    assert run_command("model", "verify", "smollm2-135m", place).code == 5
    assert run_command("model", "remove", "smollm2-135m", place).json == {"name": "smollm2-135m", "removed": False}
    for action in ("prepare", "verify", "remove"):
        ran = run_command("model", action, "no-such-model", place)
        assert ran.code == 2
        assert "remedy: one of: " in ran.err


def test_an_exported_model_is_listed_behind_the_catalog(tmp_path: Path) -> None:
    """Nothing is hidden: what `model use` takes is shown where it says to look."""
    files = tmp_path / "files"
    files.mkdir()
    write_encoder(files)

    def build(_work: Path, target: Path) -> None:
        for file in encoder_entry(files).files:
            shutil.copyfile(files / file.filename, target / file.filename)

    ModelStore(tmp_path / "cache").adopt(exported_entry("mine", "embedder", "bert, exported", 1000), build, silent)
    place = ["--set", f"cache={tmp_path / 'cache'}"]
    models = {model["name"]: model for model in run_command("model", "list", place, "--json").json["models"]}
    assert list(models) == [*CATALOG, "mine"]
    assert models["mine"]["prepared"]
    assert models["mine"]["folder"] == str(tmp_path / "cache" / "mine")
    assert "mine\tembedder\tprepared" in run_command("model", "list", place).out


def test_a_demo_without_its_tickets_starts_nothing(tmp_path: Path) -> None:
    """Nothing is half done."""
    ran = run_command("demo", "--tickets", str(tmp_path / "none.csv"))
    assert ran.code == 2
    assert "none.csv" in ran.err
