"""Finds the message that ends its process each time, and spares those that only died with it.

A failed try is counted by who lives through it. A process that was ended counts nothing: what it had in hand comes back
as a delivery that nobody explains. A message with several of these is a suspect, and is handled alone in its process,
which is written down before and taken back after. So what stays written can only be its own doing, or an accident; too
often, and it is given up. Who is innocent loses time by that, never its tries, and any other hop costs no write.
"""

import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from nats.aio.msg import Msg

from hybridmesh.bus.errors import MeshError, PermanentError
from hybridmesh.bus.solitude import Solitude
from hybridmesh.bus.state import State
from hybridmesh.schemas.message import Frozen

logger = logging.getLogger("hybridmesh")

UNEXPLAINED = 3  # deliveries whose end nobody saw; one more, and the message is a suspect
_LONGEST_S = 180.0  # that others wait for a suspect: more than the local model takes for an answer
_REMEMBERED = 10_000


class Begun(Frozen):
    """How often a message was begun alone and not ended; ``stored_at`` tells it from another of the same number."""

    times: int
    stored_at: datetime


class Suspects:
    """Says how the messages of one process are handled, whichever of its queues they come from.

    It gives up on one that was begun ``most`` times and never ended. Where notes cannot be kept a suspect is handled
    alone all the same, and never given up.
    """

    def __init__(self, notes: State[Begun], agent: str, most: int) -> None:
        self._notes = notes
        self._agent = agent
        self._most = most
        self._solitude = Solitude(_LONGEST_S)
        self._survived: OrderedDict[str, int] = OrderedDict()  # the last delivery of a message that ended here

    def turn(self, message: Msg, *, timer: bool = False) -> AbstractAsyncContextManager[None]:
        """Return what to handle a message in; a timer, which is handed out again and again, is never a suspect."""
        usual = timer or message.metadata.num_delivered == 1
        return self._solitude if usual else self._handling(message.metadata)

    @contextlib.asynccontextmanager
    async def _handling(self, about: Msg.Metadata) -> AsyncGenerator[None]:
        """Wait for one's turn; raises PermanentError where the message ends its process each time."""
        place, number = f"{about.stream}.{about.sequence.stream}", about.num_delivered
        try:
            if number - self._survived.get(place, 0) <= UNEXPLAINED:
                async with self._solitude:
                    yield
            else:
                key = f"{self._agent}.{place}"
                async with self._solitude.alone(await self._times(key, about.timestamp)) as by_itself:
                    noted = by_itself and await self._begin(key, about.timestamp)
                    try:
                        yield
                    except MemoryError:
                        noted = False  # its process ends by that
                        raise
                    finally:
                        if noted:
                            await self._end(key)
        finally:
            self._note_survived(place, number)

    async def _times(self, key: str, stored_at: datetime) -> int:
        with contextlib.suppress(MeshError):
            return _times(await self._notes.get(key), stored_at)
        return 0

    async def _begin(self, key: str, stored_at: datetime) -> bool:
        """Note a beginning; say whether that is noted."""
        spent = False

        def begin(found: Begun | None) -> Begun | None:
            nonlocal spent
            times = _times(found, stored_at)
            spent = times >= self._most
            return found if spent else Begun(times=times + 1, stored_at=stored_at)

        try:
            await self._notes.change(key, begin)
        except MeshError as error:
            logger.warning("%s: no note of a message that is handled alone: %s", self._agent, error.reason)
            return False
        if spent:
            told = f"begun {self._most} times by itself, and its process ended each time before it did"
            raise PermanentError(told, reason="ends-its-process")
        return True

    async def _end(self, key: str) -> None:
        """Take one beginning back: the process is there, whatever came of the message."""
        try:
            left = await self._notes.change(key, _one_less)
            if left is not None and left.times == 0:
                await self._notes.discard(key, lambda found: found.times == 0)
        except MeshError as error:
            logger.warning("%s: the note of a message that ended stays: %s", self._agent, error.reason)

    def _note_survived(self, place: str, number: int) -> None:
        self._survived[place] = number
        self._survived.move_to_end(place)
        if len(self._survived) > _REMEMBERED:
            self._survived.popitem(last=False)


def _times(found: Begun | None, stored_at: datetime) -> int:
    return found.times if found is not None and found.stored_at == stored_at else 0


def _one_less(found: Begun | None) -> Begun | None:
    return found and found.model_copy(update={"times": max(found.times - 1, 0)})
