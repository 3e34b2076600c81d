"""How many tasks are under way at once: all others wait where lanes take turns, and not in the queues behind.

Each replica counts what it took on itself, and forgets it when it ends: after a crash there may be more for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable

from hybridmesh.bus.errors import MeshUnavailable

_LOOK_AGAIN_S = 15.0


class Admission:
    """Counts tasks from the moment they are taken on until their end is heard.

    Who finds no room looks after a while whether an end went unheard (``over``), and whether a task waits for a person
    (``asked``): that keeps nobody from working, so it is counted no more.
    """

    def __init__(
        self,
        most: int,
        over: Callable[[str], Awaitable[bool]],
        asked: Callable[[], Awaitable[Collection[str]]],
    ) -> None:
        self._most = most
        self._over = over
        self._asked = asked
        self._open: set[str] = set()
        self._changed = asyncio.Event()
        self._look_at: float | None = None

    async def room(self, in_hand: Callable[[], int], stopping: Callable[[], bool]) -> int:
        """Return how many tasks may be taken on besides those in hand; waits until there is one, or for the stop."""
        clock = asyncio.get_running_loop().time
        while (room := self._most - len(self._open) - in_hand()) < 1 and not stopping():
            self._changed.clear()
            # Ends that are heard do not put it off: who lost all places but one would not get them back.
            self._look_at = self._look_at or clock() + _LOOK_AGAIN_S
            try:
                async with asyncio.timeout_at(self._look_at):
                    await self._changed.wait()
            except TimeoutError:
                await self._look()
                self._look_at = clock() + _LOOK_AGAIN_S
        return room

    def began(self, task_ids: Iterable[str]) -> None:
        """Count tasks."""
        self._open.update(task_ids)

    def ended(self, task_id: str) -> None:
        """Count a task no more."""
        self._open.discard(task_id)
        self.wake()

    def wake(self) -> None:
        """Have who waits for room look again."""
        self._changed.set()

    async def _look(self) -> None:
        try:
            self._open -= set(await self._asked())
            for task_id in tuple(self._open):
                if await self._over(task_id):
                    self.ended(task_id)
        except MeshUnavailable:
            return  # and looked at again later
