"""Bodies too large for a message: kept in the object store, while the message carries their name."""

import base64
import contextlib
import hashlib
from collections.abc import Mapping
from typing import cast

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError, BadObjectMetaError, NotFoundError, ObjectNotFoundError

from hybridmesh.bus.envelope import BODY_REFERENCE
from hybridmesh.bus.errors import BodyMissing, MeshUnavailable
from hybridmesh.bus.state import NO_MESSAGE
from hybridmesh.bus.store_answers import unavailable
from hybridmesh.bus.stores import body_subject, chunk_subject
from hybridmesh.bus.topology import BODIES, BODIES_STREAM, TOPOLOGY
from hybridmesh.schemas.tasks import end_id

_DIGEST = "SHA-256="
DAMAGED = "body-damaged"  # the reason of the error that says that a body is stored, and not whole
_KEPT = "dead_"  # no task's id begins like that
_TIMERS = tuple(kind.NAME for row in TOPOLOGY for kind in row.timers)


def body_name(message_id: str, body: bytes) -> str:
    """Return what the body of a message is stored under.

    It is the body's own: a message that is made again, and comes out otherwise, is a repeat that the stream drops, and
    its body must not take the place of the one that was signed.
    """
    return f"{_stem(message_id)}{hashlib.sha256(body).hexdigest()[:16]}"


async def put_body(js: JetStreamContext, name: str, body: bytes) -> None:
    """Store a body; one of the same name is replaced.

    Raises:
        MeshUnavailable: the object store took no body.

    """
    try:
        await (await js.object_store(BODIES)).put(name, body)
    except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
        raise unavailable("the object store took no body", error) from error


async def fetch_body(js: JetStreamContext, headers: dict[str, str], body: bytes) -> bytes:
    """Return a message's body, from the object store where the message only carries its name.

    Raises:
        MeshUnavailable: the object store does not answer, or what it has is not whole.
        BodyMissing: the object store has it not. A body is stored before its message, so it does not come any more.

    """
    name = headers.get(BODY_REFERENCE)
    if name is None:
        return body
    try:
        return await _read(js, name)
    except NotFoundError as error:
        if isinstance(error, ObjectNotFoundError) or error.err_code == NO_MESSAGE:
            raise BodyMissing("the object store has not the body") from error
        raise MeshUnavailable("there is no object store") from error
    except BadObjectMetaError as error:
        raise _damaged() from error
    except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
        raise MeshUnavailable("a body could not be fetched", reason="body-not-fetched") from error


async def keep_body(js: JetStreamContext, headers: Mapping[str, str], place: str) -> str | None:
    """Copy the body of a message that dies at ``place`` to where :func:`forget_bodies` leaves it; return its new name.

    None where there is nothing to copy: the message carries its body, or has lost it, or names another message's.

    Raises:
        MeshUnavailable: the object store does not answer.

    """
    name = headers.get(BODY_REFERENCE)
    if name is None:
        return None
    try:
        body = await fetch_body(js, dict(headers), b"")
    except BodyMissing:
        return None
    except MeshUnavailable as error:
        if error.reason == DAMAGED:
            return None
        raise
    if name != body_name(headers.get("ce-id", ""), body):
        return None
    kept = f"{_KEPT}{body_name(place, body)}"
    await put_body(js, kept, body)
    return kept


async def drop_body(js: JetStreamContext, name: str) -> None:
    """Remove a copy that :func:`keep_body` made; anything else stays. It is no fault that it is gone already.

    Raises:
        MeshUnavailable: the object store does not answer.

    """
    if not name.startswith(_KEPT):
        return
    try:
        with contextlib.suppress(NotFoundError):
            await (await js.object_store(BODIES)).delete(name)
    except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
        raise MeshUnavailable("a stored body could not be removed") from error


async def forget_bodies(js: JetStreamContext, task_id: str) -> int:
    """Remove what was stored for a task on its way, and return how much.

    Its end stays, for who reads the result, and so do timers: one that cannot be read would be handed out for ever.
    What :func:`keep_body` copied for dead letters has names of its own, and goes with the letter or by its age.

    Raises:
        MeshUnavailable: the object store does not answer.

    """
    everything = body_subject(">")
    # 36 letters of an id are 48 of base 64, so that the names of one task begin alike in either form.
    mine = base64.urlsafe_b64encode(task_id.encode()).decode()
    try:
        info = await js.stream_info(BODIES_STREAM, subjects_filter=everything)
        stored = [subject.removeprefix(everything[:-1]) for subject in info.state.subjects or {}]
        names = [_name_in(name) for name in stored if name.startswith(mine)]
        store = await js.object_store(BODIES)
        removed = 0
        for name in names:
            if not name.startswith(_stem(end_id(task_id))) and not any(f"_{kind}" in name for kind in _TIMERS):
                # Removed before: what stays is a mark. Or what was noted of it cannot be read: its age removes it.
                with contextlib.suppress(NotFoundError, BadObjectMetaError):
                    await store.delete(name)
                    removed += 1
    except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
        raise MeshUnavailable("the stored bodies could not be removed") from error
    return removed


def _name_in(token: str) -> str:
    """Return the name that a subject was made of; one that nobody's body has where it was made of none."""
    try:
        return base64.urlsafe_b64decode(token).decode()
    except ValueError:
        return ""


def _damaged() -> MeshUnavailable:
    return MeshUnavailable("a stored body is not whole", reason=DAMAGED)


def _stem(message_id: str) -> str:
    return message_id.replace("/", "_") + "_"


async def _read(js: JetStreamContext, name: str) -> bytes:
    """Return the pieces of a body, one request each.

    nats-py would make a consumer for them, and look up its stream by name: more than an agent may do.
    """
    info = await (await js.object_store(BODIES)).get_info(name)
    # As whoever stored it noted it, in JSON, of which nats-py checks no type.
    size, nuid, noted = cast("tuple[object, object, object]", (info.size, info.nuid, info.digest))
    if not (isinstance(size, int) and isinstance(nuid, str) and isinstance(noted, str) and nuid.isalnum()):
        raise _damaged()
    pieces: list[bytes] = []
    after = 1
    while sum(map(len, pieces)) < size:
        piece = await js.get_msg(BODIES_STREAM, seq=after, subject=chunk_subject(nuid), next=True)
        pieces.append(piece.data or b"")
        after = (piece.seq or after) + 1
    whole = b"".join(pieces)
    digest = base64.urlsafe_b64encode(hashlib.sha256(whole).digest()).decode()
    if noted.removeprefix(_DIGEST) != digest:
        raise _damaged()
    return whole
