"""A router on real state, with a clock that the test turns, and what it is given to decide on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from harness import Bus
from hybridmesh.agents.router.agent import RouterAgent
from hybridmesh.agents.router.prices import PriceList
from hybridmesh.agents.router.record import RouteRecord
from hybridmesh.bus.budgets import Budgets, Spending
from hybridmesh.bus.endings import Endings
from hybridmesh.bus.settings import CloudSettings, ProfileSettings, default_profiles
from hybridmesh.bus.topology import Bucket
from hybridmesh.schemas.approvals import ApprovalRecord
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import ConsultRefused
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Findings, Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import (
    Redacted,
    StepClassified,
    StepContext,
    StepRejected,
)
from hybridmesh.schemas.tasks import Document
from hybridmesh.schemas.verdicts import Verdict

START = datetime(2026, 3, 1, tzinfo=UTC)
REPLY = "Write a reply to the customer."
COUNT = "How many invoices are named?"
PROFILES = {
    **default_profiles(),
    "asking": ProfileSettings(approve_from_label=Sensitivity.PERSONAL, approval_wait_s=60),
}


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = START

    def read(self) -> datetime:
        return self.now


async def bench(bus: Bus, clock: Clock, profiles: dict[str, ProfileSettings] | None = None) -> RouterAgent:
    return RouterAgent(
        parked=bus.state(Bucket.PARKED, StepClassified),
        routes=bus.state(Bucket.PARKED, RouteRecord),
        approvals=bus.state(Bucket.APPROVALS, ApprovalRecord),
        budgets=await ledger(bus),
        prices=PriceList(),
        profiles=profiles or PROFILES,
        cloud=CloudSettings(),
        over=Endings(bus.js, bus.ring).over,
        clock=clock.read,
    )


async def ledger(bus: Bus) -> Budgets:
    return Budgets(bus.state(Bucket.BUDGETS, Spending))


def classified(
    instruction: str = REPLY,
    *,
    profile: str = "balanced",
    task_id: str | None = None,
    step_id: str = "a",
    budget: Decimal | None = None,
    framework: str | None = None,
) -> StepClassified:
    spec = StepSpec(id=step_id, title="A", instruction=instruction, framework=framework)
    return StepClassified(
        task_id=task_id or new_task_id(),
        step_id=step_id,
        context=StepContext(
            goal="answer the ticket",
            profile=profile,
            spec=spec,
            inputs=(Document(name="ticket", text="Erika Mustermann waits."),),
            budget_usd=budget,
        ),
        label=Sensitivity.PERSONAL,
        findings=Findings(counts={"PERSON": 1}),
        redacted=Redacted(
            goal="answer the ticket",
            instruction=instruction,
            inputs=(Document(name="ticket", text="[PERSON_7Q2M] waits."),),
        ),
    )


def rejected(step: StepClassified, attempt: int, lane: Lane = Lane.LOCAL) -> StepRejected:
    return StepRejected(
        task_id=step.task_id,
        step_id=step.step_id,
        attempt=attempt,
        context=step.context,
        label=step.label,
        decision=Decision(lane=lane, reason="r"),
        draft="Dear Erika",
        verdict=Verdict(passed=False, reasons=("Erika is not in the record",), codes=("unsupported-name",)),
        cost_usd=Decimal("0.02"),
    )


def refused(step: StepClassified, attempt: int = 1) -> ConsultRefused:
    return ConsultRefused(
        task_id=step.task_id, step_id=step.step_id, attempt=attempt, reason="private-value-found", by="classifier"
    )


def only(messages: Sequence[Message], kind: type[Message]) -> Message:
    (found,) = [message for message in messages if isinstance(message, kind)]
    return found


def actions(messages: Sequence[Message]) -> list[Action]:
    return [message.action for message in messages if isinstance(message, AuditEvent)]


def identities(messages: Sequence[Message]) -> list[str]:
    return [message.identity() for message in messages]
