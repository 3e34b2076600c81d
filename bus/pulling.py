"""A queue that is listened to: what was asked for stays asked for, so few messages need a request of their own.

nats-py asks anew for each batch, and waits for each message in a task of its own.
"""

import asyncio
import contextlib
import json
import time

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import StatusCode
from nats.js.errors import APIError

_OVER = (StatusCode.NO_MESSAGES, StatusCode.REQUEST_TIMEOUT)
_WHY = "Description"
_MOVED = ("Server Shutdown", "Leadership Change")  # it is asked for again, elsewhere
_LEFT = "Nats-Pending-Messages"  # of a request that is over: for how many messages it still was
_LOOK_S = 0.5
_LATE_S = 1.0  # how long the server's word that a request is over may take
_WORTH_WAITING_S = 3.0  # until nothing more can come


class Pull(JetStreamContext.PullSubscription):
    """Fetches from a durable consumer; never more is asked for than the last fetch had room for."""

    def __init__(self, js: JetStreamContext, sub: Subscription, stream: str, consumer: str, deliver: bytes) -> None:
        super().__init__(js, sub, stream, consumer, deliver)
        self._queue: asyncio.Queue[Msg] = sub._pending_queue  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self._asked = 0  # how many messages may still come
        self._over_at = 0.0
        self._connection = -1
        self._refused: APIError | None = None

    async def fetch(self, batch: int = 1, timeout: float | None = 5, heartbeat: float | None = None) -> list[Msg]:  # noqa: ARG002, ASYNC109 - nats-py's own
        """Wait for a message, and return all that have come.

        Raises:
            TimeoutError: none came.
            nats.errors.Error: the server does not serve this queue.

        """
        if messages := self._come(batch):
            return messages
        until = time.monotonic() + (timeout or _LATE_S)
        lost = False
        while (left_s := until - time.monotonic()) > 0:
            if lost or self._nc.is_reconnecting:
                # Requests would wait with nats-py, and all be sent at once to the server that is found.
                await asyncio.sleep(min(left_s, _LOOK_S))
                lost = False
                continue
            await self._ask(batch, left_s)
            if messages := await self._next(batch, left_s + _LATE_S):
                return messages
            if (refused := self._refused) is not None:
                self._refused = None
                raise refused
            lost = self._connection != self._nc.stats["reconnects"] or self._nc.is_reconnecting
            if not lost:
                break
        raise nats.errors.TimeoutError

    async def _next(self, most: int, within_s: float) -> list[Msg]:
        """Return what comes while something may, nothing where the connection is lost on which it was asked for."""
        until = time.monotonic() + within_s
        while self._asked > 0:
            try:
                async with asyncio.timeout(min(_LOOK_S, max(0.0, until - time.monotonic()))):
                    message = await self._queue.get()
            except TimeoutError:
                if not self._is_awaited() or time.monotonic() >= until:
                    self._asked = 0  # and nobody says so
            else:
                if messages := self._come(most, message):
                    return messages
        return []

    async def unsubscribe(self) -> None:
        """Take nothing more; what comes until nothing more can is handed back, as nobody would acknowledge it."""
        messages = self._come(self._queue.qsize())
        left_s = self._over_at - time.monotonic()
        if self._is_awaited() and left_s < _WORTH_WAITING_S:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s + _LATE_S):
                    while self._asked > 0:
                        messages += self._come(1, await self._queue.get())
        await super().unsubscribe()
        for message in messages:  # not before, or it would come here once more
            await message.nak()

    def _is_awaited(self) -> bool:
        """Say whether messages may come: a connection that was lost took with it what was asked over it."""
        return self._asked > 0 and self._nc.is_connected and self._connection == self._nc.stats["reconnects"]

    async def _ask(self, most: int, within_s: float) -> None:
        """Have so many messages sent as they come; what is asked for already is not asked for in twos and threes."""
        if not self._is_awaited():
            self._asked, self._connection = 0, self._nc.stats["reconnects"]
        if (wanted := most - self._asked) * 2 >= most:
            request = {"batch": wanted, "expires": int(within_s * 1e9)}
            await self._nc.publish(self._nms, json.dumps(request).encode(), self._deliver)
            self._asked, self._over_at = most, time.monotonic() + within_s

    def _come(self, most: int, first: Msg | None = None) -> list[Msg]:
        """Return what has come; what the server says of requests is noted."""
        messages: list[Msg] = []
        while len(messages) < most and (first is not None or not self._queue.empty()):
            message, first = first or self._queue.get_nowait(), None
            self._queue.task_done()
            self._sub._pending_size -= len(message.data)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            if (status := self._js.is_status_msg(message)) is None:
                messages.append(message)
                self._asked = max(0, self._asked - 1)
            elif status != StatusCode.CONTROL_MESSAGE:
                left = (message.headers or {}).get(_LEFT, "")
                self._asked = max(0, self._asked - int(left)) if left.isdecimal() else 0
                if (message.headers or {}).get(_WHY) in _MOVED:
                    self._asked, self._connection = 0, -1
                else:
                    self._refused = None if status in _OVER else APIError(code=int(status))
        return messages
