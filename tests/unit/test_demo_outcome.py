"""What the demo says of itself: its privacy verdict must be able to fail, and its lanes must be the steps' own."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hybridmesh.infra.demo.outcome import Outcome, judge_privacy, outcome_of
from hybridmesh.infra.demo.tickets import Planted, Ticket
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.tasks import StepSummary, TaskCompleted, TaskFailed
from hybridmesh.schemas.verdicts import Claim, Verdict

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TICKET = Ticket(id="T-01", text="My card was charged twice. Zoë Müller")
PLANTED = {"T-01": Planted(values=("Zoë Müller",), greeting_name="Zoë Müller")}


def step(name: str, result: str, lane: Lane, cost: str = "0", other: str | None = None) -> StepSummary:
    return StepSummary(
        step_id=name,
        title=name,
        result=result,
        lane=lane,
        why=f"why {name}",
        label=Sensitivity.PERSONAL,
        attempts=1,
        cost_usd=Decimal(cost),
        other_cost_usd=None if other is None else Decimal(other),
        verified=True,
    )


REQUEST = json.dumps({"request": "The customer asks us to pay."})


def outcome(reply: str = "Dear Zoë Müller, thank you.", request: str = REQUEST) -> Outcome:
    ended = TaskCompleted(
        task_id=new_task_id(),
        result="all of it",
        steps=(
            step("categorise", "billing", Lane.LOCAL, other="0.01"),
            step("request", request, Lane.REDACTED, cost="0.002"),
            step("reply", reply, Lane.LOCAL, other="0.03"),
        ),
        cost_usd=Decimal("0.002"),
        finished_at=NOW,
    )
    return outcome_of(TICKET, ended)


def test_an_outcome_names_each_step_s_lane_and_the_farthest() -> None:
    """Nothing is hidden: that one step of three went to the cloud is what the line says."""
    seen = outcome()
    assert (seen.lane, seen.why) == ("redacted", "why request")
    assert seen.lanes == {"categorise": "local", "request": "redacted", "reply": "local"}
    assert (seen.category, seen.request) == ("billing", "The customer asks us to pay.")
    assert seen.draft == "Dear Zoë Müller, thank you."
    assert seen.all_cloud == Decimal("0.042")


@pytest.mark.parametrize("request_text", ["They ask for money.", "[]", '{"other": 1}', ""])
def test_a_request_of_another_form_is_shown_as_it_is(request_text: str) -> None:
    """Nothing is lost: a person may have let a draft pass that is not of the form, or the workflow is the user's."""
    assert outcome(request=request_text).request == request_text


def test_a_task_that_failed_says_why() -> None:
    """Nothing is hidden."""
    ended = TaskFailed(task_id=new_task_id(), outcome="failed", reason="deadline", detail="too late", finished_at=NOW)
    seen = outcome_of(TICKET, ended)
    assert not seen.done
    assert seen.why == "deadline: too late"


@pytest.mark.parametrize(
    "body",
    ['{"content": "from Zoë Müller"}', '{"content": "from Zo\\u00eb M\\u00fcller"}', "not JSON: Zoë Müller"],
    ids=["plain", "escaped", "no-json"],
)
def test_a_planted_value_that_left_is_found_in_any_writing(body: str) -> None:
    """Nothing private leaves: and if it did, the demo would say so."""
    assert judge_privacy([outcome()], PLANTED, ["{}", body]).leaked == ("Zoë Müller",)


def test_a_reply_without_the_name_is_counted() -> None:
    """Nothing is lost: what was taken out must be back."""
    whole = judge_privacy([outcome()], PLANTED, ["{}"])
    assert (whole.leaked, whole.greeted, whole.to_greet, whole.planted) == ((), 1, 1, 1)
    assert judge_privacy([outcome("Dear customer")], PLANTED, ["{}"]).greeted == 0


def test_only_what_has_evidence_counts_as_proven() -> None:
    """Nothing is hidden: a claim that a person or a model let pass is not called proven."""
    claims = (Claim(kind="name", text="Zoë", evidence=("goal",)), Claim(kind="name", text="Ann"))
    done = step("reply", "Dear Zoë", Lane.LOCAL)
    done = done.model_copy(update={"verdict": Verdict(passed=True, claims=claims)})
    ended = TaskCompleted(task_id=new_task_id(), result="", steps=(done,), cost_usd=Decimal(0), finished_at=NOW)
    assert outcome_of(TICKET, ended).verdict == "passed, 1 claims proven"
