"""What changed in a bucket since one last looked, all at once and for small buckets: a policy, a list of terms."""

from typing import Generic, TypeVar

from nats.js import JetStreamContext
from pydantic import BaseModel

from hybridmesh.bus.errors import MeshError
from hybridmesh.bus.topology import Bucket
from hybridmesh.bus.trail import Trail

T = TypeVar("T", bound=BaseModel)


class Followed(Generic[T]):
    """All that changed since the last look that succeeded."""

    def __init__(self, js: JetStreamContext, name: Bucket, model: type[T], keys: str = ">") -> None:
        self._trail = Trail(js, name, model, keys)
        self._keys: set[str] = set()
        self._found: dict[str, T | None] = {}

    @property
    def version(self) -> int:
        """The number of the last write that was seen: the same for whoever has seen the same."""
        return self._trail.seen

    async def changes(self) -> dict[str, T | None]:
        """Return the records that were written (None: removed) since the last call that returned; at first all.

        A bucket that was made anew is read from its start, and what it no longer has counts as removed.

        Raises:
            MeshUnavailable: the bucket cannot be read; nothing counts as seen.
            InvalidMessage: so a record.

        """
        if await self._trail.begins_anew():
            self._found = dict.fromkeys(self._keys)
        before = self._trail.seen
        try:
            found = self._found | {key: record async for key, record in self._trail.news()}
        except MeshError:
            self._trail.seen = before
            raise
        self._keys = {key for key in self._keys | found.keys() if found.get(key, ...) is not None}
        self._found = {}
        return found
