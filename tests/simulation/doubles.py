"""What stands outside the mesh, in virtual time: the local model, the cloud, the memory, the detector, identities.

Each of them fails when the schedule says so, in the ways that its port allows.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from empty_memory import EmptyMemory
from hybridmesh.agents.consultant.port import CloudRefusal, CloudReply, Gate, Question
from hybridmesh.bus.errors import CloudUnavailable, MemoryUnavailable, ModelUnavailable, PermanentError
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.topology import TOPOLOGY
from hybridmesh.schemas.inference import Completion, CompletionRequest, GuideKind
from hybridmesh.schemas.memory import Hits, Lookup, Rank, Ranking, Remember, Remembered, Search
from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.surrogates import SURROGATE
from simulation.faults import Faults
from simulation.virtual_time import VirtualLoop

CLOUD_MODEL = "cloud-sim"
MODEL = "sim-0.5b"
INPUT_USD, OUTPUT_USD = Decimal(3), Decimal(15)
NAME, MAIL = "Zora Quill", "@quill.example"  # how a private value begins and ends: no other text has them
_PRIVATE = re.compile(rf"(?P<PERSON>{NAME}[a-z]+)|(?P<EMAIL>[a-z]+{re.escape(MAIL)})")
_ANSWER = "The customer was charged twice and asks for the second payment to be returned."
_UNFIT = "The customer owes 84,117.93 EUR since 3 March 1994."
_FRAMEWORK = json.dumps({"title": "Refund", "template": "The second payment is to be returned."})
CALL: ContextVar[str] = ContextVar("call")


def price(_: str, __: str, input_tokens: int, output_tokens: int) -> Decimal:
    """Return what a call costs."""
    return (INPUT_USD * input_tokens + OUTPUT_USD * output_tokens) / 1_000_000


class Outside:
    """What all doubles share: time, and what goes wrong."""

    def __init__(self, loop: VirtualLoop, faults: Faults) -> None:
        self.loop = loop
        self.faults = faults

    async def takes(self, seconds: float) -> None:
        """Let some time go by, up to ``seconds``."""
        await asyncio.sleep(self.faults.rng.random() * seconds)

    def strikes(self, what: str) -> bool:
        """Say whether a fault strikes now."""
        return self.faults.strikes(self.loop.time(), what)


class SimulatedModel:
    """The port ``LocalModel``: a fitting answer, an unfit one, or none."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer in up to two seconds."""
        await self._outside.takes(2.0)
        if self._outside.strikes("model-away"):
            raise ModelUnavailable
        text = _UNFIT if self._outside.strikes("model-unfit") else _ANSWER
        if request.guide is not None:
            options = request.guide.pattern.strip("()").split("|")
            text = options[0] if request.guide.kind is GuideKind.REGEX else "{}"
        return Completion(text=text, finish="stop", prompt_tokens=100, output_tokens=16, duration_s=0.0, model=MODEL)


class SimulatedMemory(EmptyMemory):
    """The port ``Memory``: empty, and at times away."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def remember(self, request: Remember) -> Remembered:
        """Keep nothing."""
        await self._answer()
        return await super().remember(request)

    async def search(self, request: Search) -> Hits:
        """Find nothing."""
        await self._answer()
        return Hits()

    async def lookup(self, request: Lookup) -> Hits:
        """Find nothing."""
        await self._answer()
        return Hits()

    async def rank(self, request: Rank) -> Ranking:
        """Say that it cannot compare."""
        raise MemoryUnavailable

    async def _answer(self) -> None:
        if self._outside.strikes("memory-away"):
            raise MemoryUnavailable


class SimulatedFinder:
    """The classifier's ``Finder``: finds what :data:`NAME` and :data:`MAIL` mark, or fails."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def find(self, texts: Sequence[str], known: Mapping[str, str] | None = None) -> list[list[Span]]:
        """Return the private spans."""
        await self._outside.takes(0.05)
        if self._outside.strikes("finder-fails"):
            raise PermanentError(reason="detection-timeout")
        return [
            [
                Span(start=found.start(), end=found.end(), type=found.lastgroup or "", score=1.0, source="pattern")
                for found in _PRIVATE.finditer(text)
            ]
            for text in texts
        ]

    def close(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A body that crossed to the cloud; ``bill`` is what its provider will ask for it, if it may ask for anything."""

    call_id: str
    body: bytes
    at: float
    bill: Decimal | None


class SimulatedCloud:
    """The port ``CloudModel``; ``sent`` is what it got, whatever the asker heard of it."""

    provider = "simulated"
    simulated = False

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.sent: list[Sent] = []

    async def ask(self, question: Question, gate: Gate) -> CloudReply | CloudRefusal:
        """Answer in up to three seconds, if at all."""
        strikes, rng = self._outside.strikes, self._outside.faults.rng
        content = {
            "system": question.prompt.system,
            "user": question.prompt.user,
            "schema": question.prompt.json_schema,
        }
        body = json.dumps({**content, "max_tokens": question.max_tokens}, ensure_ascii=False).encode()
        await gate(body)
        input_tokens, output_tokens = len(body) // 4, rng.randrange(1, question.max_tokens)
        bill = price("", "", input_tokens, output_tokens)
        if strikes("cloud-away"):
            self._got(body, None)
            await self._outside.takes(3.0)
            raise CloudUnavailable(reason="cloud-busy", retry_after_s=rng.choice((None, 0.5, 30.0)))
        if strikes("cloud-unsure"):
            self._got(body, bill)
            await self._outside.takes(90.0)
            raise CloudUnavailable(reason="cloud-timeout", uncertain=True)
        if strikes("cloud-refuses"):
            self._got(body, None)
            await self._outside.takes(3.0)
            return CloudRefusal("cloud-refused")
        if strikes("cloud-forbidden"):
            self._got(body, bill)
            await self._outside.takes(3.0)
            raise PermanentError(reason="cloud-answer-too-large")
        self._got(body, bill)
        await self._outside.takes(3.0)
        return CloudReply(
            text=self._text(question),
            stop="end_turn",
            complete=not strikes("cloud-cut"),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            model=question.model,
            request_id="r",
            sent_sha256=hashlib.sha256(body).hexdigest(),
            simulated=False,
        )

    def _text(self, question: Question) -> str:
        if self._outside.strikes("cloud-nonsense"):
            return "The sum is 84,117.93 EUR, as of 3 March 1994; ask [PERSON_7Q2M]."
        prompt = question.prompt
        if prompt.json_schema is not None and "choice" in prompt.json_schema.get("properties", {}):
            return json.dumps({"choice": prompt.json_schema["properties"]["choice"]["enum"][0]})
        if prompt.json_schema is not None or "template" in prompt.system:
            return _FRAMEWORK
        found = SURROGATE.search(prompt.user)
        return (
            f"{found.group()} was charged twice and asks for the second payment to be returned." if found else _ANSWER
        )

    def _got(self, body: bytes, bill: Decimal | None) -> None:
        self.sent.append(Sent(CALL.get("none"), body, self._outside.loop.time(), bill))

    async def close(self) -> None:
        """Nothing to let go of."""


class QuickIdentity(Identity):
    """An identity whose signatures are a keyed hash: as good within one process, and a tenth of the time."""

    def sign(self, content: bytes) -> bytes:
        return _mark(self.name, content)


class QuickRing(KeyRing):
    """The ring that goes with :class:`QuickIdentity`."""

    def holds(self, name: str, signature: bytes, content: bytes) -> bool:
        return signature == _mark(name, content)

    def whole(self) -> KeyRing:
        return self


def _mark(name: str, content: bytes) -> bytes:
    return hashlib.blake2b(content, key=name.encode()).digest()


@cache
def identities(*, real: bool) -> tuple[dict[str, Identity], KeyRing]:
    """Return everybody's identity and the ring; ``real`` ones sign by Ed25519."""
    kind, ring = (Identity, KeyRing) if real else (QuickIdentity, QuickRing)
    made = {
        row.agent: kind(row.agent, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(row.agent.encode()).digest()))
        for row in TOPOLOGY
    }
    return dict(made), ring({name: [identity.public] for name, identity in made.items()})
