"""Plans that can be run, and goals cut where their writers marked it."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.decomposer.model_plan import grouping_schema, plan_request, read_plan, sentences_of, worth_asking
from hybridmesh.agents.decomposer.plan import depth, fault, find_cycle
from hybridmesh.agents.decomposer.slugs import slug
from hybridmesh.agents.decomposer.split import structural
from hybridmesh.bus.settings import PlanSettings
from hybridmesh.schemas.inference import Completion
from hybridmesh.schemas.plans import OutputForm, StepSpec

LIMITS = PlanSettings()
CHOICE = OutputForm(kind="choice", options=("a", "b"))


def spec(name: str, *uses: str, framework: str | None = None, output: OutputForm | None = None) -> StepSpec:
    return StepSpec(
        id=name, title=name, instruction="do it", uses=uses, framework=framework, output=output or OutputForm()
    )


@pytest.mark.parametrize(
    ("steps", "results", "words"),
    [
        ((spec("a"), spec("a")), ("a",), "'a' is used twice"),
        ((spec("a", "b"),), ("a",), "uses 'b', which is not a step"),
        ((spec("a"),), ("z",), "results name 'z'"),
        ((spec("a"),), (), "at least one step"),
        ((spec("x"), spec("a", "c"), spec("b", "a"), spec("c", "b", "x")), ("a",), "a → c → b → a"),
        ((spec("a", "a"),), ("a",), "a → a"),
        (tuple(spec(f"s{n}") for n in range(13)), ("s0",), "13 steps are more than the 12"),
        (tuple(spec(f"s{n}", *([f"s{n - 1}"] if n else [])) for n in range(7)), ("s0",), "7 steps in a row"),
        ((spec("a"), spec("b", framework="k/{a}")), ("b",), "which the step does not use"),
        ((spec("a"), spec("b", "a", framework="k/{a}")), ("b",), "which is not a choice"),
        ((spec("a", output=OutputForm(kind="choice", options=(" a", "b"))),), ("a",), "blanks around it"),
        ((spec("a", output=OutputForm(kind="choice", options=("", "b"))),), ("a",), "is empty"),
        ((spec("a", output=OutputForm(kind="choice", options=("b", "b"))),), ("a",), "the same option twice"),
    ],
)
def test_a_plan_that_cannot_be_run_says_why(steps: tuple[StepSpec, ...], results: tuple[str, ...], words: str) -> None:
    """Nothing is lost: a plan that would wait for itself is refused before it starts, in words that name it."""
    problem = fault(steps, results, LIMITS)
    assert problem is not None
    assert words in problem


def test_a_choice_may_stand_in_the_key_of_a_framework() -> None:
    """Mistakes are not repeated: the framework of a kind of ticket is found again by the kind."""
    assert fault((spec("a", output=CHOICE), spec("b", "a", framework="k/{a}")), ("b",), LIMITS) is None


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_a_cycle_is_found_exactly_when_there_is_one(edges: list[tuple[int, int]]) -> None:
    """Nothing is lost: no cycle gets past the check, and what is named as one is one."""
    steps = tuple(spec(f"s{n}", *dict.fromkeys(f"s{b}" for a, b in edges if a == n)) for n in range(8))
    uses = {step.id: set(step.uses) for step in steps}
    reach = {name: set(needed) for name, needed in uses.items()}
    for _ in range(8):
        reach = {name: found.union(*(reach[other] for other in found)) for name, found in reach.items()}
    cycle = find_cycle(steps)
    assert bool(cycle) == any(name in found for name, found in reach.items())
    for one, following in pairwise(cycle):
        assert following in uses[one]
    if cycle:
        assert cycle[0] == cycle[-1]
    else:
        assert depth(steps) >= 1


@pytest.mark.parametrize(
    ("goal", "instructions", "uses", "results"),
    [
        ("What is the capital of France?", ["What is the capital of France?"], [()], ("s1",)),
        (
            "1. List the parties\n2. List the dates\n   with their meaning",
            ["List the parties", "List the dates with their meaning"],
            [(), ("s1",)],
            ("s1", "s2"),
        ),
        (
            "For this contract:\n- list the parties\n- list the dates",
            ["list the parties", "list the dates"],
            [(), ()],
            ("s1", "s2"),
        ),
        (
            "Summarise the ticket and then translate it into German.",
            ["Summarise the ticket", "translate it into German."],
            [(), ("s1",)],
            ("s2",),
        ),
        (
            "Fasse das Ticket zusammen und dann übersetze es.",
            ["Fasse das Ticket zusammen", "übersetze es."],
            [(), ("s1",)],
            ("s2",),
        ),
        ("- only one item", ["- only one item"], [()], ("s1",)),
        ("He came and then he left, and then", ["He came and then he left, and then"], [()], ("s1",)),
    ],
)
def test_a_goal_is_cut_where_its_writer_marked_it(
    goal: str, instructions: list[str], uses: list[tuple[str, ...]], results: tuple[str, ...]
) -> None:
    """It runs on what you have: a list is a plan without any model."""
    plan = structural(goal, LIMITS)
    assert [step.instruction for step in plan.steps] == instructions
    assert [step.uses for step in plan.steps] == uses
    assert plan.results == results


@given(st.text(min_size=1, max_size=400))
def test_every_goal_has_a_plan_and_no_title_repeats_it(goal: str) -> None:
    """Nothing private leaves: titles travel in the clear, so they are numbers, whatever the goal says."""
    plan = structural(goal, LIMITS)
    assert fault(plan.steps, plan.results, LIMITS) is None
    assert {step.title for step in plan.steps} <= {"Answer", *(f"Step {n}" for n in range(1, 13))}


def test_more_items_than_a_plan_may_have_stay_one_step() -> None:
    """Nothing is lost: a list that is too long is answered as a whole."""
    assert len(structural("\n".join(f"{n}. item number {n}" for n in range(1, 21)), LIMITS).steps) == 1


def answer(body: object, finish: str = "stop") -> Completion:
    return Completion.model_validate(
        {
            "text": body if isinstance(body, str) else json.dumps(body),
            "finish": finish,
            "prompt_tokens": 1,
            "output_tokens": 1,
            "duration_s": 0.1,
            "model": "m",
        }
    )


GOAL = "Here are the notes of Tuesday. Find out what is late. Draft a letter to the supplier. Be polite."


def test_a_model_groups_the_goals_own_sentences() -> None:
    """Nothing is lost: a small model only says which sentences belong together, the words stay the publisher's."""
    plan = read_plan(GOAL, answer({"steps": [1, 1, 2, 2]}), LIMITS)
    assert plan is not None
    assert [step.instruction for step in plan.steps] == [
        "Here are the notes of Tuesday. Find out what is late.",
        "Draft a letter to the supplier. Be polite.",
    ]
    assert [step.uses for step in plan.steps] == [(), ("s1",)]
    assert plan.results == ("s1", "s2")


@pytest.mark.parametrize(
    "bad",
    [
        answer({"steps": [1, 1, 2, 2]}, finish="length"),
        answer("not json"),
        answer([1]),
        answer({"steps": []}),
        answer({"steps": [1, 1, 2]}),
        answer({"steps": [1, 1, 2, 2, 2]}),
        answer({"steps": [2, 2, 2, 2]}),
        answer({"steps": [1, 3, 3, 3]}),
        answer({"steps": [1, 2, 1, 2]}),
        answer({"steps": ["1", "1", "2", "2"]}),
    ],
)
def test_an_answer_that_is_no_grouping_is_none(bad: Completion) -> None:
    """Nothing is lost: what a model says badly never stops a task."""
    assert read_plan(GOAL, bad, LIMITS) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 5) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.text(min_size=1), JSON | st.lists(st.integers(1, 3)))
def test_whatever_a_model_says_is_a_sound_plan_of_all_the_words_or_none(goal: str, body: object) -> None:
    """Nothing is lost: any answer is read without an error, and no word of the goal is left out of a plan."""
    count = len(sentences_of(goal))
    for said in (body, {"steps": body}, {"steps": [1] * count}, {"steps": list(range(1, count + 1))}):
        plan = read_plan(goal, answer(said), LIMITS)
        if plan is not None:
            assert fault(plan.steps, plan.results, LIMITS) is None
            assert " ".join(step.instruction for step in plan.steps).split() == goal.split()


def test_the_model_is_asked_only_about_goals_with_something_to_cut() -> None:
    """It runs on what you have: a sentence costs no planning call, and neither does pasted material."""
    assert not worth_asking("Write a reply. Be polite.")
    assert not worth_asking("word " * 100)
    assert not worth_asking("This is one sentence of very many. " * 40)
    assert worth_asking("Read all of the notes of the meeting with care. " * 5)
    request = plan_request(GOAL, 3)
    assert request.deadline_s == 3
    assert "4. Be polite." in request.user
    numbers = grouping_schema(4)["properties"]["steps"]
    assert numbers["minItems"] == numbers["maxItems"] == 4


def test_sentences_end_where_they_end() -> None:
    """Nothing is lost: numbers and abbreviations inside of a sentence do not cut it."""
    assert sentences_of("Pay 3.50 by 1. May, e.g. in cash. Then: done!") == [
        "Pay 3.50 by 1. May, e.g. in cash.",
        "Then: done!",
    ]


def test_two_choices_never_share_a_framework() -> None:
    """Mistakes are not repeated: what was bought for one kind is not applied to another, in any script."""
    options = ["C", "C++", "C#", "отмена", "оплата", "支払い", "解約", "Kündigung", "none", "x" * 70, "x" * 71]
    assert len({slug(option) for option in options}) == len(options)
    assert [slug(option) for option in ("data-protection", "Data Protection", "billing")] == [
        "data-protection",
        "data-protection",
        "billing",
    ]
