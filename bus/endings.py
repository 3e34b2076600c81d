"""Which tasks are over: what is still under way for one of them is dropped, before anybody spends work on it.

Whoever may ask the server for something can have the answer sent where ends are told, or stored. So what is heard is a
hint, and what is looked up counts by its signature; over the border, where no body goes, by its headers.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from hybridmesh.bus.envelope import BODY_REFERENCE, SIGNATURE, open_envelope
from hybridmesh.bus.errors import InvalidMessage, MeshUnavailable, UnsupportedVersion, UntrustedMessage
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.topology import ENDED, Account, end_subjects
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed

# A step may have been published after its task's end by who had not heard of it yet; how long that may take.
_LATE = timedelta(seconds=30)
_KEPT = 10_000  # ends that are remembered, two megabytes; older messages are looked up
_TYPES = (TaskCompleted.event_type(), TaskFailed.event_type())


def _now() -> datetime:
    return datetime.now(UTC)


class Endings:
    """Reads the ends of tasks as far as an account sees them; an end is final, so what it says holds."""

    def __init__(self, js: JetStreamContext, ring: KeyRing, account: Account = Account.LOCAL) -> None:
        self._js = js
        self._ring = ring.whole()
        self._account = account

    async def over(self, task_id: str) -> bool:
        """Say whether the task has its end.

        Raises:
            MeshUnavailable: the bus does not answer.

        """
        stream, subjects = end_subjects(task_id, self._account)
        for subject in subjects:
            async for found in told_on(self._js, stream.name, subject):
                headers = cast("dict[str, str] | None", found.headers) or {}
                if self._is_end(task_id, found.subject or "", headers, found.data or b""):
                    return True
        return False

    def _is_end(self, task_id: str, subject: str, headers: Mapping[str, str], body: bytes) -> bool:
        if not _names_end(task_id, headers):
            return False
        if self._account is Account.CLOUD or BODY_REFERENCE in headers:
            return True
        try:
            open_envelope(subject, headers, body, self._ring)
        except (InvalidMessage, UnsupportedVersion, UntrustedMessage):
            return False
        return True


class HeardEndings:
    """Hears of ends when they are told, and looks up only those that it may have missed.

    What was stored well after it began to listen needs no request. It begins anew with each connection.
    """

    def __init__(
        self, client: Client, looked_up: Endings, clock: Callable[[], datetime] = _now, *, late: timedelta = _LATE
    ) -> None:
        self._client = client
        self._looked_up = looked_up
        self._clock = clock
        self._late = late
        self._heard: dict[str, datetime] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._whole_since: datetime | None = None
        self._behind = timedelta(0)  # how far this process' clock is behind the server's, at least
        self._connection = -1

    async def listen(self) -> None:
        """Begin to listen."""
        (subject,) = ENDED.subjects
        await self._client.subscribe(subject, cb=self._hear)

    def pass_on(self, listener: Callable[[str], None]) -> None:
        """Have every end that is heard told to ``listener`` too, by the task's id."""
        self._listeners.append(listener)

    async def over(self, task_id: str, stored_at: datetime) -> bool:
        """Say whether the task of a message that was stored at ``stored_at`` has its end.

        Raises:
            MeshUnavailable: the bus had to be asked, and does not answer.

        """
        connection = self._client.stats["reconnects"]
        if connection != self._connection:
            self._connection, self._whole_since = connection, self._clock() + self._late
        if task_id in self._heard:
            return await self._looked_up.over(task_id)
        self._behind = max(self._behind, stored_at - self._clock())
        if self._whole_since is not None and stored_at - self._behind > self._whole_since:
            return False
        return await self._looked_up.over(task_id)

    async def _hear(self, message: Msg) -> None:
        task_id = message.subject.rpartition(".")[2]
        if not _names_end(task_id, message.headers or {}):
            return
        self._heard[task_id] = self._clock()
        for listener in self._listeners:
            listener(task_id)
        if len(self._heard) > _KEPT:
            oldest = next(iter(self._heard))
            self._whole_since = max(self._whole_since or self._clock(), self._heard.pop(oldest))


async def told_on(
    js: JetStreamContext, stream: str, subject: str, *, last_alone: bool = False
) -> AsyncGenerator[RawStreamMsg]:
    """Yield what is stored where a task's end is: the last, and to who goes on as that is none, the earlier ones.

    ``last_alone`` is for who may ask for no others.

    Raises:
        MeshUnavailable: the bus does not answer.

    """
    try:
        last = await js.get_last_msg(stream, subject, direct=True)
        yield last
        after = 1
        while not last_alone:
            found = await js.get_msg(stream, seq=after, subject=subject, direct=True, next=True)
            if (found.seq or 0) >= (last.seq or 0):
                return
            yield found
            after = (found.seq or after) + 1
    except NotFoundError:
        return
    except (nats.errors.Error, TimeoutError) as error:
        raise MeshUnavailable(f"ends cannot be read: {type(error).__name__}") from error


def _names_end(task_id: str, headers: Mapping[str, str]) -> bool:
    """Say whether the headers are those of the end of a task: an answer of the server has none of its own choice."""
    about = headers.get("ce-subject", "").rpartition(".")[2]
    return headers.get("ce-type") in _TYPES and about == task_id and SIGNATURE in headers
