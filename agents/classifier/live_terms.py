"""The organisation's terms as they are now: followed on the bus, and checked before each text that is read."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.bus.errors import MeshError, Unanswerable
from hybridmesh.schemas.policies import TermShard

logger = logging.getLogger("hybridmesh")

UNREADABLE = "policy-unreadable"
EVERY_S = 0.3  # between two looks at the bucket
_OLDEST_S = 1.0  # of what was seen, where a text is to be read


class Source(Protocol):
    """Where the terms come from; see ``bus.followed.Followed``."""

    @property
    def version(self) -> int:
        """The number of the last change that was seen."""
        ...

    async def changes(self) -> Mapping[str, TermShard | None]:
        """Return what changed since the last call; any MeshError means that nobody knows."""
        ...


class LiveTerms:
    """Keeps a recognizer's terms those of the policy bucket, within a second.

    Terms that cannot be read are not "no terms": until they can, no text counts as read.
    """

    def __init__(self, source: Source, terms: TermRecognizer, monotonic: Callable[[], float]) -> None:
        self._source = source
        self._terms = terms
        self._monotonic = monotonic
        self._looked_at: float | None = None
        self._version = 0
        self._looking = asyncio.Lock()

    async def check(self) -> int:
        """Return the version of the terms, when they are those of a second ago or later.

        Raises:
            Unanswerable: the bucket cannot be read; reason ``policy-unreadable``.

        """
        if not self._is_current():
            async with self._looking:
                if not self._is_current():
                    await self._look()
        return self._version

    async def keep(self) -> None:
        """Look again and again, for as long as the agent lives; what fails is looked at the next time."""
        failing = False
        while True:
            try:
                async with self._looking:
                    await self._look()
                failing = False
            except Unanswerable as error:
                if not failing:
                    logger.warning("classifier: %s", error.reason)
                failing = True
            await asyncio.sleep(EVERY_S)

    def _is_current(self) -> bool:
        return self._looked_at is not None and self._monotonic() - self._looked_at <= _OLDEST_S

    async def _look(self) -> None:
        now = self._monotonic()
        try:
            changes = await self._source.changes()
        except MeshError as error:
            self._looked_at = None
            raise Unanswerable(reason=UNREADABLE) from error
        if changes:
            groups = {key: shard.terms if shard else () for key, shard in changes.items()}
            await asyncio.to_thread(self._terms.change, groups)
        self._looked_at, self._version = now, self._source.version
