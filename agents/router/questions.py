"""What a person is asked and what follows from the answer, or from silence."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hybridmesh.bus.settings import ProfileSettings
from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRecord, ApprovalRequested
from hybridmesh.schemas.consults import ConsultProposed, Prompt
from hybridmesh.schemas.routing import Check
from hybridmesh.schemas.steps import StepFailed, StepRejected, StepVerified
from hybridmesh.schemas.verdicts import Verdict


def ask_egress(
    proposal: ConsultProposed, profile: ProfileSettings, deadline: datetime | None, now: datetime
) -> ApprovalRecord:
    """Return the question whether this exact text may leave."""
    request = ApprovalRequested(
        task_id=proposal.task_id,
        step_id=proposal.step_id,
        attempt=proposal.attempt,
        purpose="egress",
        preview=show(proposal.prompt),
        reasons=(proposal.decision.reason, *_reasons(proposal.decision.checks)),
        cost_usd=proposal.decision.cost_usd,
        requested_at=now,
        due_at=_due(now, profile.approval_wait_s, deadline),
    )
    return ApprovalRecord(request=request, proposal=proposal)


def ask_review(rejected: StepRejected, profile: ProfileSettings, now: datetime) -> ApprovalRecord:
    """Return the question whether a draft that the verifier keeps turning down is good enough."""
    request = ApprovalRequested(
        task_id=rejected.task_id,
        step_id=rejected.step_id,
        attempt=rejected.attempt,
        purpose="review",
        preview=rejected.draft,
        reasons=rejected.verdict.reasons,
        requested_at=now,
        due_at=_due(now, profile.review_wait_s, rejected.context.deadline),
    )
    return ApprovalRecord(request=request, rejected=rejected)


def show(prompt: Prompt) -> str:
    """Return a prompt as a person reads it: all of its words, in the order in which they are sent."""
    schema = "" if prompt.json_schema is None else f"\n\n--- schema ---\n{prompt.json_schema}"
    return f"--- system ---\n{prompt.system}\n\n--- user ---\n{prompt.user}{schema}"


def answered(record: ApprovalRecord, answer: ApprovalGiven) -> ApprovalRecord:
    """Keep the first answer: the same record when there is one, or when the time is over."""
    return record.model_copy(update={"answer": answer}) if record.open else record


def lapsed(record: ApprovalRecord) -> ApprovalRecord:
    """Note that nobody answered in time; the same record when somebody did."""
    return record.model_copy(update={"lapsed": True}) if record.open else record


def review_end(record: ApprovalRecord, rejected: StepRejected) -> StepVerified | StepFailed:
    """Return what became of a reviewed draft: accepted in a person's name, or failed."""
    if record.answer is None or not record.answer.approved:
        told = "nobody answered in time" if record.answer is None else "a person turned it down"
        return StepFailed(
            task_id=rejected.task_id,
            step_id=rejected.step_id,
            attempt=rejected.attempt,
            reason="verification",
            detail=f"the draft did not pass and {told}",
        )
    return StepVerified(
        task_id=rejected.task_id,
        step_id=rejected.step_id,
        attempt=rejected.attempt,
        result=rejected.draft,
        label=rejected.label,
        lane=rejected.decision.lane,
        decision=rejected.decision,
        verdict=Verdict(passed=True, claims=rejected.verdict.claims, by="person"),
        cost_usd=rejected.cost_usd,
    )


def _due(now: datetime, wait_s: float, deadline: datetime | None) -> datetime:
    due = now + timedelta(seconds=wait_s)
    return due if deadline is None else max(now, min(due, deadline))


def _reasons(checks: Sequence[Check]) -> list[str]:
    return [f"{check.name}: {check.reason}" for check in checks]
