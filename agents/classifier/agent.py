"""The classifier: reads each step before anybody routes it, and each prompt before anybody sends it.

Consumes ``step.ready`` and ``consult.proposed``; publishes ``step.classified``, ``consult.requested``,
``consult.refused`` and audit events, and ``step.failed`` when a step is buried. Needs the detector, the organisation's
terms in the policy bucket, the vault and the key that signs clearances; asks the memory whom what leaves may still
point at.

It fails closed: whatever goes wrong in reading or keeping is a ``doubt`` of the step, or a refusal of the prompt. A
vault that does not answer is tried again a few times; where the whole bus is away, neither doubt nor refusal can be
published, and the message comes back by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hybridmesh.agents.classifier.door import Verdict, judge, prompt_texts
from hybridmesh.agents.classifier.known_languages import check_languages
from hybridmesh.agents.classifier.labels import label_in_doubt, label_of
from hybridmesh.agents.classifier.redaction import Redaction, plan_words, redact, redacted_of, texts_of
from hybridmesh.agents.classifier.residual import Residual, people_behind, people_in, residual_of
from hybridmesh.agents.classifier.spans import count
from hybridmesh.bus.agent import Agent, Clock, Handler
from hybridmesh.bus.clearances import sign_clearance
from hybridmesh.bus.errors import MeshError, PermanentError, TransientError
from hybridmesh.bus.ports import Memory
from hybridmesh.bus.sweeping import HOUR_S, keep_swept
from hybridmesh.bus.vault import ScopeKeys
from hybridmesh.schemas.audits import Action, AuditEvent, Fact
from hybridmesh.schemas.consults import ConsultProposed, ConsultRefused, ConsultRequested
from hybridmesh.schemas.memory import Kind, Search
from hybridmesh.schemas.message import Message, StepMessage
from hybridmesh.schemas.privacy import Clearance, Findings, Span, scope_of
from hybridmesh.schemas.steps import StepClassified, StepReady
from hybridmesh.schemas.surrogates import SURROGATE

NAME = "classifier"

T = TypeVar("T")

_PAUSES_S = (0.2, 1.0)  # before the vault is tried again
_NEAREST, _QUERY_CHARS = 100, 1000  # records that the memory is asked for, and by how much of the prompt
_RESIDUAL_S = 3.0
_CONFLICTS = 3  # times that another replica may be first to name a value


class Finder(Protocol):
    """What finds private values; see ``detector.Detector``."""

    async def find(self, texts: Sequence[str], known: Mapping[str, str] | None = None) -> list[list[Span]]:
        """Return the disjoint private spans of each text; any error means that the texts are in doubt."""
        ...

    def close(self) -> None:
        """Release what the finder holds."""
        ...


class Keeper(Protocol):
    """What keeps originals; see ``bus.vault.Vault``."""

    async def open(self, scope: str) -> ScopeKeys:
        """Return the keys of a scope, made at the first call."""
        ...

    async def put(self, scope: str, mapping: Mapping[str, str]) -> None:
        """Add surrogates and their originals."""
        ...

    async def originals(self, scope: str) -> dict[str, str]:
        """Return all surrogates of a scope with their originals."""
        ...

    async def sweep(self) -> int:
        """Drop the scopes whose time is over; return how many."""
        ...


class Policy(Protocol):
    """The organisation's own terms; see ``live_terms.LiveTerms``."""

    async def check(self) -> int:
        """Return the terms' version when the finder has it; any error means that the texts are in doubt."""
        ...

    async def keep(self) -> None:
        """Keep them current, for as long as the agent lives."""
        ...


class ClassifierAgent:
    """Labels and redacts steps, and signs or refuses prompts; the vault's scope is the task, or its conversation.

    ``clearance_s`` is how long a signed prompt may leave, ``sweep_s`` the pause between two sweeps of the vault.
    """

    def __init__(
        self,
        *,
        finder: Finder,
        terms: Policy,
        vault: Keeper,
        signing_key: Ed25519PrivateKey,
        clock: Clock,
        clearance_s: float,
        sweep_s: float = HOUR_S,
        memory: Memory | None = None,
    ) -> None:
        self._finder = finder
        self._terms = terms
        self._vault = vault
        self._signing_key = signing_key
        self._clock = clock
        self._clearance = timedelta(seconds=clearance_s)
        self._sweep_s = sweep_s
        self._memory = memory

    def agent(self) -> Agent:
        """Return the agent, wired."""
        handlers: dict[type[Message], Handler] = {StepReady: self.classify, ConsultProposed: self.clear}
        return Agent(NAME, handlers, watches=(self.sweep, self._terms.keep), close=self._close)

    async def classify(self, ready: StepReady) -> Sequence[Message]:
        """Label the step and put surrogates in place of what is private; they are in the vault before this returns."""
        texts = texts_of(ready.context)
        scope, words = scope_of(ready.task_id, ready.context.conversation), plan_words(ready.context)
        redaction = await _attempt(lambda: self._redact(scope, texts, words))
        floor = ready.context.label_floor
        if isinstance(redaction, str):
            doubt, findings, redacted, label = redaction, Findings(), None, label_in_doubt(floor)
        else:
            findings = count(texts, redaction.spans)
            doubt, redacted, label = None, redacted_of(redaction.result.texts), label_of(findings, floor)
        classified = StepClassified(
            task_id=ready.task_id, step_id=ready.step_id, attempt=ready.attempt, context=ready.context, label=label,
            findings=findings, redacted=redacted, doubt=doubt,
        )  # fmt: skip
        facts: dict[str, Fact] = {"label": label.name.lower(), "doubt": doubt, **_numbers("found", findings)}
        return [self._event(ready, Action.STEP_CLASSIFIED, facts), classified]

    async def clear(self, proposed: ConsultProposed) -> Sequence[Message]:
        """Sign the prompt as it would be sent, or refuse it."""
        judged = await _attempt(lambda: self._judge(proposed))
        if isinstance(judged, str):
            reason, found = judged, Findings()
        else:
            verdict, policy_version = judged
            if verdict.reason is None:
                return self._cleared(proposed, verdict, policy_version, await self._residual(proposed))
            reason, found = verdict.reason, verdict.found
        refused = ConsultRefused(
            task_id=proposed.task_id, step_id=proposed.step_id, attempt=proposed.attempt, reason=reason, by=NAME,
            detail=",".join(f"{kind}:{number}" for kind, number in sorted(found.counts.items())),
        )  # fmt: skip
        facts: dict[str, Fact] = {"reason": reason, **_prompt_facts(proposed), **_numbers("found", found)}
        return [self._event(proposed, Action.PROMPT_REFUSED, facts, nonce=proposed.purpose), refused]

    def _cleared(
        self, proposed: ConsultProposed, verdict: Verdict, policy_version: int, residual: Residual | None
    ) -> Sequence[Message]:
        clearance = sign_clearance(
            Clearance(
                prompt_sha256=proposed.prompt.digest(), task_id=proposed.task_id, step_id=proposed.step_id,
                attempt=proposed.attempt, policy_version=policy_version, counts=verdict.kept.counts,
                lane=proposed.decision.lane, expires_at=self._clock() + self._clearance, key_id="",
            ),
            self._signing_key,
        )  # fmt: skip
        requested = ConsultRequested(
            task_id=proposed.task_id, step_id=proposed.step_id, attempt=proposed.attempt, purpose=proposed.purpose,
            prompt=proposed.prompt, model=proposed.model, max_tokens=proposed.max_tokens, clearance=clearance,
        )  # fmt: skip
        facts: dict[str, Fact] = {
            **_prompt_facts(proposed),
            "key": clearance.key_id,
            **_numbers("kept", verdict.kept),
            **_residual_facts(residual),
        }
        return [self._event(proposed, Action.PROMPT_CLEARED, facts, nonce=proposed.purpose), requested]

    async def _redact(self, scope: str, texts: Sequence[str], words: Collection[int]) -> Redaction:
        await self._terms.check()
        keys = await _kept(lambda: self._vault.open(scope))
        for _ in range(_CONFLICTS):
            known = await _kept(lambda: self._vault.originals(scope))
            redaction = await redact(self._finder.find, texts, keys.surrogate_key, known, words)
            await check_languages(texts, redaction.spans)
            try:
                await _kept(partial(self._vault.put, scope, redaction.result.originals))
            except _Overtaken:
                continue
            return redaction
        raise PermanentError(reason="vault-conflict")

    async def _judge(self, proposed: ConsultProposed) -> tuple[Verdict, int]:
        """Return the verdict, and the version of the policy that it is by."""
        policy_version = await self._terms.check()
        texts = prompt_texts(proposed.prompt)
        scope = scope_of(proposed.task_id, proposed.conversation)
        originals = await _kept(lambda: self._vault.originals(scope))
        found = await self._finder.find(texts, {})
        await check_languages(texts, found)
        return judge(texts, found, originals), policy_version

    async def _residual(self, proposed: ConsultProposed) -> Residual | None:
        """Return whom the prompt may still point at; None where that cannot be said, which holds nothing up."""
        texts = prompt_texts(proposed.prompt)
        query = " ".join(SURROGATE.sub(" ", proposed.prompt.user).split())[:_QUERY_CHARS]
        try:
            async with asyncio.timeout(_RESIDUAL_S):
                scope = scope_of(proposed.task_id, proposed.conversation)
                named = list(people_behind(await self._vault.originals(scope)))
                nearest = Search(query=query, kinds=(Kind.RECORD,), limit=_NEAREST)
                hits = () if self._memory is None else (await self._memory.search(nearest)).hits
        except (MeshError, TimeoutError):
            return None
        return residual_of(texts, [*named, *people_in(hit.item for hit in hits)])

    async def sweep(self) -> None:
        """Drop what the vault has kept long enough, for as long as the agent lives."""
        await keep_swept(NAME, self._vault.sweep, self._sweep_s)

    async def _close(self) -> None:
        self._finder.close()

    def _event(self, message: StepMessage, action: Action, facts: dict[str, Fact], *, nonce: str = "") -> AuditEvent:
        return AuditEvent.of_step(message, NAME, action, self._clock(), facts, nonce)


class _Overtaken(Exception):
    """Another replica has named one of the values; read what it wrote."""


async def _kept(call: Callable[[], Awaitable[T]]) -> T:
    """Return what the vault returns, tried a few times; raises PermanentError (``vault-unavailable``) in the end."""
    for pause in (*_PAUSES_S, None):
        try:
            return await call()
        except TransientError as error:
            if error.reason == "vault-conflict":
                raise _Overtaken from error
            if pause is None:
                break
            await asyncio.sleep(pause)
    raise PermanentError(reason="vault-unavailable")


async def _attempt(work: Callable[[], Awaitable[T]]) -> T | str:
    """Return what the work returns, or the code of its failure."""
    try:
        return await work()
    except MeshError as error:
        return error.reason
    except Exception:  # noqa: BLE001 - the outermost boundary: what nobody foresaw keeps the text at home as well
        return "detection-failed"


def _numbers(prefix: str, findings: Findings) -> dict[str, Fact]:
    return {f"{prefix}.{kind.lower()}": number for kind, number in sorted(findings.counts.items())}


def _residual_facts(residual: Residual | None) -> dict[str, Fact]:
    if residual is None:
        return {"residual.known": None, "residual.matching": None}
    left = {f"residual.{kind}": number for kind, number in residual.left.items()}
    return {"residual.known": residual.known, "residual.matching": residual.matching, **left}


def _prompt_facts(proposed: ConsultProposed) -> dict[str, Fact]:
    return {
        "prompt_sha256": proposed.prompt.digest(),
        "purpose": proposed.purpose,
        "lane": proposed.decision.lane.value,
    }
