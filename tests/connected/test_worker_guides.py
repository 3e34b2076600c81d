"""Guides and the real model: SmolLM2-135M answers badly, but never out of form, and its inventions are dropped."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jsonschema  # type: ignore[import-untyped] # ships no types
import pytest

from empty_memory import EmptyMemory
from hybridmesh.agents.worker.drafting import Drafter, Known
from hybridmesh.agents.worker.extraction import extract
from hybridmesh.agents.worker.onnx_model import OnnxModel
from hybridmesh.agents.worker.recall import Recall
from hybridmesh.agents.worker.shipped import shipped_frameworks
from hybridmesh.bus.errors import Unanswerable
from hybridmesh.infra.models.store import ModelStore
from hybridmesh.schemas.plans import OutputForm, StepSpec
from hybridmesh.schemas.steps import StepContext
from hybridmesh.schemas.tasks import Document

pytestmark = [pytest.mark.connected, pytest.mark.model]

CONTRACT = (
    "This agreement is made between Acme Ltd and Blue Harbour SA. The yearly fee is £12,000.00, payable within 30 "
    "days of invoice. It renews for a further year unless a party gives three months' notice. Liability is limited "
    "to £6,000.00. The law of Ireland applies."
)
OPTIONS = ("billing", "outage", "data-protection (GDPR)", "n/a.")


@pytest.fixture(scope="module")
def model() -> Iterator[OnnxModel]:
    """The small model from the user's cache, prepared where that was not done."""
    store = ModelStore(Path.home() / ".cache" / "hybridmesh" / "models")
    folder = store.prepare("smollm2-135m", lambda _words, _share: None).folder
    with OnnxModel.load(folder, name="smollm2-135m", max_prompt_tokens=700) as loaded:
        yield loaded


@pytest.fixture
def drafter(model: OnnxModel) -> Drafter:
    """A drafter without a memory, whose prompts are planned for the model's limit."""
    return Drafter(model, Recall(EmptyMemory()), lambda: datetime.now(UTC), max_prompt_tokens=700)


def make_context(text: str, output: OutputForm | None = None, max_tokens: int = 40) -> StepContext:
    spec = StepSpec(
        id="s", title="S", instruction="Read the text.", output=output or OutputForm(), max_tokens=max_tokens
    )
    return StepContext(goal="Help", profile="balanced", spec=spec, inputs=(Document(name="text", text=text),))


async def test_slots_and_checks_of_a_contract(model: OnnxModel) -> None:
    """Nothing is hidden: whatever the smallest model says, a slot stands in the source and a check is yes or no."""
    framework = shipped_frameworks()["contract-review/risks"]
    found = await extract(framework, CONTRACT, model.complete, budget=1500)
    assert found.calls == 1 + len(framework.checks)
    assert set(found.checks) == {check.name for check in framework.checks}
    assert set(found.slots) <= {slot.name for slot in framework.slots}
    flat = " ".join(CONTRACT.casefold().split())
    for name, value in found.slots.items():
        if name not in ("liability_cap", "contract_fee"):
            assert " ".join(value.casefold().split()) in flat


async def test_a_framework_is_filled_with_the_real_model(drafter: Drafter) -> None:
    """It runs on what you have: a review by framework is whole, also where the model found little."""
    known = Known(shipped_frameworks()["contract-review/risks"], "contract-review/risks", "shipped")
    draft = await drafter.by_framework(make_context(CONTRACT), known)
    assert draft is not None
    assert "Liability" in draft.text
    assert "{" not in draft.text


async def test_a_choice_is_one_of_its_options(drafter: Drafter) -> None:
    """Nothing is hidden: signs with a meaning in patterns do not let another answer through."""
    draft = await drafter.by_model(make_context("My bill is wrong.", OutputForm(kind="choice", options=OPTIONS)), ())
    assert draft.text in OPTIONS


async def test_json_has_its_schema(drafter: Drafter) -> None:
    """Nothing is lost: the smallest model's JSON is valid."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}, "paid": {"type": "boolean"}},
        "required": ["city", "paid"],
        "additionalProperties": False,
    }
    draft = await drafter.by_model(make_context("Paid in Cork.", OutputForm(kind="json", json_schema=schema)), ())
    assert not draft.incomplete
    jsonschema.validate(json.loads(draft.text), schema)


async def test_a_text_that_is_cut_is_incomplete(drafter: Drafter) -> None:
    """Nothing is hidden: the limit shows."""
    draft = await drafter.by_model(make_context(CONTRACT, max_tokens=3), ())
    assert draft.incomplete
    assert draft.facts["finish"] == "length"


async def test_a_dense_text_is_asked_again_with_less(drafter: Drafter) -> None:
    """Nothing is lost: a text with many tokens for its length still gets its answer, and the cut is told."""
    draft = await drafter.by_model(make_context("漢字七八 9f#x " * 400, max_tokens=3), ())
    left_out = draft.facts["left_out_chars"]
    assert isinstance(left_out, int)
    assert left_out > 1000


async def test_a_form_that_cannot_be_used_is_not_tried_for_ever(drafter: Drafter) -> None:
    """Nothing is lost: a schema that the engine cannot hold to fails the step at once."""
    with pytest.raises(Unanswerable):
        await drafter.by_model(make_context("x", OutputForm(kind="json", json_schema={"type": "nonsense"})), ())
