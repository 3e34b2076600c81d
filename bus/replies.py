"""Who waits for which reply over one connection: all of them with one timer, and without a task or a queue."""

import asyncio
import secrets

from nats.aio.msg import Msg

Answer = asyncio.Future[Msg | None]  # None: none came in time

_TOKEN_BYTES = 8


class Replies:
    """Hands each reply to who waits for it, by a subject that nobody can guess who has not been told it."""

    def __init__(self) -> None:
        self._awaited: dict[bytes, tuple[Answer, float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, prefix: str, within_s: float) -> tuple[str, Answer]:
        """Return a subject to reply to, and what the reply will be; whoever asks has to :meth:`forget` it."""
        loop = asyncio.get_running_loop()
        inbox, due = f"{prefix}{secrets.token_hex(_TOKEN_BYTES)}", loop.time() + within_s
        answer: Answer = loop.create_future()
        self._awaited[inbox.encode()] = answer, due
        self._look_at(loop, due)
        return inbox, answer

    def forget(self, inbox: str) -> None:
        """Take no reply there any more."""
        del self._awaited[inbox.encode()]

    def awaiting(self, subject: bytes) -> Answer | None:
        """Return what waits for a reply on this subject."""
        found = self._awaited.get(subject)
        return None if found is None or found[0].done() else found[0]

    def _look_at(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self._give_up, loop)

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell those whose time is over, and look again when the next one's will be."""
        self._timer = None
        waiting = [(answer, due) for answer, due in self._awaited.values() if not answer.done()]
        for answer, due in waiting:
            if due <= loop.time():
                answer.set_result(None)
            else:
                self._look_at(loop, due)
