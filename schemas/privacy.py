"""What is known of private text without holding it: spans, labels, counts, and the clearance of a prompt."""

from datetime import datetime
from enum import IntEnum

from pydantic import Field

from hybridmesh.schemas.message import Frozen


def scope_of(task_id: str, conversation: str | None) -> str:
    """Return the scope that a task's surrogates are stable in: its conversation, else the task alone.

    No name of a conversation is the scope of another task.
    """
    return task_id if conversation is None else f"c-{conversation}"


class Sensitivity(IntEnum):
    """How private a text is; a step's label is never below the highest of its inputs."""

    PUBLIC = 0
    INTERNAL = 1
    PERSONAL = 2
    SECRET = 3


class Span(Frozen):
    """A private value in a text: offsets in Unicode code points, ``end`` exclusive.

    ``bare`` says that it is a number of JSON: what replaces it has to be quoted.
    """

    start: int = Field(ge=0)
    end: int = Field(gt=0)
    type: str
    score: float = Field(ge=0, le=1)
    source: str
    bare: bool = False


class Findings(Frozen):
    """How many private values of each type a text holds; never the values."""

    counts: dict[str, int] = {}

    @property
    def total(self) -> int:
        """The number of values of all types."""
        return sum(self.counts.values())


class Clearance(Frozen):
    """The classifier's signed word that this exact prompt may leave.

    ``prompt_sha256`` covers the canonical JSON of the prompt as it is sent (see ``consults.Prompt.digest``);
    ``policy_version`` is the number of the last change of the organisation's terms that the classifier had read;
    ``signature`` is Ed25519 over the canonical JSON of all other fields, hex.
    """

    prompt_sha256: str
    task_id: str
    step_id: str
    attempt: int
    policy_version: int
    counts: dict[str, int]
    lane: str
    expires_at: datetime
    key_id: str
    signature: str = ""
