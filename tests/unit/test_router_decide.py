"""The decision: what each profile does with each kind of step, and what none of them may ever do."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from hybridmesh.agents.router.cost import Offer
from hybridmesh.agents.router.decide import Situation, decide
from hybridmesh.agents.router.follow import after_refusal, local_step, propose
from hybridmesh.agents.router.prompts import SYSTEM, compose
from hybridmesh.agents.router.speed import Latencies
from hybridmesh.bus.settings import CloudSettings, ProfileSettings, default_profiles
from hybridmesh.schemas.plans import OutputForm, StepSpec
from hybridmesh.schemas.privacy import Findings, Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import Redacted, StepClassified, StepContext, StepRejected
from hybridmesh.schemas.surrogates import SURROGATE
from hybridmesh.schemas.tasks import Document
from hybridmesh.schemas.verdicts import Verdict

NOW = datetime(2026, 3, 1, tzinfo=UTC)
D = Decimal
CENT, CENT_AND_A_HALF, QUARTER = D("0.01"), D("0.015"), D("0.25")
PROFILES = default_profiles()
CHOICE = OutputForm(kind="choice", options=("billing", "outage"))
REPLY = "Write a reply to the customer."
COUNT = "How many invoices are named?"
Asked = Literal["auto", "local", "redacted", "split"]


def classified(
    instruction: str = REPLY,
    *,
    label: Sensitivity = Sensitivity.PERSONAL,
    lane: Asked = "auto",
    framework: str | None = None,
    output: OutputForm | None = None,
    redacted: bool = True,
    doubt: str | None = None,
    deadline: datetime | None = None,
) -> StepClassified:
    spec = StepSpec(
        id="a", title="A", instruction=instruction, lane=lane, framework=framework, output=output or OutputForm()
    )
    ticket = Document(name="ticket", text="Erika Mustermann waits.")
    hidden = Redacted(goal="g", instruction=instruction, inputs=(Document(name="ticket", text="[PERSON_7Q2M] waits."),))
    return StepClassified(
        task_id="01890000-0000-7000-8000-000000000000",
        step_id="a",
        context=StepContext(goal="g", profile="balanced", spec=spec, inputs=(ticket,), deadline=deadline),
        label=label,
        findings=Findings(counts={"PERSON": 1}),
        redacted=hidden if redacted else None,
        doubt=doubt,
    )


def situation(
    profile: str | ProfileSettings = "balanced",
    *,
    answer: Decimal | None = CENT,
    framework: Decimal | None = CENT_AND_A_HALF,
    left: Decimal = QUARTER,
    offered: bool = True,
    insist: bool = False,
    refused: str = "",
) -> Situation:
    return Situation(
        profile=PROFILES[profile] if isinstance(profile, str) else profile,
        offer=Offer("claude-sonnet-5-5", answer, framework, left) if offered else None,
        latencies=Latencies(),
        now=NOW,
        insist=insist,
        refused=refused,
    )


HOME = ProfileSettings(max_label=Sensitivity.INTERNAL)
ASK_LABEL = ProfileSettings(approve_from_label=Sensitivity.PERSONAL)
ASK_USD = ProfileSettings(approve_from_usd=D("0.01"))


@pytest.mark.parametrize(
    ("step", "at", "lane"),
    [
        (classified(), situation(), Lane.REDACTED),
        (classified(COUNT), situation(), Lane.LOCAL),
        (classified(output=CHOICE), situation(), Lane.LOCAL),
        (classified(COUNT), situation("creative-strategy"), Lane.REDACTED),
        (classified(), situation("secure-research"), Lane.LOCAL),
        (classified(lane="redacted"), situation("secure-research"), Lane.LOCAL),
        (classified(lane="local"), situation("creative-strategy"), Lane.LOCAL),
        (classified(COUNT, lane="redacted"), situation(), Lane.REDACTED),
        (classified(COUNT, lane="split", framework="k"), situation(), Lane.SPLIT),
        (classified(COUNT, lane="split"), situation(), Lane.SPLIT),
        (classified(framework="k"), situation(), Lane.REDACTED),
        (classified(framework="k"), situation(HOME), Lane.SPLIT),
        (classified(COUNT, framework="k"), situation(HOME), Lane.LOCAL),
        (classified(framework="k", lane="redacted"), situation(HOME), Lane.LOCAL),
        (classified(), situation(HOME), Lane.LOCAL),
        (classified(framework="k"), situation(answer=D("0.06")), Lane.SPLIT),
        (classified(), situation(answer=D("0.06")), Lane.LOCAL),
        (classified(framework="k"), situation(left=D(0)), Lane.LOCAL),
        (classified(), situation(answer=None), Lane.LOCAL),
        (classified(), situation("creative-strategy", answer=None, left=D(1)), Lane.REDACTED),
        (classified(), situation(offered=False), Lane.LOCAL),
        (classified(), situation(refused="leak"), Lane.LOCAL),
        (classified(COUNT), situation(insist=True), Lane.REDACTED),
        (classified(COUNT, lane="local"), situation(insist=True), Lane.LOCAL),
        (classified(label=Sensitivity.SECRET), situation("creative-strategy"), Lane.LOCAL),
        (classified(doubt="cut"), situation("creative-strategy"), Lane.LOCAL),
        (classified(deadline=NOW + timedelta(seconds=4.5)), situation(), Lane.REDACTED),
        (classified(), situation(ASK_LABEL), Lane.HOLD),
        (classified(), situation(ASK_USD), Lane.HOLD),
        (classified(label=Sensitivity.INTERNAL), situation(ASK_LABEL), Lane.REDACTED),
        (classified(lane="split"), situation(ASK_LABEL), Lane.LOCAL),
    ],
)
def test_the_lane_of_a_step(step: StepClassified, at: Situation, lane: Lane) -> None:
    """Nothing is hidden: the same step takes the same lane, and says why, with all four checks."""
    decision = decide(step, at)
    assert decision.lane is lane
    assert decision.reason
    assert [check.name for check in decision.checks] == ["security", "complexity", "cost", "speed"]


def test_a_decision_names_what_the_other_lane_would_have_cost() -> None:
    """Nothing is hidden: what was saved by staying, and what leaving costs."""
    cloud, home = decide(classified(), situation()), decide(classified(COUNT), situation())
    assert (cloud.cost_usd, cloud.other_cost_usd, cloud.model) == (D("0.01"), D(0), "claude-sonnet-5-5")
    assert (home.cost_usd, home.other_cost_usd, home.model) == (D(0), D("0.01"), "")
    refused = after_refusal(cloud, "leak")
    assert (refused.lane, refused.cost_usd, refused.other_cost_usd) == (Lane.LOCAL, D(0), D("0.01"))


# Mostly open doors: else nearly every example would stay at home for a reason of no interest.
OFTEN = st.sampled_from([True, True, True, True, False])
STEPS = st.builds(
    classified,
    st.sampled_from([REPLY, COUNT]),
    label=st.sampled_from(Sensitivity),
    lane=st.sampled_from(["auto", "auto", "redacted", "split", "local"]),
    framework=st.sampled_from([None, "k"]),
    output=st.sampled_from([CHOICE, OutputForm()]),
    redacted=OFTEN,
    doubt=OFTEN.map(lambda sure: None if sure else "language"),
    deadline=st.none() | st.none() | st.integers(-5, 600).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)
MONEY = st.decimals(0, 2, places=4)
PRICE = st.sampled_from([None, D(0), CENT, CENT, QUARTER])
LEFT = st.sampled_from([D(0), CENT, QUARTER, D(1), D(1)])
ANY_PROFILE = st.builds(
    ProfileSettings,
    cloud=st.sampled_from(["never", "allowed", "preferred", "preferred"]),
    max_label=st.sampled_from([*Sensitivity, Sensitivity.PERSONAL, Sensitivity.PERSONAL]),
    complexity=st.floats(0, 1),
    max_call_usd=MONEY.map(lambda amount: amount + 1),
    approve_from_usd=st.none() | st.none() | PRICE,
    approve_from_label=st.none() | st.none() | st.sampled_from(Sensitivity),
)


def situations(profiles: st.SearchStrategy[ProfileSettings]) -> st.SearchStrategy[Situation]:
    return st.builds(
        situation,
        profiles,
        answer=PRICE,
        framework=PRICE,
        left=LEFT,
        offered=OFTEN,
        insist=st.booleans(),
        refused=OFTEN.map(lambda clean: "" if clean else "leak"),
    )


@given(STEPS, situations(st.just(PROFILES["secure-research"])))
def test_secure_research_never_leaves(step: StepClassified, at: Situation) -> None:
    """Nothing private leaves: under secure-research there is no input, price or retry that takes another lane."""
    assert decide(step, at).lane is Lane.LOCAL


@settings(max_examples=300, deadline=None)
@given(STEPS, situations(ANY_PROFILE))
def test_no_profile_lets_out_what_must_stay(step: StepClassified, at: Situation) -> None:
    """Nothing private leaves: not secrets, not what is in doubt, not what the plan keeps, not over the budget."""
    decision = decide(step, at)
    event(decision.lane)
    if decision.lane is Lane.LOCAL:
        assert decision.cost_usd == 0
        return
    assert not any(check.binding for check in decision.checks)
    assert step.label < Sensitivity.SECRET
    assert step.doubt is None
    assert step.redacted is not None
    assert step.context.spec.lane != "local"
    assert at.profile.cloud != "never"
    assert at.offer is not None
    assert decision.cost_usd <= min(at.offer.left_usd, at.profile.max_call_usd)
    assert not at.refused
    if decision.lane in (Lane.REDACTED, Lane.HOLD):
        assert step.label <= at.profile.max_label
    if at.profile.approve_from_label is not None and step.label >= at.profile.approve_from_label:
        assert decision.lane is Lane.HOLD


def rejected(step: StepClassified) -> StepRejected:
    return StepRejected(
        task_id=step.task_id,
        step_id=step.step_id,
        context=step.context,
        label=step.label,
        decision=Decision(lane=Lane.LOCAL, reason=""),
        draft="Dear Erika",
        verdict=Verdict(passed=False, reasons=("Erika is not in the record",), codes=("unsupported-name",)),
    )


@given(STEPS.filter(lambda step: step.redacted is not None), st.booleans())
def test_a_proposal_holds_no_private_word(step: StepClassified, again: bool) -> None:
    """Nothing private leaves: a prompt is made of the redacted text, and complaints go into it as codes."""
    decision = Decision(lane=Lane.REDACTED, reason="", model="m")
    proposal = propose(step, decision, CloudSettings(), rejected(step) if again else None)
    sent = proposal.model_dump_json()
    assert "Erika" not in sent
    assert "[PERSON_7Q2M] waits." in proposal.prompt.user
    assert ("unsupported-name" in sent) is again
    assert proposal.prompt.system == SYSTEM


def test_the_explanation_of_placeholders_holds_none() -> None:
    """Nothing private leaves: the fixed text of each prompt cannot be mistaken for a surrogate that was issued."""
    assert "[PERSON_....]" in SYSTEM
    assert SURROGATE.search(SYSTEM) is None


def test_the_local_retry_hears_the_complaints_in_full() -> None:
    """Mistakes are not repeated: at home, the sentences of the verifier can be passed on."""
    step = classified()
    work = local_step(step, Decision(lane=Lane.LOCAL, reason=""), rejected(step).verdict.reasons)
    assert work.complaints == ("Erika is not in the record",)


def test_the_form_of_the_answer_is_asked_for() -> None:
    """Nothing is lost: a choice and a JSON answer come back under a schema that can be read."""
    step = classified(output=CHOICE)
    assert step.redacted is not None
    choice = compose(step.redacted, step.context.spec)
    assert choice.json_schema is not None
    assert choice.json_schema["properties"]["choice"]["enum"] == ["billing", "outage"]
    free = compose(step.redacted, classified().context.spec)
    assert free.json_schema is None
    assert "# This step" in free.user
    same = Redacted(goal="g", instruction="g")
    assert compose(same, classified("g").context.spec).user.count("g\n") == 1
