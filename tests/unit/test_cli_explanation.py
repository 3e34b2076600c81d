"""Why a task went as it did: put together from its end, what left, and the audit log."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hybridmesh.infra.cli.explaining import describe
from hybridmesh.infra.explanation import Proof, explain
from hybridmesh.schemas.audits import Action, AuditEvent, Fact
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.routing import Check, Decision, Lane
from hybridmesh.schemas.tasks import StepSummary, TaskCompleted, TaskFailed
from hybridmesh.schemas.verdicts import Claim, Verdict

TASK = new_task_id()
NOW = datetime(2030, 1, 1, tzinfo=UTC)
BODY = '{"messages":[{"content":"Reply to [PERSON_7Q2M]."}]}'
SHA = hashlib.sha256(BODY.encode()).hexdigest()
SECURITY = Check(name="security", score=0.5, threshold=0.6, favours="either", reason="one personal value")


def event(action: Action, step: str | None = "a", nonce: str = "1", **facts: Fact) -> AuditEvent:
    """An audit event of the task."""
    return AuditEvent(agent="router", action=action, at=NOW, task_id=TASK, step_id=step, nonce=nonce, facts=facts)


def record(body: str = BODY, sha256: str = SHA) -> EgressRecorded:
    """The record of one call."""
    where = {"destination": "https://api.example", "model": "m", "simulated": True, "call_id": "1"}
    return EgressRecorded.model_validate(
        {"task_id": TASK, "step_id": "a", "body": body, "sha256": sha256, "sent_at": NOW, **where}
    )


def completed() -> TaskCompleted:
    """An end with one step that went out."""
    decision = Decision(lane=Lane.REDACTED, reason="hard", checks=(SECURITY,), cost_usd=Decimal("0.002"))
    claim = Claim(kind="number", text="12", evidence=("input:mail.txt",))
    step = StepSummary(
        step_id="a",
        title="Reply",
        result="r",
        lane=Lane.REDACTED,
        why="hard",
        label=Sensitivity.PERSONAL,
        attempts=1,
        cost_usd=Decimal("0.002"),
        other_cost_usd=Decimal(0),
        decision=decision,
        verdict=Verdict(passed=True, claims=(claim,), judgement=True),
    )
    return TaskCompleted(task_id=TASK, result="r", steps=(step,), cost_usd=Decimal("0.002"), finished_at=NOW)


@pytest.mark.parametrize(
    ("records", "logged", "proofs"),
    [
        ([record()], {"1": SHA}, ["agrees"]),
        ([record()], {}, ["unaudited"]),
        ([record()], {"1": "0" * 64}, ["differs"]),
        ([record(body=BODY + " ")], {"1": SHA}, ["differs"]),
        ([record(sha256="0" * 64)], {"1": SHA}, ["differs"]),
        ([], {"1": SHA}, ["not-kept"]),
        ([record()], {"1": SHA, "2": SHA}, ["agrees", "not-kept"]),
        ([record()], {"2": SHA}, ["unaudited", "not-kept"]),
        ([], {}, []),
    ],
)
def test_what_left_is_held_against_the_audit_log(
    records: list[EgressRecorded], logged: dict[str, str], proofs: list[Proof]
) -> None:
    """Nothing is hidden: a body that was changed, one that nobody audited, and one that is gone are told apart."""
    events = [event(Action.EGRESS_STARTED, nonce=call, sent_sha256=sha256, bytes=9) for call, sha256 in logged.items()]
    found = explain(TASK, completed(), records, events)
    assert [item.proof for item in found.sent] == proofs


def test_a_hash_of_another_step_proves_nothing() -> None:
    """Nothing is hidden."""
    found = explain(TASK, completed(), [record()], [event(Action.EGRESS_STARTED, "b", sent_sha256=SHA)])
    assert [item.proof for item in found.sent] == ["differs"]


def test_a_completed_task_shows_checks_costs_evidence_and_bytes() -> None:
    """Nothing is hidden."""
    events = [event(Action.EGRESS_STARTED, sent_sha256=SHA)]
    lines = "\n".join(describe(explain(TASK, completed(), [record()], events)))
    for words in (
        "lane    redacted, label personal: hard",
        "cost    0.002 USD; the other lane: 0 USD",
        "security    0.50 of 0.60, favours either: one personal value",
        "verdict passed, the local model agrees",
        "number '12': input:mail.txt",
        BODY,
        f"sha256 {SHA}: its SHA-256 is the one in the audit log",
        "SIMULATED https://api.example",
    ):
        assert words in lines


def test_a_task_without_a_result_is_explained_from_the_audit_log() -> None:
    """Nothing is hidden: also what failed, and what still runs, shows its decisions and what it has cost."""
    facts: dict[str, Fact] = {
        "lane": "redacted",
        "reason": "hard",
        "label": "personal",
        "cost_usd": "0.004",
        "other_cost_usd": None,
        "security_score": 0.2,
        "security_threshold": 0.5,
        "security_favours": "local!",
    }
    first = event(Action.ROUTE_DECIDED).model_copy(update={"facts": facts})
    second = event(Action.ROUTE_DECIDED).model_copy(update={"facts": {**facts, "lane": "local"}})
    events = [
        first,
        event(Action.EGRESS_ENDED, cost_usd="0.003"),
        second.model_copy(update={"attempt": 2, "at": NOW + timedelta(seconds=1)}),
        event(Action.ROUTE_DECIDED, "b", lane="teleport", security_favours="?"),
    ]
    failed = TaskFailed(task_id=TASK, outcome="refused", reason="policy", finished_at=NOW)
    for ended, outcome in ((failed, "refused"), (None, "running")):
        found = explain(TASK, ended, [], events)
        assert (found.outcome, found.cost_usd) == (outcome, Decimal("0.003"))
        (step,) = found.steps
        assert (step.lane, step.attempts, step.other_cost_usd) == (Lane.LOCAL, 2, None)
        assert step.decision is not None
        assert (step.decision.checks[0].favours, step.decision.checks[0].binding) == ("local", True)
        assert len(found.timeline) == 4
        assert any("security" in line for line in describe(found))
