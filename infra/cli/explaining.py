"""``explain``: each step's checks, what left byte for byte, costs, evidence, and the task's audit events."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hybridmesh.infra.cli.console import tell, write, write_json
from hybridmesh.infra.cli.invocation import Invocation, command
from hybridmesh.infra.cli.names import read_task_id
from hybridmesh.infra.cli.tasks import Task

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh
    from hybridmesh.infra.explanation import Explanation, Sent, StepExplained
    from hybridmesh.schemas.audits import AuditEvent

_PROOFS = {
    "agrees": "its SHA-256 is the one in the audit log",
    "differs": "NOT the one in the audit log",
    "unaudited": "the audit log knows of NO such call",
    "not-kept": "in the audit log; the body itself is kept no longer",
}


@command
def explain(call: Invocation, task: Task) -> None:
    """Show why a task went as it did: the four checks of each step, what left, cost, evidence, the audit trail."""
    from hybridmesh.bus.errors import NOT_ENDED, TransientError
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.infra.explanation import explain as put_together
    from hybridmesh.schemas.audits import AuditEvent
    from hybridmesh.schemas.egress import EgressRecorded

    task_id = read_task_id(task)

    async def work(mesh: "Mesh") -> "Explanation":
        records = await mesh.history(EgressRecorded, task_id, tell=tell)
        events = await mesh.history(AuditEvent, f"*.{task_id}", tell=tell)
        return put_together(task_id, await mesh.ended(task_id), records, events)

    found = on_mesh(call, work)
    if found.outcome == "running" and not found.timeline:
        raise TransientError("the task has not begun, or was never submitted here", reason=NOT_ENDED)
    if call.json:
        write_json(found)
    else:
        write("\n".join(describe(found)))
    if any(item.proof in ("differs", "unaudited") for item in found.sent):
        tell("warning: the record of what left and the audit log do not agree")


def describe(found: "Explanation") -> Iterator[str]:
    """Yield the lines for people."""
    yield f"task     {found.task_id}"
    yield f"outcome  {found.outcome}{': ' + found.reason if found.reason else ''}"
    yield f"cost     {found.cost_usd} USD"
    for step in found.steps:
        yield ""
        yield from _step(step)
    yield ""
    yield f"what left this machine: {len(found.sent) or 'nothing'}"
    for item in found.sent:
        yield from _sent(item)
    yield ""
    yield "audit events"
    for event in found.timeline:
        yield "  " + event_line(event)


def event_line(event: "AuditEvent") -> str:
    """Return an audit event as one line."""
    place = f"{event.step_id}/{event.attempt}" if event.step_id else "-"
    known = {name: value for name, value in event.facts.items() if value not in (None, "")}
    facts = " ".join(f"{name}={_fact(value)}" for name, value in known.items())
    return f"{event.at.isoformat(timespec='milliseconds')} {event.agent:<10} {event.action:<18} {place:<12} {facts}"


def _fact(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _step(step: "StepExplained") -> Iterator[str]:
    attempts = f", attempt {step.attempts}" if step.attempts > 1 else ""
    yield f"step {step.step_id}{': ' + step.title if step.title else ''}"
    yield f"  lane    {step.lane}{attempts}, label {step.label}: {step.why}"
    other = "no other lane had a price" if step.other_cost_usd is None else f"{step.other_cost_usd} USD"
    yield f"  cost    {step.cost_usd} USD; the other lane: {other}"
    for check in step.decision.checks if step.decision else ():
        binding = ", binding" if check.binding else ""
        yield (
            f"  {check.name:<11} {check.score:.2f} of {check.threshold:.2f}, favours {check.favours}{binding}"
            f"{': ' + check.reason if check.reason else ''}"
        )
    if step.verdict is not None:
        judged = {None: "", True: ", the local model agrees", False: ", the local model disagrees"}
        by = " by a person" if step.verdict.by == "person" else ""
        yield f"  verdict {'passed' if step.verdict.passed else 'rejected'}{by}{judged[step.verdict.judgement]}"
        for reason in step.verdict.reasons:
            yield f"    {reason}"
        for claim in step.verdict.claims:
            yield f"    {claim.kind} {claim.text!r}: {', '.join(claim.evidence) or 'no evidence'}"
    elif step.evidence:
        yield f"  evidence {', '.join(step.evidence)}"


def _sent(item: "Sent") -> Iterator[str]:
    where = f"SIMULATED {item.destination}" if item.simulated else item.destination
    yield f"  {item.sent_at.isoformat(timespec='milliseconds')} step {item.step_id}, {item.size:,} bytes to {where}"
    yield f"  sha256 {item.sha256}: {_PROOFS[item.proof]}"
    if item.body is not None:
        yield item.body
