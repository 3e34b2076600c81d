"""An operator's own figures on a real bus: each agent that weighs a model's answers goes by them, or does not start."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from harness import Bus
from hybridmesh.agents.verifier import agent as verifier_agent
from hybridmesh.agents.worker import agent as worker_agent
from hybridmesh.agents.worker import drafting, onnx_models
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.links import Links
from hybridmesh.bus.settings import MeshSettings, ModelSettings
from hybridmesh.bus.topology import Ask
from hybridmesh.infra.composition import builder_of
from hybridmesh.infra.models.build import fingerprint
from hybridmesh.infra.models.catalog import CATALOG
from hybridmesh.infra.provision import create_keys
from hybridmesh.infra.up import Options, mesh_up
from hybridmesh.schemas.inference import Completion
from hybridmesh.schemas.measured import PLAN, RELIANCES, Figure, Figures
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.steps import StepReady
from hybridmesh.schemas.tasks import TaskSubmitted

pytestmark = pytest.mark.connected

NAME = "qwen2.5-coder-0.5b"
GOAL = "Read the whole of the notes with great care. " * 6


def settings_with(tmp_path: Path, revision: str) -> MeshSettings:
    """Return settings whose figures say that the model is always right."""
    rows = {f"{each.row} all": {"right": 80, "of": 80} for each in RELIANCES}
    file = tmp_path / "quality.json"
    file.write_text(json.dumps({"models": {NAME: {"revision": revision, "rows": rows}}}))
    return MeshSettings(data=tmp_path, cache=tmp_path / "models", models=ModelSettings(local=NAME, figures=file))


BUILT = fingerprint(CATALOG[NAME], half=False)


async def links_of(bus: Bus, agent: str, settings: MeshSettings) -> Links:
    return replace(await bus.links(agent), settings=settings)


async def build(bus: Bus, agent: str, settings: MeshSettings, keys: Path) -> Agent:
    return await builder_of(agent, keys)(await links_of(bus, agent, settings))


async def steps_of(agent: Agent) -> int:
    (plan,) = [handler for kind, handler in agent.handlers.items() if kind is TaskSubmitted]
    task = TaskSubmitted.model_validate(
        {"task_id": new_task_id(), "goal": GOAL, "submitted_at": "2026-03-01T00:00:00Z"}
    )
    return sum(isinstance(message, StepReady) for message in await plan(task))


async def test_a_model_that_was_measured_to_plan_well_is_asked(bus: Bus, tmp_path: Path, keys_folder: Path) -> None:
    """It runs on what you have: figures of the operator's own are as good as those that ship."""
    asked: list[str] = []

    async def complete(message: Msg) -> None:
        asked.append(message.subject)
        answer = Completion(
            text=json.dumps({"steps": [1, 1, 1, 2, 2, 2]}), finish="stop", prompt_tokens=1, output_tokens=1,
            duration_s=0.1, model=NAME,
        )  # fmt: skip
        await message.respond(answer.model_dump_json().encode())

    await bus.client.subscribe(Ask.COMPLETE, cb=complete)
    own = settings_with(tmp_path, BUILT)
    plain = own.model_copy(update={"models": ModelSettings(local=NAME)})
    await steps_of(await build(bus, "decomposer", plain, keys_folder))
    assert asked == []
    await steps_of(await build(bus, "decomposer", own, keys_folder))
    assert asked == [Ask.COMPLETE]


class NoModels:
    """In the place of the worker's models, which nobody asks here."""

    names: dict[str, str] = {}
    note = ""

    def __init__(self, *_: object, **__: object) -> None: ...

    async def use(self, _: object) -> None: ...

    async def complete(self, _: object) -> None: ...

    async def close(self) -> None: ...

    async def watch(self) -> None: ...

    async def follow(self, _: object) -> None: ...

    def loads(self) -> tuple[()]:
        return ()


def noting(made: Callable[..., object], found: list[Figures]) -> Callable[..., object]:
    """Return what makes the same, and notes the figures that it is made with."""

    def make(*given: object, figures: Figures, **named: object) -> object:
        found.append(figures)
        return made(*given, figures=figures, **named)

    return make


async def test_verifier_and_worker_go_by_them(
    bus: Bus, tmp_path: Path, keys_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is hidden: no agent goes by other figures than the next one."""
    monkeypatch.setattr(onnx_models, "LocalModels", NoModels)
    create_keys(tmp_path / "keys")
    settings = settings_with(tmp_path, BUILT)
    found: list[Figures] = []
    for module, name in ((verifier_agent, "Verifier"), (drafting, "Drafter")):
        monkeypatch.setattr(module, name, noting(getattr(module, name), found))
    monkeypatch.setattr(worker_agent, "Drafter", drafting.Drafter)
    await build(bus, "verifier", settings, keys_folder)
    await build(bus, "worker", settings, tmp_path / "keys")
    assert [figures[NAME][PLAN.row] for figures in found] == [Figure(80, 80)] * 2


@pytest.mark.parametrize("agent", ["decomposer", "verifier", "worker"])
async def test_no_agent_starts_on_figures_of_another_build(
    bus: Bus, tmp_path: Path, keys_folder: Path, agent: str
) -> None:
    """Nothing is hidden: figures that are not of the model that runs are worth nothing."""
    with pytest.raises(SetupError, match=r"quality\.json: qwen2\.5-coder-0\.5b was measured as another build"):
        await build(bus, agent, settings_with(tmp_path, "0" * 64), keys_folder)


async def test_a_mesh_says_so_before_it_starts_anything(tmp_path: Path) -> None:
    """Nothing is hidden: no server runs, and no model is fetched for nothing."""
    with pytest.raises(SetupError, match="was measured as another build"):
        async with mesh_up(settings_with(tmp_path, "0" * 64), Options(), lambda _: None):
            pass
    assert not (tmp_path / "nats").exists()
