"""The bound that local models share, and who answers what: pure figures, no model."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from hybridmesh.agents.worker import onnx_models
from hybridmesh.agents.worker.onnx_memory import LOADED_BYTES, PACKED, SPARE_BYTES, ModelMemory, Need
from hybridmesh.agents.worker.prompts import compose
from hybridmesh.agents.worker.questions import check_request
from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.links import Links
from hybridmesh.bus.settings import MeshSettings, ModelSettings
from hybridmesh.infra.composition import build_worker
from hybridmesh.infra.model_setup import needed_models
from hybridmesh.infra.models.free_memory import free_memory
from hybridmesh.schemas.frameworks import YesNo
from hybridmesh.schemas.inference import CompletionRequest
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.steps import StepContext


def test_all_share_one_bound() -> None:
    """It runs on what you have: what one model holds, another cannot have, and what goes comes back."""
    memory = ModelMemory(1000, prefix_bytes=100)
    assert memory.take("small", 300)
    assert memory.take("large", 500)
    assert not memory.take("small", 101)
    assert memory.taken == 900
    assert not memory.fits(500)
    assert memory.fits(600, without=["large"])
    memory.give("large", 100)
    assert memory.take("small", 200)
    memory.release("large")
    assert memory.taken == 600


def test_the_machine_is_a_bound_too() -> None:
    """It runs on what you have: without a bound of its own a model takes what is free, but for what others need."""
    memory = ModelMemory(prefix_bytes=0, free_bytes=lambda: SPARE_BYTES + 500)
    assert not memory.take("small", 501)
    assert memory.take("small", 500)
    memory.promise("small", 0)
    assert memory.fits(1000, without=["small"])


def test_what_is_promised_is_not_free() -> None:
    """It runs on what you have: many requests at once do not each get what is free as long as none has written."""
    free = SPARE_BYTES + 1000
    memory = ModelMemory(prefix_bytes=100, free_bytes=lambda: free)
    assert [memory.take("m", 200) for _ in range(6)] == [True] * 4 + [False] * 2
    assert not memory.fits(101)
    assert memory.fits(900, without=["m"])
    free -= 500  # as much of it as is written is promised no longer
    memory.promise("m", 300)
    assert memory.fits(100)
    assert not memory.fits(101)
    memory.release("m")
    assert memory.fits(400)


async def test_the_worker_takes_its_container_for_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs on what you have: what is free is what the container may still take, not what its host has."""
    asked: list[object] = []

    def stop(_folder_of: object, _settings: object, free_bytes: object) -> None:
        asked.append(free_bytes)
        raise SetupError("far enough")

    monkeypatch.setattr(onnx_models, "LocalModels", stop)
    links = cast("Links", SimpleNamespace(settings=MeshSettings()))
    with pytest.raises(SetupError, match="far enough"):
        await build_worker(links, keys=Path())
    assert asked == [free_memory]


def test_a_refusal_names_the_figures() -> None:
    """It runs on what you have: who sets a bound that is too small reads by how much."""
    bounded = ModelMemory(300_000_000, prefix_bytes=100_000_000).refusal(["small"], 250_000_000)
    assert str(bounded).startswith(
        "small would take 250 MB with the longest request: 200 MB of models.memory_mb = 300 are left"
    )
    assert "models.memory_mb" in bounded.remedy
    free = ModelMemory(prefix_bytes=0, free_bytes=lambda: 200_000_000).refusal(["small", "large"], 250_000_000)
    assert "small and large would take 250 MB with the longest request: 200 MB are free" in str(free)


def test_what_a_model_needs_is_known_before_it_is_loaded(tmp_path: Path) -> None:
    """It runs on what you have: from the size of its files and the form of its tokens."""
    (tmp_path / "model.onnx").write_bytes(b"x" * 10)
    (tmp_path / "model.onnx.data").write_bytes(b"x" * 990)
    decoder = {"num_hidden_layers": 3, "num_key_value_heads": 2, "head_size": 5}
    config = {"model": {"context_length": 200, "decoder": decoder}}
    (tmp_path / "genai_config.json").write_text(json.dumps(config), "utf-8")
    assert Need.of(tmp_path, 100) == Need(int(1000 * PACKED) + LOADED_BYTES, 100 * 2 * 3 * 2 * 5 * 4)
    assert Need.of(tmp_path, 300).request == Need.of(tmp_path, 200).request
    (tmp_path / "genai_config.json").write_text("{}", "utf-8")
    with pytest.raises(SetupError):
        Need.of(tmp_path, 100)


def test_the_settings_say_who_answers_what() -> None:
    """It runs on what you have: one model does all, or one writes drafts; each is prepared once."""
    assert ModelSettings(local="small").names == {"check": "small", "draft": "small"}
    both = ModelSettings(local="small", drafts="large")
    assert both.names == {"check": "small", "draft": "large"}
    needed = needed_models(MeshSettings(models=both))
    assert {"small", "large"} < set(needed)
    assert len(needed_models(MeshSettings(models=ModelSettings(local="small", drafts="small")))) == len(needed) - 1


def test_a_request_says_what_it_is_for() -> None:
    """It runs on what you have: drafts go to the model for drafts, and an older replica's requests to the other."""
    spec = StepSpec(id="s", title="S", instruction="Write.")
    assert compose(
        StepContext(goal="Write.", profile="balanced", spec=spec), max_prompt_tokens=400
    ).request.purpose == ("draft")
    assert check_request(YesNo(name="late", question="Is it late?"), "text").purpose == "check"
    assert CompletionRequest.model_validate_json('{"system": "s", "user": "u"}').purpose == "check"
