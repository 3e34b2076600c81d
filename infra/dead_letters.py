"""The dead letters, as a person works with them: list, read, replay and drop, all but the list in the audit log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from hybridmesh.bus.bodies import body_name, drop_body, fetch_body, put_body
from hybridmesh.bus.endings import Endings
from hybridmesh.bus.envelope import BODY_REFERENCE, SIGNATURE, Envelope, open_envelope, time_problem
from hybridmesh.bus.errors import BodyMissing, InvalidMessage, MeshUnavailable, UntrustedMessage, UsageError
from hybridmesh.bus.graveyard import BURIED_AT, BURIED_BY, DETAIL, DIED_ON, LEFT_OUT, REASON
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.publisher import Publisher, utc_now
from hybridmesh.bus.topology import AUDIT, DEAD, TOPOLOGY, Account, Row, filter_of, message_types, subject_for
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import StepMessage, is_task_id
from hybridmesh.schemas.tasks import CancelTask, TaskSubmitted

_AGENT = "publisher"
_NUMBERS = 2**64  # a stream's are below
_MARKS = (REASON, DETAIL, BURIED_BY, BURIED_AT, DIED_ON, LEFT_OUT)


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter; ``number`` is its place in the stream, ``envelope`` the message as it was when it died.

    ``whole`` is False where its body was more than could be buried.
    """

    number: int
    reason: str
    detail: str
    buried_by: str
    buried_at: str
    envelope: Envelope
    replays: int = 0
    whole: bool = True

    @property
    def task_id(self) -> str | None:
        """The task that its id names, if it names one."""
        first = self.envelope.headers.get("ce-id", "").partition("/")[0]
        return first if is_task_id(first) else None

    @property
    def lapses(self) -> bool:
        """Whether its agent does nothing with it once its task is over."""
        kind = message_types().get(self.envelope.headers.get("ce-type", ""))
        if kind is not None and issubclass(kind, StepMessage):
            return kind.LAPSES
        return kind in (TaskSubmitted, CancelTask)

    @property
    def addressee(self) -> Row | None:
        """In whose queue it says that it died; None: in nobody's, as an agent may put anything among the dead."""
        subject = self.envelope.subject
        if subject.split() != [subject]:
            return None
        for row in TOPOLOGY:
            if any(subject.startswith(filter_of(kind).removesuffix(">")) for kind in (*row.consumes, *row.timers)):
                return row
        return None

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

    def __init__(
        self,
        js: JetStreamContext,
        publisher: Publisher,
        ring: KeyRing,
        signed_within: timedelta,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._js = js
        self._publisher = publisher
        self._ring = ring.whole()
        self._signed_within = signed_within
        self._over = Endings(js, ring).over
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
        letter = await self._next(number, await self._replays()) if 0 < number < _NUMBERS else None
        if letter is None or letter.number != number:
            raise UsageError(f"there is no dead letter {number}", remedy="`hybridmesh dead-letters ls` shows them")
        return letter

    async def open_body(self, letter: Letter) -> bytes:
        """Return the body, which may be private, once the audit log knows that somebody reads it.

        Raises:
            UsageError: it is gone.

        """
        await self._record(Action.DEAD_LETTER_READ, letter)
        return await self._body(letter)

    async def replay(self, letter: Letter) -> None:
        """Publish the message again where it died, byte for byte and signed as it was; the letter stays.

        Only the stream's own message id is another one, as the stream would take the old one for a repeat. The log
        hears of it before and after: what could not be sent was not replayed.

        Raises:
            UsageError: its body is gone, nobody would take it as its task is over or its signature too old, or a
                person may not send it where it died.
            MeshBusy: the queue is full.

        """
        now = self._clock()
        await self._check(letter, now)
        body = await self._body(letter)
        headers = dict(letter.envelope.headers)
        message_id = headers.get("ce-id", "dead")
        headers["Nats-Msg-Id"] = f"{message_id}/replay/{letter.number}/{now.timestamp():.6f}"
        await self._record(Action.DEAD_LETTER_REPLAYED, letter, sent=False)
        if BODY_REFERENCE in headers:  # the letter's own goes with the letter, which may be before this is read
            headers[BODY_REFERENCE] = body_name(message_id, body)
            await put_body(self._js, headers[BODY_REFERENCE], body)
        await self._publisher.send(Envelope(letter.envelope.subject, headers, letter.envelope.body))
        await self._record(Action.DEAD_LETTER_REPLAYED, letter, sent=True)

    async def drop(self, letter: Letter) -> None:
        """Erase the letter for good, once the audit log knows of it."""
        await self._record(Action.DEAD_LETTER_DROPPED, letter)
        await drop_body(self._js, letter.envelope.headers.get(BODY_REFERENCE, ""))
        try:
            await self._js.delete_msg(DEAD.name, letter.number)
        except (nats.errors.Error, TimeoutError) as error:
            raise MeshUnavailable("the dead letter could not be erased") from error

    async def _check(self, letter: Letter, now: datetime) -> None:
        """Refuse what an agent would drop or refuse, as nobody is to hear that it was replayed."""
        addressee, drop = letter.addressee, f"`hybridmesh dead-letters drop {letter.number}` erases it"
        if addressee is None:
            raise UsageError(
                f"dead letter {letter.number} names no queue as where it died",
                remedy=f"look into what {letter.buried_by or 'its sender'} does; {drop}",
            )
        if addressee.account is Account.CLOUD:
            raise UsageError(
                f"dead letter {letter.number} was on its way to the cloud, where a person sends nothing",
                remedy=f"its step went on without it; {drop}",
            )
        if letter.lapses and letter.task_id is not None and await self._over(letter.task_id):
            raise UsageError(
                f"the task of dead letter {letter.number} is over, so nobody would take it up",
                remedy="submit the task again",
            )
        headers = letter.envelope.headers
        if headers.get(SIGNATURE) and time_problem(headers, now, self._signed_within) is not None:
            raise UsageError(
                f"the signature of dead letter {letter.number} is too old, so its agent would refuse it",
                remedy="submit its task again, or say again what it says",
            )

    async def _body(self, letter: Letter) -> bytes:
        try:
            if letter.whole:
                return await fetch_body(self._js, letter.envelope.headers, letter.envelope.body)
        except BodyMissing:
            pass
        raise UsageError(
            f"the body of dead letter {letter.number} is gone",
            remedy=f"submit its task again; `hybridmesh dead-letters drop {letter.number}` erases what is left of it",
        )

    async def _record(self, action: Action, letter: Letter, **more: bool) -> None:
        now = self._clock()
        event = AuditEvent(
            agent=_AGENT,
            action=action,
            at=now,
            task_id=letter.task_id,
            nonce="/".join([str(letter.number), f"{now.timestamp():.6f}", *(fact for fact in more if more[fact])]),
            facts={"number": letter.number, "reason": letter.reason, "buried_by": letter.buried_by, **more},
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
            whole=headers.get(LEFT_OUT, "0") == "0",
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
            number = self._replayed(message)
            if number is not None:
                counts[number] = counts.get(number, 0) + 1

    def _replayed(self, entry: RawStreamMsg) -> int | None:
        """Return the number of the letter that an entry of the log says was sent; None for any other entry.

        Who may publish may have stored anything there, which counts for nothing.
        """
        headers = cast("dict[str, str] | None", entry.headers) or {}
        try:
            opened = open_envelope(entry.subject or "", headers, entry.data or b"", self._ring)
        except (InvalidMessage, UntrustedMessage):
            return None
        event = opened.message
        if opened.producer != _AGENT or not isinstance(event, AuditEvent):
            return None
        number = event.facts.get("number")
        # Earlier versions noted a replay once.
        sent = event.action is Action.DEAD_LETTER_REPLAYED and event.facts.get("sent", True)
        return number if sent and isinstance(number, int) else None
