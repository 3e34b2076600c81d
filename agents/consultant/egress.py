"""One egress: the gate that a question's bytes pass, and what is written to the audit log before and after.

No audit, no egress: the gate opens only when the second scan found nothing and the audit log has stored what is
about to leave.
"""

import asyncio
import contextlib
import hashlib
from decimal import Decimal
from typing import Protocol

from hybridmesh.agents.consultant.egress_scan import scan_body
from hybridmesh.agents.consultant.port import CloudRefusal, CloudReply
from hybridmesh.bus.agent import AuditLog, Clock
from hybridmesh.bus.errors import MeshUnavailable, PermanentError
from hybridmesh.schemas.audits import Action, AuditEvent, Fact
from hybridmesh.schemas.consults import ConsultRequested
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.privacy import Findings

AGENT = "consultant"


class EgressLog(AuditLog, Protocol):
    """Where an egress is written before it happens: its hash to the audit log, its bytes beside it."""

    async def publish(self, message: Message) -> None:
        """Return when the message is stored; raises MeshUnavailable when it is not."""
        ...


class Egress:
    """The gate of one call; ``call_id`` tells the calls for one message apart, so that none hides another."""

    def __init__(
        self, message: ConsultRequested, call_id: str, audit: EgressLog, clock: Clock, *, provider: str, simulated: bool
    ) -> None:
        self._message = message
        self._call_id = call_id
        self._audit = audit
        self._clock = clock
        self._far_end: dict[str, Fact] = {"provider": provider, "simulated": simulated}
        self.findings = Findings()
        self.sent_sha256: str | None = None

    async def admit(self, body: bytes) -> None:
        """Let one body pass once.

        Raises:
            PermanentError: something private in it (``second-scan``), or a second body (``second-send``).
            MeshUnavailable: the audit log did not store the egress, or its copy was not stored beside it.

        """
        if self.sent_sha256 is not None:
            raise PermanentError("one call sends one body", reason="second-send")
        # In a thread: a long prompt must not keep the message from being kept alive.
        self.findings = await asyncio.to_thread(scan_body, body)
        if self.findings.total:
            raise PermanentError("the second scan found something private", reason="second-scan")
        sha256 = hashlib.sha256(body).hexdigest()
        facts = {
            **self._far_end,
            "sent_sha256": sha256,
            "bytes": len(body),
            "model": self._message.model,
            "max_tokens": self._message.max_tokens,
            "purpose": self._message.purpose,
            "policy_version": self._message.clearance.policy_version,
            "surrogates": sum(self._message.clearance.counts.values()),
        }
        await self._audit.record(self._event(Action.EGRESS_STARTED, facts))
        try:
            await self._audit.publish(self._copy_of(body, sha256))
        except MeshUnavailable:
            # The log says more than was done, which is mended where it can be; never less.
            with contextlib.suppress(MeshUnavailable):
                await self._audit.record(self.ended("not-sent", None, None))
            raise
        self.sent_sha256 = sha256

    def _copy_of(self, body: bytes, sha256: str) -> EgressRecorded:
        return EgressRecorded(
            task_id=self._message.task_id,
            step_id=self._message.step_id,
            attempt=self._message.attempt,
            body=body.decode(),
            sha256=sha256,
            destination=str(self._far_end["provider"]),
            model=self._message.model,
            simulated=bool(self._far_end["simulated"]),
            call_id=self._call_id,
            sent_at=self._clock(),
        )

    def blocked(self, reason: str) -> AuditEvent:
        """Return the event of a prompt that one of our guards kept back; counts by type, never values."""
        found: dict[str, Fact] = {f"found.{kind}": count for kind, count in self.findings.counts.items()}
        return self._event(Action.EGRESS_BLOCKED, {"reason": reason, **found})

    def ended(self, outcome: str, result: CloudReply | CloudRefusal | None, cost_usd: Decimal | None) -> AuditEvent:
        """Return the event of a call that is over, whatever came of it."""
        facts: dict[str, Fact] = {**self._far_end, "outcome": outcome, "sent_sha256": self.sent_sha256}
        if result is not None:
            facts |= {
                "model": result.model,
                "input_tokens": result.input_tokens,
                "output_tokens": result.output_tokens,
                "cost_usd": None if cost_usd is None else str(cost_usd),
                "request_id_sha256": hashlib.sha256(result.request_id.encode()).hexdigest(),
            }
        if isinstance(result, CloudReply):
            facts |= {"complete": result.complete, "stop": result.stop, "simulated": result.simulated}
        return self._event(Action.EGRESS_ENDED, facts)

    def _event(self, action: Action, facts: dict[str, Fact]) -> AuditEvent:
        return AuditEvent.of_step(self._message, AGENT, action, self._clock(), facts, self._call_id)
