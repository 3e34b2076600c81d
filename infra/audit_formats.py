"""Audit events in the forms that other systems read: OCSF 1.6.0 (API Activity) and CloudEvents 1.0 as JSON."""

import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from pydantic import ValidationError

from hybridmesh.agents.auditor.bundle import Part, write_line
from hybridmesh.bus.proofs import LogEntry, Signature
from hybridmesh.schemas.audits import Action, AuditEvent

_OCSF = "1.6.0"
_CATEGORY, _CLASS = 6, 6003  # Application Activity, API Activity
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES: dict[Action, int] = {
    Action.TASK_ACCEPTED: _CREATE,
    Action.EGRESS_STARTED: _CREATE,
    Action.LESSON_LEARNED: _CREATE,
    Action.DEAD_LETTER_READ: _READ,
    Action.POLICY_CHANGED: _UPDATE,
    Action.VAULT_ROTATED: _UPDATE,
    Action.MEMORY_FORGOTTEN: _DELETE,
    Action.VAULT_FORGOTTEN: _DELETE,
    Action.DEAD_LETTER_DROPPED: _DELETE,
}
_INFORMATIONAL, _MEDIUM = 1, 3
_SUCCESS, _FAILURE = 1, 2
_REFUSALS = frozenset(
    {
        Action.PROMPT_REFUSED,
        Action.EGRESS_BLOCKED,
        Action.DRAFT_REJECTED,
        Action.MESSAGE_REFUSED,
        Action.MESSAGE_BURIED,
    }
)
# What somebody should look at: a producer that is not who it says, and a prompt that a guard had to stop.
_LOOK_AT = frozenset({Action.MESSAGE_REFUSED, Action.EGRESS_BLOCKED})

_BY_PEOPLE = frozenset({Action.APPROVAL_ANSWERED, Action.MEMORY_FORGOTTEN, Action.MESSAGE_REFUSED})


def as_ocsf(entry: LogEntry, event: AuditEvent) -> dict[str, Any]:
    """Return an entry as an OCSF event; what OCSF has no place for stands in ``unmapped``."""
    activity = _ACTIVITIES.get(event.action, _OTHER)
    by = event.facts.get("by") if event.action in _BY_PEOPLE else None
    return {
        "category_uid": _CATEGORY,
        "class_uid": _CLASS,
        "activity_id": activity,
        "activity_name": event.action.value,
        "type_uid": _CLASS * 100 + activity,
        "severity_id": _MEDIUM if event.action in _LOOK_AT else _INFORMATIONAL,
        "status_id": _FAILURE if event.action in _REFUSALS else _SUCCESS,
        "time": int(event.at.timestamp() * 1000),
        "metadata": {
            "version": _OCSF,
            "uid": entry.headers.get("ce-id", event.identity()),
            "sequence": entry.sequence,
            "event_code": event.action.value,
            "original_time": event.at.isoformat(),
            "log_name": "audit",
            "product": {"name": "hybridmesh", "vendor_name": "hybridmesh", "version": version("hybridmesh")},
            **({"correlation_uid": event.task_id} if event.task_id else {}),
        },
        "actor": {"app_name": event.agent, **({"user": {"name": str(by)}} if by else {})},
        "src_endpoint": {"svc_name": event.agent},
        "api": {"operation": event.action.value, "service": {"name": event.agent}},
        "unmapped": {
            "step_id": event.step_id,
            "attempt": event.attempt,
            "signature": entry.headers.get("mesh-signature", ""),
            "facts": dict(event.facts),
        },
    }


def as_cloudevent(entry: LogEntry, event: AuditEvent) -> dict[str, Any]:
    """Return an entry as a CloudEvent in JSON; its place in the log and its signature are extension attributes."""
    attributes = {name.removeprefix("ce-"): value for name, value in entry.headers.items() if name.startswith("ce-")}
    return {
        **attributes,
        "sequence": f"{entry.sequence:020}",
        "meshsignature": entry.headers.get("mesh-signature", ""),
        "data": event.model_dump(mode="json"),
    }


FORMATS: dict[str, Callable[[LogEntry, AuditEvent], dict[str, Any]]] = {"ocsf": as_ocsf, "cloudevents": as_cloudevent}
BUNDLE = "bundle"


def line_of(form: str, part: Part, entry: LogEntry, signature: Signature) -> str | None:
    """Return a line of an export; None in the other forms for a checkpoint, and for what is no event of the mesh.

    Those have no way to say that an entry is by nobody of the mesh: what they hold is taken for what an agent did.
    """
    if form == BUNDLE:
        return write_line(part, entry)
    try:
        event = AuditEvent.model_validate_json(entry.body)
    except ValidationError:
        return None  # `audit verify` names it
    if part != "log" or signature(entry) is not None:
        return None
    return json.dumps(FORMATS[form](entry, event), ensure_ascii=False)
