"""Dead letters: where a message goes that nobody can handle, with the reason, and what that means for its task."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from nats.aio.msg import Msg
from pydantic import ValidationError

from hybridmesh.bus.bodies import keep_body
from hybridmesh.bus.borders import has_store
from hybridmesh.bus.envelope import BODY_REFERENCE, NAMING, Envelope
from hybridmesh.bus.errors import BURIED, PermanentError
from hybridmesh.bus.publisher import Publisher
from hybridmesh.bus.seats import seat_of
from hybridmesh.bus.topology import dead_subject, producers_of
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import UNKNOWN_OUTCOME, ConsultRefused
from hybridmesh.schemas.message import DEFAULT_TENANT, Message, is_task_id
from hybridmesh.schemas.steps import StepFailed
from hybridmesh.schemas.tasks import TaskFailed

REASON, DETAIL, BURIED_BY, BURIED_AT, DIED_ON = (
    f"mesh-dead-{name}" for name in ("reason", "detail", "by", "at", "subject")
)
LEFT_OUT = "mesh-dead-left-out"  # its body was too large, or its headers, and had so many bytes

_LONG = 1024  # more than a header of ours ever is
_ATTEMPT = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Burial:
    """Who buries a message, when and why; no user text. ``place`` is where it died: stream and sequence."""

    agent: str
    place: str
    reason: str
    detail: str
    at: datetime


async def bury(publisher: Publisher, message: Msg, burial: Burial) -> None:
    """Store the message among the dead letters, once however often it is tried, with a copy of a body kept elsewhere.

    Of one that no stream takes, as with what a burial adds it is too large, or has headers of no use, the rest is kept.

    Raises:
        MeshUnavailable: the bus does not answer.
        PermanentError: no stream takes it.

    """
    try:
        await _store(publisher, message, burial)
    except PermanentError:
        detail = f"{burial.detail[:200]}; left out: its body of {len(message.data)} bytes"
        await _store(publisher, _remains(message), replace(burial, detail=detail))


async def _store(publisher: Publisher, message: Msg, burial: Burial) -> None:
    headers = {
        **(message.headers or {}),
        **await _own_body(publisher, message, burial),
        REASON: burial.reason,
        DETAIL: burial.detail.replace("\n", " ")[:300],
        BURIED_BY: burial.agent,
        BURIED_AT: burial.at.isoformat(),
        DIED_ON: message.subject,
        "Nats-Msg-Id": f"dead:{burial.place}",
    }
    await publisher.send(Envelope(dead_subject(message.subject), headers, message.data))


def _remains(message: Msg) -> Msg:
    """Return what the dead letters take of any message: no body, and of its headers those that name it."""
    headers = {name: value for name, value in (message.headers or {}).items() if name in NAMING and len(value) < _LONG}
    return replace(message, data=b"", headers={**headers, LEFT_OUT: str(len(message.data))})


async def _own_body(publisher: Publisher, message: Msg, burial: Burial) -> dict[str, str]:
    """Return the header that names the letter's own copy of the body, which outlives the task."""
    if not has_store(seat_of(burial.agent).row):
        return {}
    js = publisher.js
    kept = await keep_body(js, message.headers or {}, burial.place)
    return {} if kept is None else {BODY_REFERENCE: kept}


def obituary(
    headers: Mapping[str, str], burial: Burial, *, ends: bool, tenant: str = DEFAULT_TENANT
) -> tuple[Message, ...]:
    """Return the audit event and, if its word ``ends`` anything, what ends that which the message was part of.

    The task and the step are read from the message's derived id, as its body may be unreadable. An id of nobody's
    making ends nothing, and no word of it is repeated: it may be an outsider's, and hold anything.
    """
    parts = headers.get("ce-id", "").split("/")
    try:
        endings = _endings(burial, parts, f"{BURIED}{burial.reason}", tenant) if ends else ()
        # Who cannot say that a step failed has no step in hand: an unreadable correction fails nothing.
        endings = tuple(ending for ending in endings if burial.agent in producers_of(type(ending)))
    except ValidationError:
        endings = ()
    return (_audit(burial, parts[0] if is_task_id(parts[0]) else None), *endings)


def _audit(burial: Burial, task_id: str | None) -> AuditEvent:
    return AuditEvent(
        agent=burial.agent,
        action=Action.MESSAGE_BURIED,
        at=burial.at,
        task_id=task_id,
        nonce=burial.place,
        facts={"reason": burial.reason},
    )


def _endings(burial: Burial, parts: list[str], reason: str, tenant: str) -> tuple[Message, ...]:
    match parts:
        case [task, step, stage, attempt, *_] if _ATTEMPT.fullmatch(attempt):
            if burial.agent == "consultant":
                # One of its deliveries may have made the call, so what was set aside is not given back.
                refused = ConsultRefused(
                    task_id=task,
                    step_id=step,
                    attempt=int(attempt),
                    reason=UNKNOWN_OUTCOME,
                    by=burial.agent,
                    detail=reason,
                )
                return (refused,)
            if burial.agent == "decomposer" and stage == StepFailed.NAME:
                return (_task_failed(task, tenant, reason, burial),)
            return (StepFailed(task_id=task, step_id=step, attempt=int(attempt), reason=reason),)
        case [task, "task.submitted"]:
            return (_task_failed(task, tenant, reason, burial),)
        case _:
            return ()


def _task_failed(task_id: str, tenant: str, reason: str, burial: Burial) -> TaskFailed:
    return TaskFailed(
        task_id=task_id, tenant=tenant, outcome="failed", reason=reason, detail=burial.detail, finished_at=burial.at
    )
