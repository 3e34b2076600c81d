"""Why a task went as it did: its end, what left the machine, and the audit log, put together. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from pydantic import ValidationError

from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.message import Frozen
from hybridmesh.schemas.routing import Check, Decision, Lane
from hybridmesh.schemas.tasks import StepSummary, TaskCompleted, TaskFailed
from hybridmesh.schemas.verdicts import Verdict

Outcome = Literal["running", "completed", "failed", "refused", "cancelled"]
Proof = Literal["agrees", "differs", "unaudited", "not-kept"]

_CHECKS: tuple[Literal["security", "complexity", "cost", "speed"], ...] = ("security", "complexity", "cost", "speed")


class StepExplained(Frozen):
    """One step; of a task without a result, what the audit log tells (no titles and no reasons of checks)."""

    step_id: str
    title: str = ""
    lane: Lane
    why: str
    label: str
    attempts: int
    cost_usd: Decimal
    other_cost_usd: Decimal | None
    decision: Decision | None
    verdict: Verdict | None = None
    evidence: tuple[str, ...] = ()


class Sent(Frozen):
    """What one call sent, byte for byte, and whether the audit log agrees.

    ``agrees``: the SHA-256 of ``body`` is what the log holds of this call; ``differs``: it is another one;
    ``unaudited``: the log knows of no such call; ``not-kept``: the log knows it, the body is kept no longer.
    """

    call_id: str
    step_id: str
    attempt: int
    sent_at: datetime
    destination: str
    model: str
    simulated: bool
    size: int
    sha256: str
    proof: Proof
    body: str | None


class Explanation(Frozen):
    """All that is known of a task; ``timeline`` is its part of the audit log, in order."""

    task_id: str
    outcome: Outcome
    reason: str = ""
    workflow: str | None = None
    finished_at: datetime | None = None
    cost_usd: Decimal
    steps: tuple[StepExplained, ...]
    sent: tuple[Sent, ...]
    timeline: tuple[AuditEvent, ...]


def explain(
    task_id: str,
    ended: TaskCompleted | TaskFailed | None,
    records: Sequence[EgressRecorded],
    events: Sequence[AuditEvent],
) -> Explanation:
    """Put together what is known; ``ended`` is None while the task runs.

    An event or record that is stored twice, as an agent did a thing again or its message was sent again, counts once.
    """
    once = _first_said(events)
    audited = {(item.step_id, item.attempts): item for item in _decisions(once)}
    summaries = ended.steps if isinstance(ended, TaskCompleted) else ()
    told = {summary.step_id for summary in summaries}
    rest = {item.step_id: item for item in audited.values() if item.step_id not in told}  # the last attempt of each
    steps = (*(_from_summary(summary, audited) for summary in summaries), *rest.values())
    spent = sum((_money(event, "cost_usd") for event in once if event.action is Action.EGRESS_ENDED), Decimal(0))
    return Explanation(
        task_id=task_id,
        outcome=_outcome(ended),
        reason=ended.reason if isinstance(ended, TaskFailed) else "",
        workflow=ended.workflow if ended else None,
        finished_at=ended.finished_at if ended else None,
        cost_usd=ended.cost_usd if isinstance(ended, TaskCompleted) else spent,
        steps=steps,
        sent=_sent(tuple(dict.fromkeys(records)), once),
        timeline=tuple(events),
    )


def _first_said(events: Sequence[AuditEvent]) -> Sequence[AuditEvent]:
    """Return the events without those that say again what one before them said."""
    said: dict[str, AuditEvent] = {}
    for event in events:
        said.setdefault(event.identity(), event)
    return tuple(said.values())


def _outcome(ended: TaskCompleted | TaskFailed | None) -> Outcome:
    if ended is None:
        return "running"
    return "completed" if isinstance(ended, TaskCompleted) else ended.outcome


def _from_summary(step: StepSummary, audited: dict[tuple[str, int], StepExplained]) -> StepExplained:
    logged = audited.get((step.step_id, step.attempts))
    return StepExplained(
        step_id=step.step_id,
        title=step.title,
        lane=step.lane,
        why=step.why,
        label=step.label.name.lower(),
        attempts=step.attempts,
        cost_usd=step.cost_usd,
        other_cost_usd=step.other_cost_usd,
        decision=step.decision or (logged.decision if logged else None),
        verdict=step.verdict,
        evidence=step.evidence,
    )


def _decisions(events: Sequence[AuditEvent]) -> list[StepExplained]:
    """Read each decision back from the audit log, which holds all of it but the words of the checks."""
    found: list[StepExplained] = []
    for event in events:
        if event.action is not Action.ROUTE_DECIDED or event.step_id is None:
            continue
        facts = event.facts
        checks = [_check(name, event) for name in _CHECKS if f"{name}_score" in facts]
        other = None if facts.get("other_cost_usd") is None else _money(event, "other_cost_usd")
        try:
            decision = Decision(
                lane=Lane(str(facts.get("lane", Lane.LOCAL))),
                reason=str(facts.get("reason", "")),
                checks=tuple(checks),
                cost_usd=_money(event, "cost_usd"),
                other_cost_usd=other,
                model=str(facts.get("model", "")),
            )
        except (ValidationError, ValueError):
            continue  # an entry of a later version: the timeline shows it as it is
        found.append(
            StepExplained(
                step_id=event.step_id,
                lane=decision.lane,
                why=decision.reason,
                label=str(facts.get("label", "")),
                attempts=event.attempt,
                cost_usd=decision.cost_usd,
                other_cost_usd=other,
                decision=decision,
            )
        )
    return found


def _check(name: Literal["security", "complexity", "cost", "speed"], event: AuditEvent) -> Check:
    favours = str(event.facts.get(f"{name}_favours", "either"))
    return Check(
        name=name,
        score=float(event.facts.get(f"{name}_score") or 0),
        threshold=float(event.facts.get(f"{name}_threshold") or 0),
        favours=cast('Literal["local", "cloud", "either"]', favours.removesuffix("!")),
        binding=favours.endswith("!"),
        reason="",
    )


def _money(event: AuditEvent, name: str) -> Decimal:
    amount = event.facts.get(name)
    return Decimal(0) if amount is None else Decimal(str(amount))


def _sent(records: Sequence[EgressRecorded], events: Sequence[AuditEvent]) -> tuple[Sent, ...]:
    logged = {event.nonce: event for event in events if event.action is Action.EGRESS_STARTED}
    found: list[Sent] = []
    for record in records:
        body = record.body.encode()
        sha256 = hashlib.sha256(body).hexdigest()
        found.append(
            Sent(
                call_id=record.call_id,
                step_id=record.step_id,
                attempt=record.attempt,
                sent_at=record.sent_at,
                destination=record.destination,
                model=record.model,
                simulated=record.simulated,
                size=len(body),
                sha256=sha256,
                proof=_proof(record, sha256, logged.pop(record.call_id, None)),
                body=record.body,
            )
        )
    found += [_not_kept(event) for event in logged.values()]
    return tuple(sorted(found, key=lambda item: item.sent_at))


def _proof(record: EgressRecorded, sha256: str, event: AuditEvent | None) -> Proof:
    if event is None:
        return "unaudited"
    agrees = event.facts.get("sent_sha256") == sha256 == record.sha256 and event.step_id == record.step_id
    return "agrees" if agrees else "differs"


def _not_kept(event: AuditEvent) -> Sent:
    return Sent(
        call_id=event.nonce,
        step_id=event.step_id or "",
        attempt=event.attempt,
        sent_at=event.at,
        destination=str(event.facts.get("provider", "")),
        model=str(event.facts.get("model", "")),
        simulated=bool(event.facts.get("simulated", False)),
        size=int(event.facts.get("bytes") or 0),
        sha256=str(event.facts.get("sent_sha256", "")),
        proof="not-kept",
        body=None,
    )
