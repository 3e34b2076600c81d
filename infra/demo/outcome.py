"""What came of a demo, as values: one line a ticket, the sums, and what the cloud's record holds of private values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hybridmesh.infra.demo.tickets import Planted, Ticket
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.tasks import StepSummary, TaskCompleted, TaskFailed

REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One ticket's end. ``spent`` is what its cloud calls cost, ``all_cloud`` what sending every step would have."""

    ticket: Ticket
    task_id: str
    category: str
    lane: str
    why: str
    verdict: str
    draft: str
    spent: Decimal
    all_cloud: Decimal
    seconds: float
    done: bool


@dataclass(frozen=True, slots=True)
class Privacy:
    """How the planted values fared: in what left, and in the drafts that should greet by name."""

    planted: int
    leaked: tuple[str, ...]
    greeted: int
    to_greet: int


def outcome_of(ticket: Ticket, ended: TaskCompleted | TaskFailed, seconds: float) -> Outcome:
    """Return a ticket's line."""
    if isinstance(ended, TaskFailed):
        why = f"{ended.reason}: {ended.detail}" if ended.detail else ended.reason
        return Outcome(
            ticket, ended.task_id, "-", "-", why, ended.outcome, "", Decimal(0), Decimal(0), seconds, done=False
        )
    steps = {step.step_id: step for step in ended.steps}
    last = ended.steps[-1]
    category = next((step.result for name, step in steps.items() if name != REPLY), "-")
    return Outcome(
        ticket=ticket,
        task_id=ended.task_id,
        category=category,
        lane=last.lane.value,
        why=last.why,
        verdict=_verdict(ended.steps),
        draft=last.result,
        spent=ended.cost_usd,
        all_cloud=sum(map(_all_cloud, ended.steps), Decimal(0)),
        seconds=seconds,
        done=True,
    )


def _all_cloud(step: StepSummary) -> Decimal:
    return (step.other_cost_usd or Decimal(0)) if step.lane is Lane.LOCAL else step.cost_usd


def _verdict(steps: Sequence[StepSummary]) -> str:
    tries = max(step.attempts for step in steps)
    claims = sum(len(step.verdict.claims) for step in steps if step.verdict)
    by_person = any(step.verdict is not None and step.verdict.by == "person" for step in steps)
    said = "by a person" if by_person else f"passed, {claims} claims proven"
    return said if tries == 1 else f"{said}, try {tries}"


def judge_privacy(outcomes: Iterable[Outcome], planted: Mapping[str, Planted], left: str) -> Privacy:
    """Hold every planted value against everything that left, and every greeting against its draft."""
    values = {value for item in planted.values() for value in item.values}
    drafts = {outcome.ticket.id: outcome.draft for outcome in outcomes if outcome.draft}
    names = {ticket: item.greeting_name for ticket, item in planted.items() if item.greeting_name}
    due = {ticket: name for ticket, name in names.items() if ticket in drafts}
    return Privacy(
        planted=len(values),
        leaked=tuple(sorted(value for value in values if value in left)),
        greeted=sum(name in drafts[ticket] for ticket, name in due.items()),
        to_greet=len(due),
    )
