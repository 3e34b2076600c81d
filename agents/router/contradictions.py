"""Answers of people that come to nothing: the first one counts, and the audit log has those that say otherwise."""

from datetime import datetime

from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRecord, operator
from hybridmesh.schemas.audits import Action, AuditEvent, Fact


def contradiction(record: ApprovalRecord | None, given: ApprovalGiven) -> str | None:
    """Return why an answer that is not the one on record changes nothing; None where it says the same as that."""
    if record is None:
        return "question-unknown"
    if record.lapsed:  # silence is a no
        return "question-lapsed" if given.approved else None
    differs = record.answer is not None and record.answer.approved != given.approved
    return "question-answered" if differs else None


def unheeded(given: ApprovalGiven, reason: str, at: datetime) -> AuditEvent:
    """Return the event of such an answer, one for each person and what they say."""
    by, said = operator(given.by), "yes" if given.approved else "no"
    facts: dict[str, Fact] = {"reason": reason, "purpose": given.purpose, "approved": given.approved, "by": by}
    nonce = f"{given.purpose}/{said}/{by}"
    return AuditEvent.of_step(given, "router", Action.MESSAGE_REFUSED, at, facts, nonce)
