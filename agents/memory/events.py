"""The memory's audit events: what it learned and what it forgot; codes, counts and hashes only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hybridmesh.schemas.audits import Action, AuditEvent, Fact
from hybridmesh.schemas.feedback import FeedbackGiven
from hybridmesh.schemas.memory import Forget, ForgetReceipt, WriteResult


def learned(feedback: FeedbackGiven, outcome: WriteResult, known: int, at: datetime) -> AuditEvent:
    """A correction became a lesson, one of ``known`` of its kind."""
    return AuditEvent(
        agent="memory",
        action=Action.LESSON_LEARNED,
        at=at,
        task_id=feedback.task_id,
        step_id=feedback.step_id,
        nonce=str(feedback.number),
        facts={"outcome": outcome.outcome, "lesson": outcome.id, "lessons_of_its_kind": known},
    )


@dataclass(frozen=True, slots=True)
class Forgetting:
    """One request to forget, as the log may tell of it: ``hashed`` is keyed, as an id can be made from its text.

    ``by`` is the identity that signed it; None where the program itself asks.
    """

    request: Forget
    ids: Sequence[str]
    hashed: Callable[[str], str]
    nonce: str
    by: str | None

    def begun(self, at: datetime) -> AuditEvent:
        """So many items are about to go; where no end follows, asking again finishes it."""
        return self._event("begun", at, {"found": len(self.ids)})

    def done(self, receipt: ForgetReceipt) -> AuditEvent:
        """They are gone, or there were none."""
        return self._event("done", receipt.at, {"removed": receipt.removed, "rebuilt": receipt.rebuilt})

    def _event(self, stage: str, at: datetime, counts: dict[str, Fact]) -> AuditEvent:
        named = {"subject": self.request.subject, "source": self.request.source, "ids": self.request.ids}
        names = "+".join(name for name, value in named.items() if value)
        facts: dict[str, Fact] = {"stage": stage, "by": self.by, "named": names}
        items = self.hashed("\n".join(sorted(self.ids))) if self.ids else None
        return AuditEvent(
            agent="memory",
            action=Action.MEMORY_FORGOTTEN,
            at=at,
            nonce=f"{self.nonce}/{stage}",
            facts={**facts, **counts, "items": items},
        )
