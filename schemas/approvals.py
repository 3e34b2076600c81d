"""What a person is asked, and what they say; silence means local for an egress, failure for a review."""

import hashlib
import re
from datetime import datetime
from decimal import Decimal
from typing import Literal

from hybridmesh.schemas.consults import ConsultProposed
from hybridmesh.schemas.message import Frozen, StepMessage
from hybridmesh.schemas.steps import StepRejected

Purpose = Literal["egress", "review"]

# A login or an address, and no sentence: what the audit log may hold word for word.
_OPERATOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


class ApprovalRequested(StepMessage):
    """A question to a person, and the router's own timer for it.

    For an egress ``preview`` is the exact text that would leave; for a review it is the draft that the verifier
    turned down twice.
    """

    NAME = "approval.requested"
    LAPSES = False  # the question is to be closed

    purpose: Purpose
    preview: str
    reasons: tuple[str, ...] = ()
    cost_usd: Decimal | None = None
    requested_at: datetime
    due_at: datetime

    def identity(self) -> str:
        """Return an id by purpose: one attempt can be held before it leaves and be reviewed after it came back."""
        return f"{super().identity()}/{self.purpose}"


class ApprovalGiven(StepMessage):
    """A person's answer; ``by`` is how that person, who has the publisher's key, calls themselves."""

    NAME = "approval.given"
    LAPSES = False  # the answer is to be kept

    purpose: Purpose
    approved: bool
    by: str

    def identity(self) -> str:
        """Return an id by purpose, as the question has, and by what is said: a contradiction is no repeat."""
        return f"{super().identity()}/{self.purpose}/{'yes' if self.approved else 'no'}"


class ApprovalRecord(Frozen):
    """A question as it stands in the APPROVALS bucket, under :func:`approval_key`; the first answer is kept.

    ``proposal`` is what an approved egress sends, word for word; ``rejected`` is the draft under review. ``lapsed``
    says that nobody answered in time, which counts as no.
    """

    request: ApprovalRequested
    proposal: ConsultProposed | None = None
    rejected: StepRejected | None = None
    answer: ApprovalGiven | None = None
    lapsed: bool = False

    @property
    def open(self) -> bool:
        """Whether the question still waits for a person."""
        return self.answer is None and not self.lapsed


def approval_key(about: StepMessage, purpose: Purpose) -> str:
    """Return the key of the question's record: ``task.step.attempt.purpose``."""
    return f"{about.task_id}.{about.step_id}.{about.attempt}.{purpose}"


def operator(by: str) -> str:
    """Return who answered as the audit log may name them: the name if it is one word, else its hash.

    A name in words may be anything that was typed there, also private text, and the log forgets nothing.
    """
    if _OPERATOR.fullmatch(by):
        return by
    return f"sha256:{hashlib.sha256(by.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
