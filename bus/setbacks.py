"""While a queue cannot be fetched from: it is asked ever less often, and that is told once a minute, not each time."""

import asyncio
import logging
import random
import time

logger = logging.getLogger("hybridmesh")

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 2.0
_TOLD_EVERY_S = 60.0


class Setbacks:
    """The failed fetches of one queue, in a row; ``who`` is told of in the log."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._failed = 0
        self._told_at = 0.0

    async def sit_out(self, error: Exception) -> None:
        """Return when it is time to try again."""
        self._failed += 1
        if self._failed == 1 or time.monotonic() - self._told_at > _TOLD_EVERY_S:
            self._told_at = time.monotonic()
            logger.warning("%s: fetch failed: %s", self._who, type(error).__name__)
        pause_s = min(_FIRST_PAUSE_S * 2 ** min(self._failed - 1, 10), _LONGEST_PAUSE_S)
        await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret

    def end(self) -> None:
        """Note that the queue answers."""
        if self._failed > 1:
            logger.warning("%s: fetches again, after %d that failed", self._who, self._failed)
        self._failed = 0
