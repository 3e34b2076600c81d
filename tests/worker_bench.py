"""What tests of the worker share: a worker on a real bus with its parts, a ticket's step, and advice for it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from harness import Bus
from hybridmesh.agents.worker.agent import WorkerAgent
from hybridmesh.agents.worker.parked import ParkedBucket, RouteTaken
from hybridmesh.bus.budgets import Budgets
from hybridmesh.bus.errors import ModelUnavailable
from hybridmesh.bus.ports import Memory
from hybridmesh.bus.settings import CloudSettings, ModelSettings
from hybridmesh.bus.topology import Bucket
from hybridmesh.bus.vault import Vault
from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRecord, ApprovalRequested, approval_key
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.consults import ConsultAdvised, Usage
from hybridmesh.schemas.inference import Completion, CompletionRequest
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Findings, Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import Redacted, StepClassified, StepContext, StepDrafted, StepLocal
from hybridmesh.schemas.tasks import Document

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TICKET = (
    "Hello, my invoice INV-2026-10-4471 was for £34.99 and you took it on 5 October 2026 and then again.\n\n"
    "Could you send the second one back to me?\n\nKind regards,\nMargaret Oyelaran"
)
MARK, NAME = "[PERSON_7Q2M]", "Margaret Oyelaran"
KEY = "support-triage/reply/billing"
PRICE = Decimal("0.0123")


class NoModel:
    """A machine without a prepared model."""

    async def complete(self, request: CompletionRequest) -> Completion:
        raise ModelUnavailable(f"no model for {request.max_tokens} tokens")


class Bench:
    """A worker over real parts, and a way to park steps as the router does."""

    def __init__(self, bus: Bus, memory: Memory, vault: Vault, budgets: Budgets) -> None:
        self.bus, self.memory, self.vault, self.budgets = bus, memory, vault, budgets

    async def worker(self) -> WorkerAgent:
        return WorkerAgent(
            model=NoModel(),
            memory=self.memory,
            vault=self.vault,
            parked=ParkedBucket(
                self.bus.state(Bucket.PARKED, StepClassified),
                self.bus.state(Bucket.PARKED, RouteTaken),
                self.bus.state(Bucket.APPROVALS, ApprovalRecord),
            ),
            ledger=self.budgets,
            models=ModelSettings(),
            cloud=CloudSettings(),
            clock=lambda: NOW,
        )

    async def park(self, step: StepClassified, lane: Lane) -> None:
        """Store the step, its decision and its originals, and set its price aside."""
        key = f"{step.task_id}.{step.step_id}"
        routes = RouteTaken(decisions={1: decision(lane)})
        await self.bus.state(Bucket.PARKED, StepClassified).put(key, step)
        await self.bus.state(Bucket.PARKED, RouteTaken).put(f"{key}.route", routes)
        await self.vault.open(step.task_id)
        await self.vault.put(step.task_id, {MARK: "Margaret Oyelaran"})
        assert await self.budgets.reserve(step.task_id, "reply/1", PRICE * 2, Decimal(1))

    async def ask(self, step: StepClassified, approved: bool | None) -> None:
        """Note that a person was asked whether the step's words may leave, and what they said."""
        of = {"task_id": step.task_id, "step_id": step.step_id, "purpose": "egress"}
        asked = ApprovalRequested.model_validate({**of, "preview": "x", "requested_at": NOW, "due_at": NOW})
        said = None if approved is None else ApprovalGiven.model_validate({**of, "approved": approved, "by": "ann"})
        record = ApprovalRecord(request=asked, answer=said)
        await self.bus.state(Bucket.APPROVALS, ApprovalRecord).put(approval_key(asked, "egress"), record)

    async def left(self, step: StepClassified) -> Decimal:
        return await self.budgets.left(step.task_id, Decimal(1))


def decision(lane: Lane) -> Decision:
    return Decision(lane=lane, reason="test", cost_usd=PRICE, model="claude-sonnet-5-5")


def make_step(
    framework: str | None = KEY, workflow: str | None = "support-triage", text: str = TICKET
) -> StepClassified:
    spec = StepSpec(id="reply", title="Reply", instruction="Write a reply to the customer.", framework=framework)
    context = StepContext(
        goal="Answer Margaret Oyelaran",
        profile="balanced",
        workflow=workflow,
        spec=spec,
        inputs=(Document(name="ticket", text=text), Document(name="result:categorise", text="billing")),
    )
    redacted = Redacted(
        goal=f"Answer {MARK}",
        instruction=spec.instruction,
        inputs=(Document(name="ticket", text=text.replace("Margaret Oyelaran", MARK)),),
    )
    return StepClassified(
        task_id=new_task_id(),
        step_id="reply",
        context=context,
        label=Sensitivity.PERSONAL,
        findings=Findings(counts={"PERSON": 1}),
        redacted=redacted,
    )


def local(step: StepClassified, mode: Literal["answer", "summarise"] = "answer", lane: Lane = Lane.LOCAL) -> StepLocal:
    return StepLocal(
        task_id=step.task_id,
        step_id=step.step_id,
        context=step.context,
        label=step.label,
        decision=decision(lane),
        mode=mode,
    )


def advised(
    step: StepClassified, advice: str, purpose: Literal["answer", "framework"] = "answer", complete: bool = True
) -> ConsultAdvised:
    return ConsultAdvised(
        task_id=step.task_id,
        step_id=step.step_id,
        purpose=purpose,
        advice=advice,
        complete=complete,
        usage=Usage(input_tokens=100, output_tokens=50, cost_usd=PRICE),
        model="claude-sonnet-5-5",
        provider="anthropic",
        simulated=False,
        sent_sha256="ab" * 32,
    )


def the(kind: type[StepDrafted], messages: Sequence[Message]) -> StepDrafted:
    (found,) = [message for message in messages if isinstance(message, kind)]
    return found


def audits(messages: Sequence[Message]) -> list[AuditEvent]:
    return [message for message in messages if isinstance(message, AuditEvent)]
