"""The four checks, each by itself."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.router.complexity import check_complexity, complexity
from hybridmesh.agents.router.cost import budget_limit, check_cost, estimate_tokens
from hybridmesh.agents.router.prices import PerMillion, PriceList
from hybridmesh.agents.router.security import check_security, widest_lane
from hybridmesh.agents.router.speed import Latencies, check_speed, latencies_of
from hybridmesh.bus.settings import ProfileSettings, default_profiles
from hybridmesh.schemas.inference import ModelLoad
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.plans import OutputForm, StepSpec
from hybridmesh.schemas.privacy import Findings, Sensitivity
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.steps import Redacted, StepClassified, StepContext
from hybridmesh.schemas.tasks import Document

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BALANCED = default_profiles()["balanced"]
CHOICE = OutputForm(kind="choice", options=("a", "b"))
JSON = OutputForm(kind="json", json_schema={"type": "object"})


def classified(
    label: Sensitivity, *, framework: str | None = None, doubt: str | None = None, redacted: bool = True
) -> StepClassified:
    spec = StepSpec(id="a", title="A", instruction="do", framework=framework)
    return StepClassified(
        task_id=new_task_id(),
        step_id="a",
        context=StepContext(goal="g", profile="balanced", spec=spec),
        label=label,
        findings=Findings(counts={"PERSON": 2}),
        redacted=Redacted(goal="g", instruction="do") if redacted else None,
        doubt=doubt,
    )


@pytest.mark.parametrize(
    ("step", "profile", "lane", "binding"),
    [
        (classified(Sensitivity.PUBLIC), BALANCED, Lane.REDACTED, False),
        (classified(Sensitivity.PERSONAL), BALANCED, Lane.REDACTED, False),
        (classified(Sensitivity.SECRET, framework="k"), BALANCED, Lane.LOCAL, True),
        (classified(Sensitivity.SECRET), ProfileSettings(max_label=Sensitivity.SECRET), Lane.LOCAL, True),
        (classified(Sensitivity.PUBLIC, doubt="language"), BALANCED, Lane.LOCAL, True),
        (classified(Sensitivity.PUBLIC, redacted=False), BALANCED, Lane.LOCAL, True),
        (classified(Sensitivity.PUBLIC), ProfileSettings(cloud="never"), Lane.LOCAL, True),
        (classified(Sensitivity.PERSONAL), ProfileSettings(max_label=Sensitivity.INTERNAL), Lane.LOCAL, True),
        (
            classified(Sensitivity.PERSONAL, framework="k"),
            ProfileSettings(max_label=Sensitivity.INTERNAL),
            Lane.SPLIT,
            False,
        ),
    ],
)
def test_security_says_how_far_a_text_may_travel(
    step: StepClassified, profile: ProfileSettings, lane: Lane, binding: bool
) -> None:
    """Nothing private leaves: a label, a doubt or a profile closes the door, and no other check opens it."""
    assert widest_lane(step, profile) is lane
    check = check_security(step, profile)
    assert check.binding is binding
    assert check.favours == ("either" if lane is Lane.REDACTED else "local")
    assert check.reason


def context(instruction: str, output: OutputForm, *, chars: int = 300, max_tokens: int = 160) -> StepContext:
    spec = StepSpec(id="a", title="A", instruction=instruction, output=output, max_tokens=max_tokens)
    return StepContext(goal="g", profile="balanced", spec=spec, inputs=(Document(name="t", text="x" * chars),))


@pytest.mark.parametrize(
    ("step", "favours"),
    [
        (context("What is the ticket about?", CHOICE), "local"),
        (context("Copy the dates and amounts.", JSON), "local"),
        (context("Sum up the meeting in four sentences.", OutputForm()), "local"),
        (context("What is the capital of France?", OutputForm()), "local"),
        (context("Write a reply to the customer.", OutputForm()), "cloud"),
        (context("Schreibe eine Antwort an die Kundin.", OutputForm()), "cloud"),
        (context("Rédigez une réponse au client.", OutputForm()), "cloud"),
        (context("Assess the legal risks of the contract.", OutputForm()), "cloud"),
        (context("Compare the two offers and recommend one.", OutputForm()), "cloud"),
        (context("Assess the risks.", JSON, chars=9_000), "cloud"),
        (context("Explain photosynthesis.", OutputForm(), chars=0, max_tokens=2_000), "cloud"),
    ],
)
def test_complexity_tells_what_a_small_model_can_do(step: StepContext, favours: str) -> None:
    """It runs on what you have: sorting, copying and short summaries stay, judgement and drafting ask for help."""
    assert check_complexity(step, BALANCED).favours == favours


@given(
    st.text(max_size=300),
    st.sampled_from([CHOICE, JSON, OutputForm()]),
    st.integers(0, 20_000),
    st.integers(1, 4096),
)
def test_complexity_is_a_score_that_more_input_never_lowers(
    instruction: str, output: OutputForm, chars: int, tokens: int
) -> None:
    """Nothing is hidden: the score is between 0 and 1, and no reason quotes the text."""
    score, features = complexity(context(instruction, output, chars=chars, max_tokens=tokens))
    longer, _ = complexity(context(instruction, output, chars=chars + 500, max_tokens=tokens))
    assert 0 <= score <= longer <= 1
    assert all(feature.replace(" ", "").isalpha() for feature in features)


D = Decimal


@pytest.mark.parametrize(
    ("price", "left", "cloud", "binding", "words"),
    [
        (D("0.01"), D("0.25"), "allowed", False, "0.0100 USD of the 0.2500"),
        (D("0.01"), D(0), "allowed", True, "nothing is left"),
        (D("0.00"), D(0), "preferred", True, "nothing is left"),
        (D("0.02"), D("0.01"), "allowed", True, "more than the 0.0100 USD that are left"),
        (D("0.06"), D("0.25"), "allowed", True, "a call may cost"),
        (None, D("0.25"), "allowed", True, "not known"),
        (None, D("0.25"), "preferred", False, "counts as 0.0500"),
        (None, D("0.04"), "preferred", True, "more than"),
    ],
)
def test_cost_binds_what_cannot_be_paid(
    price: Decimal | None, left: Decimal, cloud: Literal["allowed", "preferred"], binding: bool, words: str
) -> None:
    """Nothing is hidden: a call is made only when its price is known to fit, or the profile takes the risk."""
    check = check_cost(price, left, ProfileSettings(cloud=cloud))
    assert check.binding is binding
    assert words in check.reason


def test_a_publisher_narrows_the_budget_and_never_widens_it() -> None:
    """Nothing is hidden: the profile is the owner's word, a task can only ask for less."""
    assert budget_limit(BALANCED, None) == D("0.25")
    assert budget_limit(BALANCED, D("0.10")) == D("0.10")
    assert budget_limit(BALANCED, D(99)) == D("0.25")


def test_tokens_are_guessed_from_above() -> None:
    """Nothing is hidden: a reservation is too high rather than too low, in any script."""
    assert estimate_tokens("word " * 300) >= 300
    assert estimate_tokens("汉字" * 100) >= 200
    assert estimate_tokens("") == 0
    assert estimate_tokens("\ud800") > 0


def test_prices_come_from_the_list_or_from_the_user_and_are_never_made_up() -> None:
    """Nothing is hidden: an unknown model has no price, which is not the same as none."""
    assert PriceList().price("claude-sonnet-5-5", 1_000_000, 100_000) == D(3)
    assert PriceList().price("some-model-of-tomorrow", 1_000, 1_000) is None
    own = PriceList(overrides={"some-model-of-tomorrow": PerMillion(D(1), D(10))})
    assert own.price("some-model-of-tomorrow", 1_000_000, 100_000) == D(2)


@pytest.mark.parametrize(
    ("local_s", "cloud_s", "left_s", "favours", "binding"),
    [
        (5, 5, None, "either", False),
        (5, 5, 60, "either", False),
        (50, 5, 20, "cloud", False),
        (5, 50, 20, "local", True),
        (50, 40, 20, "cloud", False),
        (40, 50, 20, "local", False),
        (5, 5, -1, "local", False),
    ],
)
def test_speed_weighs_the_deadline(
    local_s: float, cloud_s: float, left_s: float | None, favours: str, binding: bool
) -> None:
    """Nothing is lost: no call is paid for that would come back too late."""
    deadline = None if left_s is None else NOW + timedelta(seconds=left_s)
    check = check_speed(local_s, cloud_s, deadline, NOW)
    assert (check.favours, check.binding) == (favours, binding)


def test_latencies_follow_the_models_as_they_are_now() -> None:
    """It runs on what you have: a slow machine and a long queue are known, and the least busy worker counts."""
    usual = Latencies()
    assert latencies_of([]) == usual
    assert latencies_of([ModelLoad(model="m")]) == usual
    slow = ModelLoad(model="m", running=4, waiting=6, latency_s=10, read_tokens_s=50, write_tokens_s=20)
    expected = usual.overhead_s + 6 / 4 * 10 + 100 / 50 + 40 / (20 / 4)
    assert latencies_of([slow]).local_s(100, 40) == pytest.approx(expected)
    assert latencies_of([slow]).cloud_s(40) == usual.cloud_s(40)
    idle = ModelLoad(model="m", read_tokens_s=50, write_tokens_s=20)
    assert latencies_of([slow, idle]).local_s(100, 40) == pytest.approx(usual.overhead_s + 100 / 50 + 40 / 20)
