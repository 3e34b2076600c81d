"""What is asked of the cloud, from proposal to advice; from the proposal on, without private data."""

import hashlib
import json
from decimal import Decimal
from typing import Any, Literal

from hybridmesh.schemas.message import ConversationId, Frozen, StepMessage
from hybridmesh.schemas.privacy import Clearance
from hybridmesh.schemas.routing import Decision


class Prompt(Frozen):
    """Exactly what the cloud model will read; the consultant adds only model settings."""

    system: str
    user: str
    json_schema: dict[str, Any] | None = None

    def digest(self) -> str:
        """Return the SHA-256 (hex) over the canonical JSON of system, user and schema text."""
        body = {"system": self.system, "user": self.user, "json_schema": self.json_schema}
        canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


class ConsultProposed(StepMessage):
    """A prompt that somebody wants to send; nothing is sent before the classifier has read and signed it.

    ``conversation`` is the task's: the prompt is held against the values of that scope.
    """

    NAME = "consult.proposed"

    purpose: Literal["answer", "framework"]
    prompt: Prompt
    model: str
    max_tokens: int
    decision: Decision
    conversation: ConversationId | None = None


class ConsultRequested(StepMessage):
    """A cleared prompt: the only message that crosses to the CLOUD account."""

    NAME = "consult.requested"

    purpose: Literal["answer", "framework"]
    prompt: Prompt
    model: str
    max_tokens: int
    clearance: Clearance


class Usage(Frozen):
    """Tokens and price of one cloud call; ``cost_usd`` is None when the model's price is not known."""

    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None


class ConsultAdvised(StepMessage):
    """The cloud's answer. ``sent_sha256`` is the hash of the bytes that left, as audited before they did."""

    NAME = "consult.advised"
    LAPSES = False  # the call is to be paid for

    purpose: Literal["answer", "framework"]
    advice: str
    complete: bool
    usage: Usage
    model: str
    provider: str
    simulated: bool
    sent_sha256: str


# The reason of a refusal after a call that may have been answered: what was set aside for it counts as spent.
UNKNOWN_OUTCOME = "cloud-outcome-unknown"


class ConsultRefused(StepMessage):
    """The prompt was not sent, or no answer can be had; the router takes another lane.

    ``usage`` is of a call that was made and is billed for all that: the cloud model declined, or one of our guards did
    not take its answer, and its price is not known.
    """

    NAME = "consult.refused"
    LAPSES = False  # what was set aside is to be given back

    reason: str
    by: str
    detail: str = ""
    usage: Usage | None = None

    def identity(self) -> str:
        """Return an id by whose word it is: a call that the door refused at first may have been made after all."""
        return f"{super().identity()}/{self.by}"
