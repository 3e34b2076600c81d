"""What is stored twice, as an agent did a thing again or its message was sent again, is told as one."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hybridmesh.infra.explanation import explain
from hybridmesh.schemas.audits import Action, AuditEvent, Fact
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.message import new_task_id

TASK = new_task_id()
NOW = datetime(2030, 1, 1, tzinfo=UTC)
BODY = "{}"
SHA = hashlib.sha256(BODY.encode()).hexdigest()


def event(action: Action, call: str = "1", after_s: float = 0, **facts: Fact) -> AuditEvent:
    """An event of the consultant about one call."""
    at = NOW + timedelta(seconds=after_s)
    return AuditEvent(agent="consultant", action=action, at=at, task_id=TASK, step_id="a", nonce=call, facts=facts)


def record(body: str = BODY) -> EgressRecorded:
    """What one call sent."""
    return EgressRecorded(
        task_id=TASK, step_id="a", body=body, sha256=SHA, destination="d", model="m", simulated=True, call_id="1",
        sent_at=NOW,
    )  # fmt: skip


def test_a_call_whose_end_is_told_twice_costs_once() -> None:
    """Nothing is done twice: another call of the step costs as much again."""
    ended = [event(Action.EGRESS_ENDED, after_s=after, cost_usd="0.002") for after in (0, 900)]
    assert explain(TASK, None, [], ended).cost_usd == Decimal("0.002")
    both = [*ended, event(Action.EGRESS_ENDED, "2", cost_usd="0.003")]
    assert explain(TASK, None, [], both).cost_usd == Decimal("0.005")
    assert explain(TASK, None, [], both).timeline == tuple(both)


def test_a_copy_of_what_was_sent_is_no_second_call_that_nobody_audited() -> None:
    """Nothing is hidden: another body under the same call is one all the same."""
    started = [event(Action.EGRESS_STARTED, sent_sha256=SHA)]
    assert [sent.proof for sent in explain(TASK, None, [record(), record()], started).sent] == ["agrees"]
    assert [sent.proof for sent in explain(TASK, None, [record(), record("x")], started).sent] == [
        "agrees",
        "unaudited",
    ]
