"""The port to a cloud model: a question, the gate that its bytes pass, what comes back; a provider is an adapter."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from hybridmesh.schemas.consults import Prompt

# Awaited with the exact body of a request after it is serialised and before its first byte leaves; raising any
# MeshError stops it there.
Gate = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Question:
    """A cleared prompt and the model settings that it is sent with; ``max_tokens`` bounds the answer."""

    prompt: Prompt = field(repr=False)
    model: str
    max_tokens: int


@dataclass(frozen=True, slots=True)
class CloudReply:
    """An answer that arrived whole.

    ``stop`` is why the model stopped writing, ``sent_sha256`` the hash (hex) of the request's body as it left.
    """

    text: str = field(repr=False)
    stop: str
    complete: bool
    input_tokens: int
    output_tokens: int
    model: str
    request_id: str
    sent_sha256: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class CloudRefusal:
    """The provider will not answer this question, now or later; ``reason`` is a code, tokens may be billed."""

    reason: str
    request_id: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""


class CloudModel(Protocol):
    """A rented model. One call sends one request at most: trying again is the bus' business."""

    @property
    def provider(self) -> str:
        """A short code for audit events and advice, such as ``anthropic``."""
        ...

    @property
    def simulated(self) -> bool:
        """Whether the far end only plays a cloud."""
        ...

    async def ask(self, question: Question, gate: Gate) -> CloudReply | CloudRefusal:
        """Send the question through the gate.

        Raises:
            CloudUnavailable: not reachable, too busy, too slow, or the answer did not arrive whole.
            PermanentError: a guard of ours stopped it; ``reason`` says which.
            MeshError: whatever the gate raised; nothing was sent.

        """
        ...

    async def close(self) -> None:
        """Let go of its connections."""
        ...
