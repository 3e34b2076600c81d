"""What a person says about a result, so that a mistake is made once."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from hybridmesh.schemas.message import StepId, TaskMessage


class FeedbackGiven(TaskMessage):
    """A rating, or a correction: what should have been said or done.

    ``missed`` is reserved, and neither sent nor read: private values that were missed are policy, which only a person
    changes. As terms (`hybridmesh terms add`) they hold in every classifier within a second, and are kept in no queue.
    """

    NAME = "feedback.given"

    number: int = 1
    rating: Literal["good", "bad"] | None = None
    correction: str = Field(default="", max_length=4000)
    step_id: StepId | None = None
    workflow: str | None = None
    missed: tuple[str, ...] = ()
    by: str = "publisher"
    given_at: datetime

    def identity(self) -> str:
        """Return ``task/stage/number``: a task can be spoken of more than once."""
        return f"{self.task_id}/{self.NAME}/{self.number}"
