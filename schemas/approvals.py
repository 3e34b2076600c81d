"""What a person is asked, and what they say; silence means local for an egress, failure for a review."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from hybridmesh.schemas.message import StepMessage


class ApprovalRequested(StepMessage):
    """A question to a person, and the router's own timer for it.

    For an egress ``preview`` is the exact text that would leave; for a review it is the draft that the verifier
    turned down twice.
    """

    NAME = "approval.requested"

    purpose: Literal["egress", "review"]
    preview: str
    reasons: tuple[str, ...] = ()
    cost_usd: Decimal | None = None
    requested_at: datetime
    due_at: datetime


class ApprovalGiven(StepMessage):
    """A person's answer."""

    NAME = "approval.given"

    purpose: Literal["egress", "review"]
    approved: bool
    by: str
