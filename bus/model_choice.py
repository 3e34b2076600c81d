"""Which local model answers what: a record in the policy bucket comes before the settings, while all run."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final, Protocol

from hybridmesh.bus.errors import MeshError
from hybridmesh.bus.settings import ModelSettings
from hybridmesh.bus.state import State
from hybridmesh.schemas.inference import Purpose
from hybridmesh.schemas.policies import ModelChoice

logger = logging.getLogger("hybridmesh")

KEY: Final = "models"
EVERY_S: Final = 1.0  # between two looks at the bucket


class Source(Protocol):
    """Where the record comes from; see ``bus.followed.Followed``."""

    async def changes(self) -> Mapping[str, ModelChoice | None]:
        """Return what changed since the last call; raises a MeshError where that cannot be read."""
        ...


async def choose(records: State[ModelChoice], names: Mapping[Purpose, str | None]) -> bool:
    """Have these models answer, None for that of the settings; a purpose that is not among them stays as it is.

    Returns whether anything changed.
    """
    changed = False

    def step(record: ModelChoice | None) -> ModelChoice | None:
        nonlocal changed
        before = record or ModelChoice()
        after = before.model_copy(update={str(purpose): name for purpose, name in names.items()})
        changed = after != before
        return after if changed else record

    await records.change(KEY, step)
    return changed


class LiveChoice:
    """Follows the record; what cannot be read leaves what was known last, at first the settings."""

    def __init__(self, source: Source, settings: ModelSettings) -> None:
        self._source = source
        self._settings = settings
        self._names = settings.names
        self._failing = False

    def names(self) -> Mapping[Purpose, str]:
        """Return the model that shall answer each purpose."""
        return self._names

    async def look(self) -> None:
        """Read the record once; a mesh that cannot be asked is told, and changes nothing."""
        try:
            changes = await self._source.changes()
        except MeshError as error:
            if not self._failing:
                logger.warning("choice of models not read: %s", error.reason)
            self._failing = True
            return
        self._failing = False
        if KEY in changes:
            record = changes[KEY] or ModelChoice()
            names = dict(self._settings.names)
            names["check"], names["draft"] = record.check or names["check"], record.draft or names["draft"]
            self._names = names

    async def keep(self) -> None:
        """Look again and again, for as long as the agent lives."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)
