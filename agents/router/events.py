"""The router's audit events: what was decided, set aside, asked and answered; codes and figures only."""

from datetime import datetime

from hybridmesh.schemas.approvals import ApprovalRecord, ApprovalRequested, operator
from hybridmesh.schemas.audits import Action, AuditEvent, Fact
from hybridmesh.schemas.consults import Usage
from hybridmesh.schemas.message import StepMessage
from hybridmesh.schemas.routing import Decision
from hybridmesh.schemas.steps import StepClassified


def decided(step: StepClassified, decision: Decision, at: datetime, nonce: str = "") -> AuditEvent:
    """A route was decided: the lane, all four checks, and both prices."""
    facts: dict[str, Fact] = {
        "lane": decision.lane.value,
        "reason": decision.reason,
        "label": step.label.name.lower(),
        "findings": step.findings.total,
        "cost_usd": str(decision.cost_usd),
        "other_cost_usd": None if decision.other_cost_usd is None else str(decision.other_cost_usd),
        "model": decision.model,
        "policy_version": decision.policy_version,
    }
    for check in decision.checks:
        facts[f"{check.name}_score"] = check.score
        facts[f"{check.name}_threshold"] = check.threshold
        facts[f"{check.name}_favours"] = f"{check.favours}!" if check.binding else check.favours
    return _event(Action.ROUTE_DECIDED, step, at, facts, nonce)


def stopped(step: StepClassified, doubt: str, at: datetime) -> AuditEvent:
    """No route was decided: the step was in doubt, and its profile stops then."""
    facts: dict[str, Fact] = {"lane": "none", "reason": f"stopped: {doubt}", "label": step.label.name.lower()}
    return _event(Action.ROUTE_DECIDED, step, at, facts, "stopped")


def reserved(step: StepClassified, decision: Decision, at: datetime) -> AuditEvent:
    """Money was set aside for a call."""
    facts: dict[str, Fact] = {"amount_usd": str(decision.cost_usd), "model": decision.model}
    return _event(Action.SPEND_RESERVED, step, at, facts)


def released(step: StepClassified, at: datetime) -> AuditEvent:
    """What was set aside came back: the call is not made."""
    return _event(Action.SPEND_SETTLED, step, at, {"amount_usd": "0"}, "released")


def billed(step: StepClassified, usage: Usage, at: datetime) -> AuditEvent:
    """A call was paid that the cloud model declined to answer; no amount says that its price is not known."""
    facts: dict[str, Fact] = {
        "amount_usd": None if usage.cost_usd is None else str(usage.cost_usd),
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
    }
    return _event(Action.SPEND_SETTLED, step, at, facts)


def asked(request: ApprovalRequested) -> AuditEvent:
    """A person was asked."""
    facts: dict[str, Fact] = {
        "purpose": request.purpose,
        "cost_usd": None if request.cost_usd is None else str(request.cost_usd),
        "due_at": request.due_at.isoformat(),
    }
    return _event(Action.APPROVAL_ASKED, request, request.requested_at, facts, request.purpose)


def answered(record: ApprovalRecord, at: datetime) -> AuditEvent:
    """A person said yes or no, and which one, or nobody did in time."""
    request, answer = record.request, record.answer
    approved, by = (False, None) if answer is None else (answer.approved, operator(answer.by))
    facts: dict[str, Fact] = {"purpose": request.purpose, "approved": approved, "lapsed": record.lapsed, "by": by}
    return _event(Action.APPROVAL_ANSWERED, request, at, facts, request.purpose)


def _event(action: Action, about: StepMessage, at: datetime, facts: dict[str, Fact], nonce: str = "") -> AuditEvent:
    return AuditEvent.of_step(about, "router", action, at, facts, nonce)
