"""The dead letters, as a person works with them: list, read, replay and drop, all but the list in the audit log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from hybridmesh.bus.bodies import fetch_body
from hybridmesh.bus.envelope import Envelope
from hybridmesh.bus.errors import MeshUnavailable, UsageError
from hybridmesh.bus.graveyard import BURIED_AT, BURIED_BY, DETAIL, DIED_ON, REASON
from hybridmesh.bus.publisher import Publisher, utc_now
from hybridmesh.bus.topology import AUDIT, DEAD, subject_for
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import is_task_id

_AGENT = "publisher"
_MARKS = (REASON, DETAIL, BURIED_BY, BURIED_AT, DIED_ON)


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter; ``number`` is its place in the stream, ``envelope`` the message as it was when it died."""

    number: int
    reason: str
    detail: str
    buried_by: str
    buried_at: str
    envelope: Envelope
    replays: int = 0

    @property
    def task_id(self) -> str | None:
        """The task that its id names, if it names one."""
        first = self.envelope.headers.get("ce-id", "").partition("/")[0]
        return first if is_task_id(first) else None

    def facts(self) -> dict[str, object]:
        """Return what may be shown to anybody: no body."""
        return {
            "number": self.number,
            "type": self.envelope.headers.get("ce-type", ""),
            "id": self.envelope.headers.get("ce-id", ""),
            "subject": self.envelope.subject,
            "reason": self.reason,
            "detail": self.detail,
            "buried_by": self.buried_by,
            "buried_at": self.buried_at,
            "bytes": len(self.envelope.body),
            "replays": self.replays,
        }


class DeadLetters:
    """The stream of dead letters; every call raises MeshUnavailable when the bus does not answer."""

    def __init__(self, js: JetStreamContext, publisher: Publisher, clock: Callable[[], datetime] = utc_now) -> None:
        self._js = js
        self._publisher = publisher
        self._clock = clock

    async def read_all(self) -> list[Letter]:
        """Return all letters, oldest first."""
        replays = await self._replays()
        letters: list[Letter] = []
        after = 1
        while (letter := await self._next(after, replays)) is not None:
            letters.append(letter)
            after = letter.number + 1
        return letters

    async def read(self, number: int) -> Letter:
        """Return one letter; raises UsageError when there is none of that number."""
        letter = await self._next(number, await self._replays()) if number > 0 else None
        if letter is None or letter.number != number:
            raise UsageError(f"there is no dead letter {number}", remedy="`hybridmesh dead-letters ls` shows them")
        return letter

    async def open_body(self, letter: Letter) -> bytes:
        """Return the body, which may be private, once the audit log knows that somebody reads it."""
        await self._record(Action.DEAD_LETTER_READ, letter)
        return await fetch_body(self._js, letter.envelope.headers, letter.envelope.body)

    async def replay(self, letter: Letter) -> None:
        """Publish the message again where it died, byte for byte and signed as it was; the letter stays.

        Only the stream's own message id is another one, as the stream would take the old one for a repeat.
        """
        now = self._clock()
        headers = dict(letter.envelope.headers)
        headers["Nats-Msg-Id"] = f"{headers.get('ce-id', 'dead')}/replay/{letter.number}/{now.timestamp():.6f}"
        await self._record(Action.DEAD_LETTER_REPLAYED, letter)
        await self._publisher.send(Envelope(letter.envelope.subject, headers, letter.envelope.body))

    async def drop(self, letter: Letter) -> None:
        """Erase the letter for good, once the audit log knows of it."""
        await self._record(Action.DEAD_LETTER_DROPPED, letter)
        try:
            await self._js.delete_msg(DEAD.name, letter.number)
        except (nats.errors.Error, TimeoutError) as error:
            raise MeshUnavailable("the dead letter could not be erased") from error

    async def _record(self, action: Action, letter: Letter) -> None:
        now = self._clock()
        event = AuditEvent(
            agent=_AGENT,
            action=action,
            at=now,
            task_id=letter.task_id,
            nonce=f"{letter.number}/{now.timestamp():.6f}",
            facts={"number": letter.number, "reason": letter.reason, "buried_by": letter.buried_by},
        )
        await self._publisher.record(event)

    async def _next(self, after: int, replays: dict[int, int]) -> Letter | None:
        try:
            message = await self._js.get_msg(DEAD.name, seq=after, subject=DEAD.subjects[0], direct=True, next=True)
        except NotFoundError:
            return None
        except (nats.errors.Error, TimeoutError) as error:
            raise MeshUnavailable("the dead letters cannot be read") from error
        headers = dict(cast("dict[str, str]", message.headers or {}))
        number = message.seq or after
        original = {
            name: value
            for name, value in headers.items()
            if name not in _MARKS and not name.lower().startswith("nats-")
        }
        return Letter(
            number=number,
            reason=headers.get(REASON, ""),
            detail=headers.get(DETAIL, ""),
            buried_by=headers.get(BURIED_BY, ""),
            buried_at=headers.get(BURIED_AT, ""),
            envelope=Envelope(headers.get(DIED_ON, ""), original, message.data or b""),
            replays=replays.get(number, 0),
        )

    async def _replays(self) -> dict[int, int]:
        """Count the replays of each letter, which only the audit log knows."""
        counts: dict[int, int] = {}
        after = 1
        subject = subject_for(AuditEvent, f"{_AGENT}.*")
        while True:
            try:
                message = await self._js.get_msg(AUDIT.name, seq=after, subject=subject, direct=True, next=True)
            except NotFoundError:
                return counts
            except (nats.errors.Error, TimeoutError) as error:
                raise MeshUnavailable("the audit log cannot be read") from error
            after = (message.seq or after) + 1
            event = AuditEvent.model_validate_json(message.data or b"")
            number = event.facts.get("number")
            if event.action is Action.DEAD_LETTER_REPLAYED and isinstance(number, int):
                counts[number] = counts.get(number, 0) + 1
