"""Instant doubles of what takes seconds: the local model, the cloud, the token classifier and the embedder.

Everything else of the mesh is real in a benchmark, so what is left to measure is the mesh's own time.
"""

import hashlib
import json
from collections.abc import Callable, Sequence

from hybridmesh.agents.classifier.tags import Tag
from hybridmesh.agents.consultant.port import CloudReply, Gate, Question
from hybridmesh.schemas.inference import Completion, CompletionRequest, GuideKind
from hybridmesh.schemas.surrogates import SURROGATE

MODEL = "instant-0.5b"
LOCAL_ANSWER = "The customer was charged twice and asks for the second payment to be returned."


class InstantModel:
    """The port ``LocalModel``: one good sentence for any step, Yes to the verifier's question."""

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer at once."""
        guided = request.guide is not None and request.guide.kind is GuideKind.REGEX
        return Completion(
            text="Yes" if guided else LOCAL_ANSWER,
            finish="stop",
            prompt_tokens=len(request.user) // 4,
            output_tokens=16,
            duration_s=0.0,
            model=MODEL,
        )


class InstantCloud:
    """The port ``CloudModel``: its request's bytes pass the real gate; the answer uses a surrogate of the prompt."""

    provider = "instant"
    simulated = True

    async def ask(self, question: Question, gate: Gate) -> CloudReply:
        """Answer at once, after the gate."""
        turns = [{"role": "user", "content": question.prompt.user}]
        content = {"model": question.model, "max_tokens": question.max_tokens, "system": question.prompt.system}
        body = json.dumps({**content, "messages": turns}, ensure_ascii=False).encode()
        await gate(body)
        found = SURROGATE.search(question.prompt.user)
        return CloudReply(
            text=f"Thank you for telling us; we return the second payment and write to {found.group()} once it is done."
            if found
            else "Thank you for telling us; we return the second payment.",
            stop="end_turn",
            complete=True,
            input_tokens=len(body) // 4,
            output_tokens=24,
            model=question.model,
            request_id="instant",
            sent_sha256=hashlib.sha256(body).hexdigest(),
            simulated=True,
        )

    async def close(self) -> None:
        """Nothing to let go of."""


class NoTags:
    """The port ``Tagger``: finds nothing, so that the recognizers' finds are all there are."""

    def tag(self, text: str, threshold: float, tick: Callable[[], None]) -> list[Tag]:
        """Return no tags."""
        return []


class OneDirection:
    """The port ``Embedder``: every text means the same."""

    generation = "one_direction_v1"
    size = 64

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Return the same unit vector for each text."""
        return [(1.0, *(0.0 for _ in range(self.size - 1)))] * len(texts)

    async def close(self) -> None:
        """Nothing to free."""
