"""Reads messages that a log keeps: what is none of the mesh's is named and passed over, and hides nothing behind it."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TypeVar, cast

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from hybridmesh.bus.audit_trust import false_speaker
from hybridmesh.bus.bodies import DAMAGED, fetch_body
from hybridmesh.bus.envelope import open_envelope
from hybridmesh.bus.errors import BodyMissing, InvalidMessage, MeshUnavailable, UntrustedMessage
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.state import NO_MESSAGE
from hybridmesh.bus.topology import filter_of, stream_of, subject_for
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.message import Message

logger = logging.getLogger("hybridmesh")

M = TypeVar("M", bound=Message)
Tell = Callable[[str], None]
"""Hears a line for people: which entry is passed over, and why; none of its words."""


class LogReading:
    """Opens entries of a log under a ring of every key that ever counted."""

    def __init__(self, js: JetStreamContext, ring: KeyRing, tell: Tell | None = None) -> None:
        self._js = js
        self._ring = ring.whole()
        self._tell = tell or logger.warning

    async def stored(self, kind: type[M], topic: str) -> AsyncGenerator[M]:
        """Yield the stored messages of a type about one thing, oldest first.

        Raises:
            MeshUnavailable: the log cannot be read to its end.

        """
        stream, wanted, after = stream_of(filter_of(kind)).name, subject_for(kind, topic), 1
        while True:
            try:
                # Not by direct get: there what an entry says of itself could pass for the server's own answer.
                found = await self._js.get_msg(stream, seq=after, subject=wanted, next=True)
            except NotFoundError as error:
                if error.err_code == NO_MESSAGE:
                    return
                raise MeshUnavailable("there is no such log") from error
            except (nats.errors.Error, TimeoutError, OSError) as error:
                raise MeshUnavailable(f"the log cannot be read: {type(error).__name__}") from error
            sequence = found.seq or after
            after = sequence + 1
            headers = cast("dict[str, object] | None", found.headers)
            message = await self.open(kind, f"entry {sequence}", found.subject or "", headers, found.data or b"")
            if message is not None:
                yield message

    async def open(
        self, kind: type[M], place: str, subject: str, headers: Mapping[str, object] | None, body: bytes
    ) -> M | None:
        """Return an entry's message; None for what is none, of which is told.

        Raises:
            MeshUnavailable: its body lies in the object store, which does not answer.

        """
        is_event = kind.NAME == AuditEvent.NAME
        problem: str | None = "not an audit event" if is_event else "not of the type that its subject says"
        plain = {name: str(value) for name, value in (headers or {}).items()}
        try:
            # An audit event carries its body itself: not everybody who reads the log has an object store.
            whole = body if is_event else await fetch_body(self._js, plain, body)
            opened = open_envelope(subject, plain, whole, self._ring)
            message = opened.message
            if isinstance(message, kind):
                problem = false_speaker(opened)
                if problem is None:
                    return message
        except (InvalidMessage, UntrustedMessage, BodyMissing) as error:
            problem = str(error)
        except MeshUnavailable as error:
            if error.reason != DAMAGED:
                raise
            problem = str(error)
        self._tell(f"{place} is passed over: {problem}")
        return None
