"""What the local model is told, held to, and how its answer is read."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.forms import guide_for, read_answer
from hybridmesh.agents.worker.passages import GAP
from hybridmesh.agents.worker.prompts import compose
from hybridmesh.schemas.inference import GuideKind
from hybridmesh.schemas.plans import OutputForm, StepSpec
from hybridmesh.schemas.steps import StepContext
from hybridmesh.schemas.tasks import Document

CHOICE = OutputForm(kind="choice", options=("billing", "data-protection", "a.b (c)"))
JSON = OutputForm(kind="json", json_schema={"type": "object"})


def make_context(*texts: str, output: OutputForm | None = None, goal: str = "Answer the ticket") -> StepContext:
    spec = StepSpec(id="reply", title="Reply", instruction="Write a reply.", output=output or OutputForm())
    inputs = tuple(Document(name=f"doc{number}", text=text) for number, text in enumerate(texts))
    return StepContext(goal=goal, profile="balanced", spec=spec, inputs=inputs)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=5, unique=True))
def test_a_choice_admits_its_options_and_nothing_else(options: list[str]) -> None:
    """Nothing is hidden: the model cannot answer with a word that is no option."""
    guide = guide_for(OutputForm(kind="choice", options=tuple(options)))
    assert guide is not None
    assert guide.kind is GuideKind.REGEX
    assert all(re.fullmatch(guide.pattern, option) for option in options)
    assert re.fullmatch(guide.pattern, "x" * 13) is None


def test_json_is_held_to_its_schema_and_text_to_nothing() -> None:
    """It runs on what you have: a small model's JSON is valid because it cannot be otherwise."""
    guide = guide_for(JSON)
    assert guide is not None
    assert json.loads(guide.pattern) == JSON.json_schema
    assert guide_for(OutputForm()) is None


@pytest.mark.parametrize(
    ("answer", "output", "result"),
    [
        (' Billing."', CHOICE, "billing"),
        ('{"choice": "data-protection"}', CHOICE, "data-protection"),
        ('```json\n{"choice": "billing"}\n```', CHOICE, "billing"),
        ('"billing"', CHOICE, "billing"),
        ("refund", CHOICE, "refund"),
        ('```json\n{"a": 1}\n```', JSON, '{"a": 1}'),
        ("  Dear Ana,\n```x```  ", OutputForm(), "Dear Ana,\n```x```"),
    ],
)
def test_answers_are_read_in_their_form(answer: str, output: OutputForm, result: str) -> None:
    """Nothing is lost: a right answer in a wrapping is a right answer; a wrong one stays visible."""
    assert read_answer(answer, output) == result


def test_what_never_changes_stands_first() -> None:
    """It runs on what you have: two tickets share the head of their prompts, which is then read once."""
    one, two = (compose(make_context(text), max_prompt_tokens=1000).request for text in ("One.", "Two."))
    assert one.system == two.system
    head = one.user[: one.user.index("One.")]
    assert two.user.startswith(head)
    assert "Write a reply." in head


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=4), st.integers(600, 2000))
def test_a_prompt_keeps_its_budget_and_says_what_it_left_out(lengths: list[int], tokens: int) -> None:
    """Nothing is hidden: a long text is cut to what the model can read, and the audit learns how much."""
    texts = [("word " * length)[:length] for length in lengths]
    prompt = compose(make_context(*texts), max_prompt_tokens=tokens)
    assert len(prompt.request.user) + len(prompt.request.system) <= tokens * 3 + 100
    assert (prompt.left_out > 0) == (GAP in prompt.request.user)
    assert prompt.left_out <= sum(lengths)


def test_lessons_complaints_and_knowledge_are_told() -> None:
    """Mistakes are not repeated: what was taught, and what was wrong with the last draft, reaches the model."""
    prompt = compose(
        make_context("Text."),
        max_prompt_tokens=1000,
        lessons=["Never offer a discount."],
        knowledge=["Ana has two lines."],
        complaints=["The date is not in the task."],
        language="de",
    )
    for told in ("Never offer a discount.", "Ana has two lines.", "The date is not in the task.", "in German"):
        assert told in prompt.request.user


def test_a_goal_that_is_the_instruction_is_said_once() -> None:
    """It runs on what you have: every token counts on two cores."""
    prompt = compose(make_context("Text.", goal="Write a reply."), max_prompt_tokens=1000)
    assert prompt.request.user.count("Write a reply.") == 1
