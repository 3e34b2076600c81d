"""CloudEvents 1.0 over NATS: binary mode out and in, structured mode in, with the producer's signature.

Each attribute is a ``ce-`` header; ``ce-id`` is also ``Nats-Msg-Id``, of which the publisher makes one of its own when
it sends; the body is the message's JSON. The signature covers subject, id, type, source, time and the body's SHA-256,
so no part can be moved elsewhere.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from pydantic import ValidationError

from hybridmesh.bus.errors import InvalidMessage, UnsupportedVersion, UntrustedMessage
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.message_ids import MESSAGE_ID
from hybridmesh.bus.seats import seat_of
from hybridmesh.bus.topology import OPEN_TYPES, message_types, producers_of, subject_of, subjects_of_message
from hybridmesh.schemas.message import Message

SIGNATURE = "mesh-signature"
BODY_REFERENCE = "ce-dataref"
_SOURCE = "/hybridmesh/"
NAMING = frozenset(
    {"ce-specversion", "ce-id", "ce-type", "ce-source", "ce-subject", "ce-time", BODY_REFERENCE, SIGNATURE}
)
"""The headers that say what a message is, without its body."""
_TYPES = message_types()


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as it stands on the wire: subject, headers, body."""

    subject: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that was read and trusted; ``producer`` is None for an unsigned one of an open type."""

    message: Message
    producer: str | None
    id: str


def seal(message: Message, identity: Identity, now: datetime) -> Envelope:
    """Return the signed envelope of a message."""
    subject = subject_of(message)
    body = message.model_dump_json().encode()
    headers = {
        "ce-specversion": "1.0",
        "ce-id": message.identity(),
        "ce-type": message.event_type(),
        "ce-source": f"{_SOURCE}{identity.name}",
        "ce-subject": message.topic(),
        "ce-time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ce-datacontenttype": "application/json",
    }
    headers[MESSAGE_ID] = headers["ce-id"]
    headers[SIGNATURE] = base64.b64encode(identity.sign(signed_bytes(subject, headers, body))).decode()
    return Envelope(subject, headers, body)


def signed_bytes(subject: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return what a producer signs."""
    of = headers.get
    about = f"{subject}\n{of('ce-id', '')}\n{of('ce-type', '')}\n{of('ce-source', '')}\n{of('ce-time', '')}"
    return f"{about}\n{hashlib.sha256(body).hexdigest()}".encode("utf-8", "surrogatepass")


def producer_of(headers: Mapping[str, str]) -> str:
    """Return the producer that the headers claim."""
    return headers.get("ce-source", "").removeprefix(_SOURCE)


def signature_problem(subject: str, headers: Mapping[str, str], body: bytes, ring: KeyRing) -> str | None:
    """Say what is wrong with the signature of an envelope, or None."""
    try:
        signature = base64.b64decode(headers.get(SIGNATURE, ""), validate=True)
    except ValueError:
        return "signature is not base64"
    if not signature:
        return "no signature"
    if not ring.holds(producer_of(headers), signature, signed_bytes(subject, headers, body)):
        return "signature does not hold"
    return None


def time_problem(headers: Mapping[str, str], came: datetime, within: timedelta) -> str | None:
    """Say how far the time that an envelope is signed with is from when it came, if that is too far, or None.

    In either direction: what was signed ahead of time could be sent again for as long.
    """
    try:
        age = came - datetime.fromisoformat(headers.get("ce-time", ""))
    except (ValueError, TypeError):  # no time, or one without its zone
        return "signed with no time"
    if abs(age) <= within:
        return None
    days = age / timedelta(days=1)
    return f"signed {abs(days):.1f} days {'before' if days > 0 else 'after'} it came: kept back, or by a wrong clock"


def open_envelope(subject: str, headers: Mapping[str, str], body: bytes, ring: KeyRing) -> Opened:
    """Read and check an envelope.

    Raises:
        InvalidMessage: the type is unknown or the body does not fit it.
        UnsupportedVersion: the type's major version is from the future.
        UntrustedMessage: the signature does not hold, or the topology does not name the producer for this type.

    """
    if headers.get("Content-Type", headers.get("content-type", "")).startswith("application/cloudevents"):
        headers, body = _from_structured(body)
    kind = _kind(headers.get("ce-type", ""))
    if headers.get(SIGNATURE):
        problem = signature_problem(subject, headers, body, ring)
        producer = producer_of(headers)
        if problem is None and not _is_named(producer, kind):
            problem = "producer is not named in the topology for this type"
        if problem is not None:
            raise UntrustedMessage(problem)
    elif kind in OPEN_TYPES:
        producer = None
    else:
        raise UntrustedMessage("no signature")
    try:
        message = kind.model_validate_json(body)
        if subject not in subjects_of_message(message):
            raise InvalidMessage("subject and content disagree", reason="wrong-subject")
    except ValidationError as error:
        raise InvalidMessage(f"body is not a {kind.NAME}: {_places(error, _names(kind))}") from None
    if producer is not None and seat_of(producer).tenant not in (None, getattr(message, "tenant", None)):
        raise UntrustedMessage("producer speaks for another tenant")
    return Opened(message, producer, headers.get("ce-id", message.identity()))


def _is_named(producer: str, kind: type[Message]) -> bool:
    try:
        return seat_of(producer).row.agent in producers_of(kind)
    except KeyError:
        return False


def _kind(event_type: str) -> type[Message]:
    found = _TYPES.get(event_type)
    if found is not None:
        return found
    stem, _, version = event_type.rpartition(".v")
    known = [int(name.rpartition(".v")[2]) for name in _TYPES if name.rpartition(".v")[0] == stem]
    # Nine digits are more majors than there will be, and longer numbers int() may refuse.
    if known and re.fullmatch("[0-9]{1,9}", version) and int(version) > max(known):
        raise UnsupportedVersion(f"major version {version} of a known type is newer than this program")
    raise InvalidMessage("unknown event type", reason="unknown-type")


def _places(error: ValidationError, names: frozenset[str]) -> str:
    """Return where a body is wrong: field names and kinds of error, never the input, of which keys are a part too."""
    found = error.errors(include_input=False, include_url=False, include_context=False)[:5]
    places = ((str(part) if isinstance(part, int) or part in names else "*" for part in item["loc"]) for item in found)
    return "; ".join(f"{'.'.join(place)}: {item['type']}" for place, item in zip(places, found, strict=True))


@cache
def _names(kind: type[Message]) -> frozenset[str]:
    """Return the names of the fields of a type, at every depth."""
    schema = kind.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for part in parts for name in part.get("properties", {}))


def _from_structured(body: bytes) -> tuple[dict[str, str], bytes]:
    try:
        event: object = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidMessage("structured CloudEvent is not JSON") from None
    if not isinstance(event, dict):
        raise InvalidMessage("structured CloudEvent is not an object")
    fields = cast("dict[str, Any]", event)
    data = fields.get("data")
    headers = {f"ce-{name}": str(value) for name, value in fields.items() if name not in ("data", "data_base64")}
    if "data_base64" in fields:
        try:
            return headers, base64.b64decode(str(fields["data_base64"]), validate=True)
        except ValueError:
            raise InvalidMessage("data_base64 of the structured CloudEvent is not base64") from None
    return headers, json.dumps(data).encode()
