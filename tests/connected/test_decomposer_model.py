"""Planning with a real local model."""

import json
from pathlib import Path

import pytest

from hybridmesh.agents.decomposer.model_plan import plan_request, read_plan, sentences_of
from hybridmesh.agents.worker.onnx_engine import Engine
from hybridmesh.agents.worker.onnx_model import OnnxModel
from hybridmesh.bus.settings import PlanSettings
from hybridmesh.infra.models.store import ModelStore

pytestmark = [pytest.mark.connected, pytest.mark.model]

GOAL = (
    "Read the notes of the meeting with the supplier. Find out which deliveries are late. Draft a letter to the "
    "supplier that asks for compensation. Keep it polite. Then write a short note for the board."
)


@pytest.mark.timeout(300)
async def test_the_smallest_model_can_only_group_and_never_lose_a_word() -> None:
    """Nothing is lost: whatever the model makes of it, its answer has a number a sentence and the plan all words."""
    store = ModelStore(Path.home() / ".cache" / "hybridmesh" / "models")
    folder = store.prepare("smollm2-135m", lambda _words, _share: None).folder
    with OnnxModel(Engine.load(folder, name="smollm2-135m"), max_waiting=1) as model:
        answer = await model.complete(plan_request(GOAL, 120))
    assert answer.finish == "stop"
    assert len(json.loads(answer.text)["steps"]) == len(sentences_of(GOAL)) == 5
    plan = read_plan(GOAL, answer, PlanSettings())
    assert plan is None or " ".join(step.instruction for step in plan.steps) == GOAL
