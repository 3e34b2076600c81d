"""What came of a demo, as values: one line a ticket, the sums, and what the cloud's record holds of private values."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from hybridmesh.infra.demo.tickets import Planted, Ticket
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.tasks import StepSummary, TaskCompleted, TaskFailed

CATEGORY, REQUEST, REPLY = "categorise", "request", "reply"  # the steps of the workflow that the demo runs


@dataclass(frozen=True, slots=True)
class Outcome:
    """One ticket's end.

    ``lane`` is the farthest that an accepted step of it went, ``why`` that step's reason, ``lanes`` each step's.
    ``spent`` is what its cloud calls cost, ``all_cloud`` what sending every step would have.
    """

    ticket: Ticket
    task_id: str
    category: str
    lane: str
    lanes: Mapping[str, str]
    why: str
    verdict: str
    request: str
    draft: str
    spent: Decimal
    all_cloud: Decimal
    done: bool


@dataclass(frozen=True, slots=True)
class Privacy:
    """How the planted values fared: in what left, and in the drafts that should greet by name."""

    planted: int
    leaked: tuple[str, ...]
    greeted: int
    to_greet: int


def outcome_of(ticket: Ticket, ended: TaskCompleted | TaskFailed) -> Outcome:
    """Return a ticket's line."""
    if isinstance(ended, TaskFailed):
        return Outcome(
            ticket=ticket,
            task_id=ended.task_id,
            category="-",
            lane="-",
            lanes={},
            why=f"{ended.reason}: {ended.detail}" if ended.detail else ended.reason,
            verdict=ended.outcome,
            request="",
            draft="",
            spent=Decimal(0),
            all_cloud=Decimal(0),
            done=False,
        )
    steps = {step.step_id: step for step in ended.steps}
    farthest = next((step for step in ended.steps if step.lane is not Lane.LOCAL), ended.steps[-1])
    return Outcome(
        ticket=ticket,
        task_id=ended.task_id,
        category=_result(steps, CATEGORY) or "-",
        lane=farthest.lane.value,
        lanes={name: step.lane.value for name, step in steps.items()},
        why=farthest.why,
        verdict=_verdict(ended.steps),
        request=_field(_result(steps, REQUEST), REQUEST),
        draft=_result(steps, REPLY),
        spent=ended.cost_usd,
        all_cloud=sum(map(_all_cloud, ended.steps), Decimal(0)),
        done=True,
    )


def _result(steps: Mapping[str, StepSummary], name: str) -> str:
    return steps[name].result if name in steps else ""


def _field(document: str, name: str) -> str:
    """Return a field of a JSON result; all of it where a person let another form pass, or a user's workflow has one."""
    try:
        return str(json.loads(document)[name])
    except (ValueError, KeyError, TypeError):
        return document


def _all_cloud(step: StepSummary) -> Decimal:
    return (step.other_cost_usd or Decimal(0)) if step.lane is Lane.LOCAL else step.cost_usd


def _verdict(steps: Sequence[StepSummary]) -> str:
    tries = max(step.attempts for step in steps)
    claims = sum(bool(claim.evidence) for step in steps if step.verdict for claim in step.verdict.claims)
    by_person = any(step.verdict is not None and step.verdict.by == "person" for step in steps)
    said = "by a person" if by_person else f"passed, {claims} claims proven"
    return said if tries == 1 else f"{said}, try {tries}"


def judge_privacy(outcomes: Iterable[Outcome], planted: Mapping[str, Planted], left: Iterable[str]) -> Privacy:
    """Hold every planted value against every body that left, and every greeting against its draft.

    A body is searched as sent, and as its JSON reads once the escapes are gone.
    """
    values = {value for item in planted.values() for value in item.values}
    drafts = {outcome.ticket.id: outcome.draft for outcome in outcomes if outcome.draft}
    names = {ticket: item.greeting_name for ticket, item in planted.items() if item.greeting_name}
    due = {ticket: name for ticket, name in names.items() if ticket in drafts}
    gone = "\n".join(reading for body in left for reading in _readings(body))
    return Privacy(
        planted=len(values),
        leaked=tuple(sorted(value for value in values if value in gone)),
        greeted=sum(name in drafts[ticket] for ticket, name in due.items()),
        to_greet=len(due),
    )


def _readings(body: str) -> Iterator[str]:
    yield body
    try:
        yield from _strings(json.loads(body))
    except ValueError:
        return


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in cast("list[object]", value):
            yield from _strings(part)
    elif isinstance(value, dict):
        for part in cast("dict[str, object]", value).values():
            yield from _strings(part)
