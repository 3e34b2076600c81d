"""The life of one step, from ready to verified; each message carries all that the next agent needs."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from hybridmesh.schemas.frameworks import Application
from hybridmesh.schemas.message import ConversationId, Frozen, StepMessage
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Findings, Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.tasks import Document
from hybridmesh.schemas.verdicts import Verdict


class StepContext(Frozen):
    """The task around a step: the goal, the step itself and the texts it reads (private, raw).

    ``plan_words`` are the results of earlier choices that are options of a declared workflow: an input that is one of
    them, and nothing else, is the plan's word and not private.
    """

    goal: str
    profile: str
    workflow: str | None = None
    spec: StepSpec
    inputs: tuple[Document, ...] = ()
    label_floor: Sensitivity = Sensitivity.PUBLIC
    deadline: datetime | None = None
    budget_usd: Decimal | None = None
    plan_words: tuple[str, ...] = ()
    conversation: ConversationId | None = None


class Redacted(Frozen):
    """The same step with surrogates in place of what is private: what may be proposed for the cloud."""

    goal: str
    instruction: str
    inputs: tuple[Document, ...] = ()


class StepReady(StepMessage):
    """All inputs of the step are there."""

    NAME = "step.ready"

    context: StepContext


class StepClassified(StepMessage):
    """The step with its label; ``redacted`` is None, and ``doubt`` says why, when it must stay at home."""

    NAME = "step.classified"

    context: StepContext
    label: Sensitivity
    findings: Findings
    redacted: Redacted | None = None
    doubt: str | None = None


class StepLocal(StepMessage):
    """Work for the local model: answer the step, or summarise it without private data for a split."""

    NAME = "step.local"

    context: StepContext
    label: Sensitivity
    decision: Decision
    mode: Literal["answer", "summarise"] = "answer"
    complaints: tuple[str, ...] = ()

    def identity(self) -> str:
        """Return an id that tells a summary from the answer that may follow it in the same attempt."""
        return f"{super().identity()}/{self.mode}"


class StepDrafted(StepMessage):
    """A result that nobody has checked yet; ``cost_usd`` is what all its attempts so far have cost."""

    NAME = "step.drafted"

    context: StepContext
    label: Sensitivity
    decision: Decision
    draft: str
    author: str
    advice: str | None = None
    application: Application | None = None
    unresolved: int = 0
    incomplete: bool = False
    cost_usd: Decimal = Decimal(0)


class StepVerified(StepMessage):
    """The checked result of a step."""

    NAME = "step.verified"

    result: str
    label: Sensitivity
    lane: Lane
    decision: Decision
    verdict: Verdict
    cost_usd: Decimal = Decimal(0)


class StepRejected(StepMessage):
    """A draft that did not pass; ``verdict.reasons`` go into the next attempt."""

    NAME = "step.rejected"

    context: StepContext
    label: Sensitivity
    decision: Decision
    draft: str
    verdict: Verdict
    cost_usd: Decimal = Decimal(0)


class StepFailed(StepMessage):
    """The step cannot be done; ``reason`` is a code."""

    NAME = "step.failed"

    reason: str
    detail: str = ""
