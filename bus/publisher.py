"""Publishes messages: sealed, stored before it returns, large bodies by way of the object store."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError

from hybridmesh.bus.bodies import body_name, put_body
from hybridmesh.bus.borders import is_apart, is_open
from hybridmesh.bus.envelope import BODY_REFERENCE, Envelope, seal
from hybridmesh.bus.errors import MeshBusy, MeshError, MeshUnavailable, PermanentError
from hybridmesh.bus.identity import Identity
from hybridmesh.bus.message_ids import MESSAGE_ID, MessageIds
from hybridmesh.bus.store_answers import has_no_room, is_full, unavailable
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.message import Message

logger = logging.getLogger("hybridmesh")

_ACK_TIMEOUT_S = 5.0
# A cluster answers at once that there is no stream while one elects its leader. A round takes 4 to 9 s, the first may
# have no winner, and 4.9 and 6.3 s were measured: so it is bound by time, as tries that fail at once are soon used up.
_KEEP_ON_S = 15.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 4.0
_BAD_REQUEST = 400  # it is the message: headers above 64 KiB, or such as ask something of the stream that it is not
_OPEN_BYTES = 4 * 1024 * 1024  # half of what the server takes in one message


def utc_now() -> datetime:
    """Return the present moment: the clock that agents are given."""
    return datetime.now(UTC)


class Publisher:
    """Publishes under one identity; also the agent's audit log.

    Bodies above ``max_body_bytes`` go to the object store, above ``max_open_bytes`` those that are read without it.
    """

    def __init__(
        self,
        js: JetStreamContext,
        identity: Identity,
        *,
        max_body_bytes: int,
        max_open_bytes: int = _OPEN_BYTES,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._js = js
        self._identity = identity
        self._ids = MessageIds(identity)
        self._max_body_bytes = max_body_bytes
        self._max_open_bytes = max(max_open_bytes, max_body_bytes)
        self._clock = clock

    @property
    def js(self) -> JetStreamContext:
        """Over which it publishes."""
        return self._js

    async def publish(self, message: Message) -> None:
        """Return when the stream has stored the message, or knows its id already.

        Raises:
            MeshBusy: the queue is full.
            StoreFailed: the server's store takes nothing, whatever the queue has.
            MeshUnavailable: no acknowledgement came.
            PermanentError: the message is more than the server takes, or not what a stream stores.

        """
        envelope = seal(message, self._identity, self._clock())
        if len(envelope.body) > self._max_body_bytes and self._goes_by_reference(message, len(envelope.body)):
            envelope = await self._by_reference(envelope)
        await self.send(envelope)

    async def record(self, event: AuditEvent) -> None:
        """Store an audit event; raises MeshUnavailable when it is not on disk."""
        try:
            await self.publish(event)
        except MeshBusy as error:
            raise MeshUnavailable("the audit log is full", reason="audit-full") from error

    async def send(self, envelope: Envelope) -> None:
        """Store an envelope as it is, under an id of this identity's own; raises what :meth:`publish` does.

        It is tried again until a quarter of a minute is over.
        """
        headers = dict(envelope.headers)
        if (name := headers.get(MESSAGE_ID)) is not None:
            headers[MESSAGE_ID] = self._ids.of(name)
        clock = asyncio.get_running_loop().time
        until, pause_s = clock() + _KEEP_ON_S, _FIRST_PAUSE_S
        while True:
            try:
                await self._js.publish(envelope.subject, envelope.body, timeout=_ACK_TIMEOUT_S, headers=headers)
            except APIError as error:
                if (refusal := _refusal(error)) is not None:
                    raise refusal from error
                failure: Exception = error
            except nats.errors.MaxPayloadError as error:
                raise PermanentError("the message is more than the server takes", reason="too-large") from error
            except nats.errors.BadHeaderError as error:
                raise PermanentError("a header's name is none", reason="not-stored") from error
            except (nats.errors.Error, NoStreamResponseError, TimeoutError, OSError) as error:
                failure = error
            else:
                return
            told = unavailable("not stored", failure)
            logger.warning("publish on %s failed: %s", envelope.subject, told)
            # A client that is closed seeks no server any more.
            if clock() >= until or isinstance(failure, nats.errors.ConnectionClosedError):
                raise told from failure
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _goes_by_reference(self, message: Message, size: int) -> bool:
        fits = is_open(type(message)) and size <= self._max_open_bytes
        return not fits and not is_apart(self._identity.name, type(message))

    async def _by_reference(self, envelope: Envelope) -> Envelope:
        name = body_name(envelope.headers["ce-id"], envelope.body)
        await put_body(self._js, name, envelope.body)
        return Envelope(envelope.subject, {**envelope.headers, BODY_REFERENCE: name}, b"")


def _refusal(error: APIError) -> MeshError | None:
    """Return what a stream's answer means to the sender; None: another may come if it is asked again."""
    if is_full(error):
        return MeshBusy("the queue is full; try again later", retry_after_s=5.0)
    if error.code == _BAD_REQUEST and not has_no_room(error):
        return PermanentError(f"no stream stores this: error {error.err_code}", reason="not-stored")
    return None
