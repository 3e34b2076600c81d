"""Sends what waits in a client's outbox while the client does what it was made for: nobody waits or fails for it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.errors import MeshBusy, MeshError, MeshUnavailable
from hybridmesh.bus.outbox import Outbox

logger = logging.getLogger("hybridmesh")

_WITHIN_S = 2.5  # a command has eight seconds to connect
_AGAIN_S = 3.0
_NOT_SENT = "tasks in the outbox are not sent yet (%s); they are tried again as long as this connection is open"
_LEFT = "tasks in the outbox are not sent yet; the next connection tries again"

Send = Callable[[frozenset[str]], Awaitable[int]]


@contextlib.asynccontextmanager
async def resending(outbox: Outbox, send: Send) -> AsyncGenerator[None]:
    """Send what waits by now as far as that goes in a moment, and the rest as long as this is open.

    ``send`` takes the tasks' ids; what comes into the outbox meanwhile is its submitter's, who may be refused.
    """
    sending = asyncio.create_task(_keep_sending(send, frozenset(task.task_id for task in outbox.waiting())))
    try:
        await asyncio.wait({sending}, timeout=_WITHIN_S)
        if foreign := outbox.foreign():
            logger.warning("tasks in the outbox for another mesh or by another key, not sent here: %d", foreign)
        if unreadable := outbox.unreadable():
            logger.warning("files in the outbox that hold no task that can be read, not sent: %d", unreadable)
        yield
    finally:
        if not sending.done():
            logger.warning(_LEFT)
        await end_tasks({sending})


async def _keep_sending(send: Send, ids: frozenset[str]) -> None:
    told = ""
    while True:
        try:
            await send(ids)
        except (MeshBusy, MeshUnavailable) as error:
            if error.reason != told:
                logger.warning(_NOT_SENT, error.reason)
            told = error.reason
        except MeshError as error:  # it would be the same the next time
            logger.warning("tasks in the outbox are not sent (%s)", error.reason)
            return
        else:
            return
        await asyncio.sleep(_AGAIN_S)
