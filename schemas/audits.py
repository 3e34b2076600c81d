"""Audit events: what was decided, what left and what was spent, without a word of what it was about."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field

from hybridmesh.schemas.message import Frozen, Message, StepId, StepMessage, TaskId


class Action(StrEnum):
    """What happened."""

    TASK_ACCEPTED = "task.accepted"
    TASK_RESUMED = "task.resumed"
    TASK_ENDED = "task.ended"
    STEP_PLANNED = "step.planned"
    STEP_CLASSIFIED = "step.classified"
    ROUTE_DECIDED = "route.decided"
    PROMPT_CLEARED = "prompt.cleared"
    PROMPT_REFUSED = "prompt.refused"
    EGRESS_STARTED = "egress.started"
    EGRESS_ENDED = "egress.ended"
    EGRESS_BLOCKED = "egress.blocked"
    SPEND_RESERVED = "spend.reserved"
    SPEND_SETTLED = "spend.settled"
    DRAFT_MADE = "draft.made"
    VALUES_RESTORED = "values.restored"
    DRAFT_VERIFIED = "draft.verified"
    DRAFT_REJECTED = "draft.rejected"
    APPROVAL_ASKED = "approval.asked"
    APPROVAL_ANSWERED = "approval.answered"
    LESSON_LEARNED = "lesson.learned"
    POLICY_CHANGED = "policy.changed"
    MEMORY_FORGOTTEN = "memory.forgotten"
    VAULT_FORGOTTEN = "vault.forgotten"
    VAULT_ROTATED = "vault.rotated"
    MESSAGE_REFUSED = "message.refused"
    MESSAGE_BURIED = "message.buried"
    DEAD_LETTER_READ = "dead-letter.read"
    DEAD_LETTER_REPLAYED = "dead-letter.replayed"
    DEAD_LETTER_DROPPED = "dead-letter.dropped"
    AGENT_STARTED = "agent.started"
    AGENT_STOPPED = "agent.stopped"


Fact = str | int | float | bool | None


class AuditEvent(Message):
    """One signed entry of the audit log; ``facts`` hold codes, counts, hashes and amounts, never user text."""

    NAME = "audit.recorded"

    agent: str = Field(pattern=r"^[a-z-]+$")
    action: Action
    at: datetime
    task_id: TaskId | None = None
    step_id: StepId | None = None
    attempt: int = 1
    nonce: str = ""
    facts: dict[str, Fact] = {}

    @classmethod
    def of_step(
        cls, step: StepMessage, agent: str, action: Action, at: datetime, facts: Mapping[str, Fact], nonce: str = ""
    ) -> Self:
        """Return the event of what an agent did about one attempt of a step."""
        return cls(
            agent=agent,
            action=action,
            at=at,
            task_id=step.task_id,
            step_id=step.step_id,
            attempt=step.attempt,
            nonce=nonce,
            facts=dict(facts),
        )

    def identity(self) -> str:
        """Return an id derived from what happened to what; ``nonce`` tells apart what may happen twice."""
        where = f"{self.task_id or '-'}/{self.step_id or '-'}"
        return f"{where}/{self.agent}/{self.action}/{self.attempt}/{self.nonce}"

    def topic(self) -> str:
        """Return ``agent.task`` so that a reader can subscribe to one agent or one task."""
        return f"{self.agent}.{self.task_id or '-'}"


class Checkpoint(Message):
    """The auditor's signed statement of the whole log: Merkle tree (RFC 9162) over the stream's entries.

    ``root`` is hex; ``size`` counts entries from sequence 1. ``peaks`` are the roots (hex) of its perfect subtrees,
    largest first: from them the tree can be grown without the entries. ``first`` is the first entry still stored.
    """

    NAME = "audit.checkpoint"

    size: int = Field(ge=1)
    root: str
    at: datetime
    peaks: tuple[str, ...] = ()
    first: int = Field(default=1, ge=1)

    def identity(self) -> str:
        """Return an id by size, and by the log's beginning once that has passed its retention."""
        return f"checkpoint/{self.size}" if self.first == 1 else f"checkpoint/{self.size}/{self.first}"

    def topic(self) -> str:
        """Return the tree size."""
        return str(self.size)


class AuditFinding(Frozen):
    """A place where the log does not hold: which sequence, and what is wrong with it."""

    sequence: int
    problem: str
