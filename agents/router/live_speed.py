"""What the workers' models do now, read from their signs of life every few seconds: for the speed check."""

import asyncio
import logging

from hybridmesh.agents.router.speed import Latencies, latencies_of
from hybridmesh.bus.errors import MeshError
from hybridmesh.bus.presence import BEAT_S, Presence
from hybridmesh.bus.state import State

logger = logging.getLogger("hybridmesh")


class LiveSpeed:
    """Follows the loads of all models; with none in sight the lanes take what they usually do."""

    def __init__(self, present: State[Presence]) -> None:
        self._present = present
        self._latencies = Latencies()

    def latencies(self) -> Latencies:
        """Return what the lanes take as far as is known now."""
        return self._latencies

    async def follow(self) -> None:
        """Look for as long as the agent lives; where nobody answers, what was seen last stands."""
        while True:
            try:
                await self.look()
            except MeshError as error:
                logger.warning("router: loads not read: %s", error.reason)
            await asyncio.sleep(BEAT_S)

    async def look(self) -> None:
        """Read the loads once; raises MeshUnavailable."""
        records = (await self._present.records()).values()
        self._latencies = latencies_of([record.load for record in records if record.load is not None])
