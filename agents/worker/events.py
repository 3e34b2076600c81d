"""The worker's audit events: what was made of what, codes and figures only."""

from collections.abc import Mapping
from datetime import datetime

from hybridmesh.agents.worker.restoring import Answer
from hybridmesh.schemas.audits import Action, AuditEvent, Fact
from hybridmesh.schemas.consults import ConsultAdvised
from hybridmesh.schemas.message import StepMessage


def drafted(about: StepMessage, at: datetime, facts: Mapping[str, Fact]) -> AuditEvent:
    """A draft was made; ``facts`` name its way and what was left out of the model's sight."""
    return _event(Action.DRAFT_MADE, about, at, facts)


def restored(about: StepMessage, at: datetime, answer: Answer) -> AuditEvent:
    """Originals were put back into a reply, but for those that would have left again (``withheld``)."""
    facts: dict[str, Fact] = {"used": answer.used, "unresolved": answer.unresolved, "withheld": answer.withheld}
    return _event(Action.VALUES_RESTORED, about, at, facts)


def settled(advised: ConsultAdvised, at: datetime) -> AuditEvent:
    """A call was paid; no amount says that the model's price is not known and the reservation counts."""
    cost = advised.usage.cost_usd
    facts: dict[str, Fact] = {
        "amount_usd": None if cost is None else str(cost),
        "model": advised.model,
        "simulated": advised.simulated,
        "input_tokens": advised.usage.input_tokens,
        "output_tokens": advised.usage.output_tokens,
        "sent_sha256": advised.sent_sha256,
    }
    return _event(Action.SPEND_SETTLED, advised, at, facts)


def unasked(advised: ConsultAdvised, at: datetime) -> AuditEvent:
    """An advice came for a step that was to stay at home; nothing was done with it."""
    facts: dict[str, Fact] = {"reason": "advice-unasked", "purpose": advised.purpose}
    return _event(Action.MESSAGE_REFUSED, advised, at, facts, advised.purpose)


def released(about: StepMessage, at: datetime) -> AuditEvent:
    """What was set aside for a call came back: a remembered framework made it needless."""
    return _event(Action.SPEND_SETTLED, about, at, {"amount_usd": "0"}, "released")


def _event(action: Action, about: StepMessage, at: datetime, facts: Mapping[str, Fact], nonce: str = "") -> AuditEvent:
    return AuditEvent.of_step(about, "worker", action, at, facts, nonce)
