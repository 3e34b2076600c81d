"""What the worker asks of the memory and tells it; without the memory it works on, with less."""

import logging
from collections.abc import Sequence

from pydantic import ValidationError

from hybridmesh.agents.worker.framework import faults
from hybridmesh.agents.worker.lessons import Lesson, read_lesson
from hybridmesh.bus.errors import MemoryUnavailable, MeshError, MeshUnavailable
from hybridmesh.bus.ports import Memory
from hybridmesh.schemas.frameworks import Framework
from hybridmesh.schemas.memory import Kind, Lookup, MemoryItem, Rank, Remember, Search, lesson_keys
from hybridmesh.schemas.steps import StepContext

logger = logging.getLogger("hybridmesh.worker")

_MOST_KNOWN = 2
_LONGEST_QUERY = 500


class Recall:
    """Frameworks and lessons by key, knowledge by search."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def framework(self, key: str) -> Framework | None:
        """Return the newest usable framework remembered under a key."""
        for item in await self._lookup(Kind.FRAMEWORK, key):
            try:
                framework = Framework.model_validate(item.data.get("framework"))
            except ValidationError:
                continue
            if not any(faults(framework)):
                return framework
        return None

    async def lessons(self, context: StepContext) -> tuple[Lesson, ...]:
        """Return the lessons for a kind of step, narrowest key first, newest first.

        Raises MemoryUnavailable: better late than a mistake that was corrected before.
        """
        keys = lesson_keys(context.workflow, context.spec.id)
        found = [await self._memory.lookup(Lookup(kind=Kind.LESSON, key=key)) for key in keys]
        items = [hit.item for hits in found for hit in hits.hits]
        return tuple(read_lesson(item.text, item.data) for item in items)

    async def closeness(self, text: str, descriptions: Sequence[str]) -> tuple[float, ...] | None:
        """Return how near a text is to each description, None when the memory cannot say or there is no text."""
        if not text.strip():
            return None
        try:
            ranking = await self._memory.rank(Rank(text=text, candidates=tuple(descriptions)))
        except (MemoryUnavailable, MeshUnavailable) as error:
            logger.warning("memory comparison left out: %s", error.reason)
            return None
        return ranking.scores

    async def knowledge(self, query: str) -> tuple[str, ...]:
        """Return a few records, preferences and documents that speak of the same."""
        request = Search(
            query=query[:_LONGEST_QUERY], kinds=(Kind.RECORD, Kind.PREFERENCE, Kind.DOCUMENT), limit=_MOST_KNOWN
        )
        try:
            found = await self._memory.search(request)
        except (MemoryUnavailable, MeshUnavailable) as error:
            logger.warning("memory search left out: %s", error.reason)
            return ()
        return tuple(hit.item.text for hit in found.hits)

    async def keep(self, item: MemoryItem) -> bool:
        """Store an item; False when the memory could not take it."""
        try:
            written = await self._memory.remember(Remember(items=(item,)))
        except MeshError as error:
            logger.warning("not remembered: %s", error.reason)
            return False
        return all(result.outcome != "refused" for result in written.results)

    async def _lookup(self, kind: Kind, key: str) -> Sequence[MemoryItem]:
        try:
            found = await self._memory.lookup(Lookup(kind=kind, key=key))
        except (MemoryUnavailable, MeshUnavailable) as error:
            logger.warning("memory lookup left out: %s", error.reason)
            return ()
        return [hit.item for hit in found.hits]
