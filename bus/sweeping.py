"""A watch that clears away what is over, at the start and then every so often, for as long as an agent lives."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from hybridmesh.bus.errors import MeshError

logger = logging.getLogger("hybridmesh")

HOUR_S = 3600.0


async def keep_swept(agent: str, sweep: Callable[[], Awaitable[int]], every_s: float) -> None:
    """Call ``sweep``, which returns how many it removed, every ``every_s`` seconds; a failure waits for the next time.

    Replicas may sweep at once: what one has removed, another does not find.
    """
    while True:
        try:
            if removed := await sweep():
                logger.info("%s: %d swept", agent, removed)
        except MeshError as error:
            logger.warning("%s: sweep failed: %s", agent, error.reason)
        await asyncio.sleep(every_s)
