"""A private memory with nothing in it, which also keeps nothing: what the worker meets on its first day."""

from datetime import UTC, datetime

from hybridmesh.bus.errors import MemoryUnavailable
from hybridmesh.schemas.memory import (
    Forget,
    ForgetReceipt,
    Hits,
    Lookup,
    Rank,
    Ranking,
    Remember,
    Remembered,
    Search,
    WriteResult,
)


class EmptyMemory:
    """The port ``Memory`` over nothing; comparing by meaning needs a model, which it has not."""

    async def remember(self, request: Remember) -> Remembered:
        return Remembered(results=tuple(WriteResult(id="", outcome="refused") for _ in request.items))

    async def search(self, request: Search) -> Hits:
        return Hits()

    async def lookup(self, request: Lookup) -> Hits:
        return Hits()

    async def rank(self, request: Rank) -> Ranking:
        raise MemoryUnavailable

    async def forget(self, request: Forget) -> ForgetReceipt:
        return ForgetReceipt(removed=0, rebuilt=False, at=datetime.now(UTC))
