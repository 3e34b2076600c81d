"""A choice that the instruction's own words decide needs no model."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from empty_memory import EmptyMemory
from hybridmesh.agents.worker.drafting import Drafter
from hybridmesh.agents.worker.options import choose_option
from hybridmesh.agents.worker.recall import Recall
from hybridmesh.schemas import measured
from hybridmesh.schemas.inference import Completion, CompletionRequest, Purpose
from hybridmesh.schemas.measured import CHOICE, Figure
from hybridmesh.schemas.memory import Rank, Ranking
from hybridmesh.schemas.plans import OutputForm, StepSpec
from hybridmesh.schemas.steps import StepContext
from hybridmesh.schemas.tasks import Document

OPTIONS = ("billing", "outage", "cancellation", "other")
INSTRUCTION = (
    "What is it about? billing: invoices, refunds, Rechnung. outage: broken, unreachable, engineer. "
    "cancellation: leaving, Kündigung. other: none of these."
)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("Please refund the second invoice.", "billing"),
        ("Die Rechnung ist falsch, bitte um Refund.", "billing"),
        ("I cancelled in May.", "cancellation"),
        ("It is broken, send an engineer.", "outage"),
        ("My invoice is broken.", None),
        ("Good morning!", None),
        ("", None),
    ],
)
def test_words_decide_only_where_they_are_clear(text: str, option: str | None) -> None:
    """Nothing is hidden: one word for each of two options decides nothing, and the model is asked."""
    assert choose_option(text, INSTRUCTION, OPTIONS) == option


def test_options_without_a_description_are_not_decided_by_words() -> None:
    """Nothing is hidden: the word "high" in a text is no reason to choose the option of that name."""
    assert choose_option("high high priority", "How urgent is it?", ("high", "normal")) is None
    assert choose_option("high invoice", "high: urgent, now. How urgent?", ("high", "normal")) is None


@given(st.text(max_size=200), st.text(max_size=100))
def test_the_answer_is_an_option_or_none(text: str, instruction: str) -> None:
    """Nothing is lost: no text and no instruction breaks the rule."""
    assert choose_option(text, instruction + INSTRUCTION, OPTIONS) in (*OPTIONS, None)


class Choosing:
    """A model that says ``outage``, and a memory that finds everything near to the first option."""

    def __init__(self) -> None:
        self.asked = 0

    async def complete(self, request: CompletionRequest) -> Completion:
        self.asked += 1
        return Completion(text="outage", finish="stop", prompt_tokens=1, output_tokens=1, duration_s=0.0, model="m")


class FirstIsNearest(EmptyMemory):
    async def rank(self, request: Rank) -> Ranking:
        return Ranking(scores=(1.0, *(0.0 for _ in request.candidates[1:])))


@pytest.mark.parametrize(
    ("name", "way", "text"),
    [(None, "meaning", "billing"), ("bad-0.5b", "meaning", "billing"), ("good-0.5b", "model", "outage")],
)
@pytest.mark.parametrize("own", [False, True])
async def test_a_model_comes_before_meaning_where_it_was_measured_to_choose_well(
    name: str | None, way: str, text: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is hidden: who decides a choice follows from what was measured, here or by the operator."""
    figures = {"bad-0.5b": {CHOICE.row: Figure(8, 48)}, "good-0.5b": {CHOICE.row: Figure(47, 48)}}
    monkeypatch.setattr(measured, "FIGURES", {} if own else figures)
    model = Choosing()
    names: dict[Purpose, str] = {"check": "good-0.5b"}
    if name is not None:
        names["draft"] = name
    drafter = Drafter(
        model,
        Recall(FirstIsNearest()),
        lambda: datetime.now(UTC),
        max_prompt_tokens=700,
        names=lambda: names,
        figures=figures if own else None,
    )
    spec = StepSpec(id="s", title="S", instruction=INSTRUCTION, output=OutputForm(kind="choice", options=OPTIONS))
    context = StepContext(
        goal="Sort", profile="balanced", spec=spec, inputs=(Document(name="t", text="Good morning!"),)
    )
    draft = await drafter.by_model(context, ())
    assert (draft.facts["way"], draft.text, model.asked) == (way, text, int(way == "model"))
