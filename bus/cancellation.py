"""Cancelling that holds where a cancellation can be lost.

``asyncio.wait_for`` returns its result in place of a cancellation that meets it (until Python 3.12), and nats-py waits
in it for every answer: a loop of requests then goes on as if nobody had cancelled it.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import Any

logger = logging.getLogger("hybridmesh")

_AGAIN_S = 1.0  # time enough to clean up after the first


async def end_tasks(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks as often as it takes, and return when each has ended.

    What one raised stays with it, and is logged by its type: the words of an error may hold user text.
    """
    while waiting := [task for task in tasks if not task.done()]:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=_AGAIN_S)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("%s ended: %s", task.get_name(), type(error).__name__)


class CancellationWatch:
    """Notices, between the requests of a loop, that the running task was cancelled since; make it before the loop."""

    def __init__(self) -> None:
        self._before = _asked()

    def check(self) -> None:
        """Raise CancelledError where a cancellation was lost."""
        if _asked() > self._before:
            raise asyncio.CancelledError


def _asked() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
