"""Several durable consumers as one queue whose lanes take turns: a full one delays nobody in another.

Of each lane one message at most is in hand and waits for its turn, so that who serves them sees at once which have
something, and an empty one costs a request in twenty seconds.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.setbacks import Setbacks
from hybridmesh.schemas.lanes import in_turn

_LINGER_S = 20.0


class Lanes:
    """Looks like one pull subscription; ``hold`` is told of each message from the moment it is in hand."""

    def __init__(self, queues: Sequence[JetStreamContext.PullSubscription], hold: Callable[[Msg], None]) -> None:
        self._queues = queues
        self._hold = hold
        self._ready: dict[int, Msg] = {}
        self._last = -1
        self._arrived = asyncio.Event()
        self._free = [asyncio.Event() for _ in queues]
        self._serving = [asyncio.create_task(self._serve(lane)) for lane in range(len(queues))]
        for serving in self._serving:
            serving.add_done_callback(lambda _: self.wake())

    def wake(self) -> None:
        """Let who waits for messages go without any."""
        self._arrived.set()

    async def fetch(self, most: int) -> list[Msg]:
        """Wait until a lane has something, and return one message of each that has, as many as are wanted."""
        await self._arrived.wait()
        for unserved in [task for task in self._serving if task.done()]:
            unserved.result()  # a lane that nobody serves any more ends the process, which is started again
        taken = [(lane, self._ready.pop(lane)) for lane in in_turn(self._last, self._ready, len(self._queues), most)]
        if not self._ready:
            self._arrived.clear()
        for lane, _ in taken:
            self._last = lane
            self._free[lane].set()
        return [message for _, message in taken]

    async def close(self) -> list[Msg]:
        """Take nothing more, and return those whose turn has not come."""
        await end_tasks(self._serving)
        unserved = list(self._ready.values())
        for queue in self._queues:
            with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
                while queue.pending_msgs:
                    unserved += await queue.fetch(1, timeout=0.1)
        return unserved

    async def _serve(self, lane: int) -> None:
        setbacks = Setbacks(f"lane {lane}")
        while True:
            try:
                (message,) = await self._queues[lane].fetch(1, timeout=_LINGER_S)
            except TimeoutError:
                setbacks.end()  # an empty lane
                continue
            except (nats.errors.Error, OSError) as error:
                await setbacks.sit_out(error)
                continue
            setbacks.end()
            self._hold(message)
            self._free[lane].clear()
            self._ready[lane] = message
            self._arrived.set()
            await self._free[lane].wait()
