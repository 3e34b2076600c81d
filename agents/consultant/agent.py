"""The consultant's wiring: what it does with a cleared prompt, and what it answers when it may not or cannot ask."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import uuid_utils

from hybridmesh.agents.consultant.calls import CallBook, CallRecord, Calls
from hybridmesh.agents.consultant.egress import AGENT, Egress, EgressLog
from hybridmesh.agents.consultant.patience import next_pause_s
from hybridmesh.agents.consultant.port import CloudModel, CloudRefusal, CloudReply, Question
from hybridmesh.bus.agent import Agent, Clock
from hybridmesh.bus.errors import CloudUnavailable, MeshUnavailable, PermanentError, TransientError, UntrustedMessage
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.consults import (
    UNKNOWN_OUTCOME,
    ConsultAdvised,
    ConsultRefused,
    ConsultRequested,
    Prompt,
    Usage,
)
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.privacy import Clearance

UNKNOWN = "unknown"  # the outcome of a call that may have been answered
_CLOCKS_APART_S = 5.0  # by how much the clocks of two replicas may differ

PriceList = Callable[[str, str, int, int], Decimal | None]


class ClearanceCheck(Protocol):
    """Holds a clearance against the prompt, the step and the classifier's public key."""

    def __call__(
        self, clearance: Clearance, prompt: Prompt, *, now: datetime, task_id: str, step_id: str, attempt: int
    ) -> None:
        """Raise UntrustedMessage when it does not hold."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a message: its gate, and what is known of the calls of others."""

    message: ConsultRequested
    egress: Egress
    calls: Calls


def new_call_id() -> str:
    """Return a fresh id for one cloud call."""
    return str(uuid_utils.uuid7())


class Consultant:
    """Asks the cloud model what the classifier has cleared; the one process with a cloud key and a way out.

    Consumes ``consult.requested``; publishes ``consult.advised``, ``consult.refused`` and ``egress.recorded``.
    Needs a cloud model, an audit log that is awaited before each egress, and the classifier's public key (inside
    ``check``). Whatever goes wrong, the step goes on: a prompt that may not leave, or a cloud that does not answer
    within ``patience_s`` of the clearance, is a refusal, and the router takes the local lane. A call that may have been
    answered is not made again: its answer is in ``calls``, or nobody knows what came of it. ``clearance_s`` is how
    long the classifier's clearances last; the work loop must allow a message at least four tries.
    """

    def __init__(
        self,
        cloud: CloudModel,
        audit: EgressLog,
        check: ClearanceCheck,
        price: PriceList,
        clock: Clock,
        calls: CallBook,
        *,
        clearance_s: float,
        patience_s: float = 60.0,
        new_id: Callable[[], str] = new_call_id,
    ) -> None:
        self._cloud = cloud
        self._audit = audit
        self._check = check
        self._price = price
        self._clock = clock
        self._calls = calls
        self._clearance_s = clearance_s
        self._patience_s = min(patience_s, clearance_s)
        self._new_id = new_id

    def agent(self) -> Agent:
        """Return the agent as the application shell runs it."""
        return Agent(AGENT, handlers={ConsultRequested: self.consult}, close=self._cloud.close)

    async def consult(self, message: ConsultRequested) -> Sequence[Message]:
        """Ask the cloud once, if the prompt may leave.

        Raises:
            CloudUnavailable: worth another try while the patience lasts.
            MeshUnavailable: the audit log does not answer; likewise, and nothing was sent.

        """
        egress = Egress(
            message,
            self._new_id(),
            self._audit,
            self._clock,
            provider=self._cloud.provider,
            simulated=self._cloud.simulated,
        )
        delivery = Delivery(message, egress, Calls(self._calls, message))
        try:
            before = await delivery.calls.found()
        except MeshUnavailable as error:
            return await self._put_off(delivery, error, in_the_dark=True)
        if before is not None:
            return _repeated(message, egress, before)
        doubt = self._doubt(message)
        if doubt is not None:
            return [egress.blocked(doubt), _refused(message, doubt)]
        return await self._ask(delivery)

    async def _ask(self, delivery: Delivery) -> Sequence[Message]:
        message, egress, calls = delivery.message, delivery.egress, delivery.calls

        async def gate(body: bytes) -> None:
            await calls.begin()
            await egress.admit(body)

        try:
            result = await self._cloud.ask(Question(message.prompt, message.model, message.max_tokens), gate)
        except PermanentError as error:
            return await self._stopped(delivery, error.reason)
        except TransientError as error:
            if isinstance(error, CloudUnavailable) and error.uncertain and egress.sent_sha256 is not None:
                return [egress.ended(UNKNOWN, None, None), _refused(message, UNKNOWN_OUTCOME, detail=error.reason)]
            return await self._put_off(delivery, error)
        cost = self._cost(message, result)
        usage = Usage(input_tokens=result.input_tokens, output_tokens=result.output_tokens, cost_usd=cost)
        if isinstance(result, CloudRefusal):
            billed = usage if result.input_tokens or result.output_tokens else None
            outcome, refused = result.reason, _refused(message, result.reason, usage=billed)
        elif result.sent_sha256 != egress.sent_sha256:
            outcome, refused = "ungated-egress", _refused(message, "ungated-egress", usage=usage)
        else:
            advised, ended = self._advised(message, result, usage), egress.ended("advised", result, cost)
            await calls.keep(CallRecord(ended=ended, advised=advised))
            return [ended, advised]
        ended = egress.ended(outcome, result, cost)
        await calls.keep(CallRecord(ended=ended, refused=refused))
        return [ended, refused]

    async def _stopped(self, delivery: Delivery, reason: str) -> Sequence[Message]:
        """Return what follows from a call that one of our guards stopped, before it left or after."""
        message, egress = delivery.message, delivery.egress
        if delivery.calls.overtaken is not None:
            return _repeated(message, egress, delivery.calls.overtaken)
        if egress.sent_sha256 is not None:
            return [egress.ended(reason, None, None), _unread(message, reason)]
        return await self._refuse(delivery, egress.blocked(reason), _refused(message, reason))

    def _doubt(self, message: ConsultRequested) -> str | None:
        """Return why the prompt may not leave, or None."""
        try:
            self._check(
                message.clearance,
                message.prompt,
                now=self._clock(),
                task_id=message.task_id,
                step_id=message.step_id,
                attempt=message.attempt,
            )
        except UntrustedMessage as error:
            return error.reason
        return None

    def _advised(self, message: ConsultRequested, reply: CloudReply, usage: Usage) -> ConsultAdvised:
        return ConsultAdvised(
            task_id=message.task_id,
            step_id=message.step_id,
            attempt=message.attempt,
            purpose=message.purpose,
            advice=reply.text,
            complete=reply.complete,
            usage=usage,
            model=reply.model,
            provider=self._cloud.provider,
            simulated=reply.simulated,
            sent_sha256=reply.sent_sha256,
        )

    async def _put_off(
        self, delivery: Delivery, error: TransientError, *, in_the_dark: bool = False
    ) -> Sequence[Message]:
        """Raise the error with the time of the next try, or refuse when that would come too late.

        ``in_the_dark`` says that an earlier delivery may have made the call, as its record cannot be read.
        """
        message, egress = delivery.message, delivery.egress
        reason = "cloud-unavailable" if isinstance(error, CloudUnavailable) else "audit-unavailable"
        ended = egress.blocked(reason) if egress.sent_sha256 is None else egress.ended(error.reason, None, None)
        pause = next_pause_s(self._clearance_s - self._left_s(message), error.retry_after_s, self._patience_s)
        if pause is None:
            refused = _refused(message, reason, detail=error.reason)
            return await self._refuse(delivery, ended, refused, in_the_dark=in_the_dark)
        if egress.sent_sha256 is not None:
            # Best effort: the start is on record, and a start without an end says just what is known.
            with contextlib.suppress(MeshUnavailable):
                await self._audit.record(ended)
        await delivery.calls.take_back()
        error.retry_after_s = pause
        raise error

    async def _refuse(
        self, delivery: Delivery, ended: AuditEvent, refused: ConsultRefused, *, in_the_dark: bool = False
    ) -> Sequence[Message]:
        """Refuse a call for good: on record first, so that no other delivery makes it.

        While there is no record to be had, that is certain only when the clearance has ended for everybody; raises
        MeshUnavailable with the time until then.
        """
        message, egress = delivery.message, delivery.egress
        try:
            return _repeated(message, egress, await delivery.calls.close(ended, refused))
        except MeshUnavailable as error:
            left_s = self._left_s(message)
            if left_s > -_CLOCKS_APART_S:
                error.retry_after_s = left_s + 2 * _CLOCKS_APART_S
                raise
        if in_the_dark:
            return [egress.ended(UNKNOWN, None, None), _refused(message, UNKNOWN_OUTCOME, detail=refused.detail)]
        return [ended, refused]

    def _left_s(self, message: ConsultRequested) -> float:
        """Return how long the clearance holds, at most as long as the classifier gives one."""
        return min((message.clearance.expires_at - self._clock()).total_seconds(), self._clearance_s)

    def _cost(self, message: ConsultRequested, result: CloudReply | CloudRefusal) -> Decimal | None:
        """Return the call's price; a simulated one costs what the model that it stands in for would have."""
        model = message.model if self._cloud.simulated else result.model
        provider = "anthropic" if self._cloud.simulated else self._cloud.provider
        return self._price(provider, model, result.input_tokens, result.output_tokens)


def _repeated(message: ConsultRequested, egress: Egress, before: CallRecord) -> Sequence[Message]:
    """Return what followed from the call of an earlier delivery, whose process may have died before it said so."""
    told = before.advised or before.refused
    if before.ended is not None and told is not None:
        return [before.ended, told]
    return [egress.ended(UNKNOWN, None, None), _refused(message, UNKNOWN_OUTCOME)]


def _unread(message: ConsultRequested, reason: str) -> ConsultRefused:
    """Return the refusal of a call that left and was stopped; an answer that was not taken is billed all the same."""
    if reason.startswith("cloud-"):
        return _refused(message, UNKNOWN_OUTCOME, detail=reason)
    return _refused(message, reason, usage=Usage(input_tokens=0, output_tokens=0, cost_usd=None))


def _refused(message: ConsultRequested, reason: str, detail: str = "", usage: Usage | None = None) -> ConsultRefused:
    return ConsultRefused(
        task_id=message.task_id,
        step_id=message.step_id,
        attempt=message.attempt,
        reason=reason,
        by=AGENT,
        detail=detail,
        usage=usage,
    )
