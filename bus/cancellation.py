"""Ends tasks by cancelling them, as often as it takes."""

import asyncio
from collections.abc import Collection
from typing import Any

_AGAIN_S = 1.0  # time enough to clean up after the first


async def end_tasks(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and return when each has ended; what one raised is left with it, and counts as seen.

    One cancellation is not enough. It is lost where it meets the answer to a request: ``asyncio.wait_for`` returns that
    instead (until Python 3.12), and nats-py waits in it for every answer. A loop of requests then goes on for ever.
    """
    while waiting := [task for task in tasks if not task.done()]:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=_AGAIN_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()
