"""The Memory port for one caller in this process: a library bound to the caller's scope."""

from dataclasses import dataclass

from hybridmesh.agents.memory.library import Library
from hybridmesh.schemas.memory import (
    Forget,
    ForgetReceipt,
    Hits,
    Lookup,
    Rank,
    Ranking,
    Remember,
    Remembered,
    Scope,
    Search,
)


@dataclass(frozen=True, slots=True)
class ScopedMemory:
    """Implements ``hybridmesh.bus.ports.Memory``; whoever knows the caller's identity builds it."""

    library: Library
    scope: Scope

    async def remember(self, request: Remember) -> Remembered:
        """Store items in the scope."""
        return await self.library.remember(self.scope, request)

    async def search(self, request: Search) -> Hits:
        """Find by meaning and words in the scope."""
        return await self.library.search(self.scope, request)

    async def lookup(self, request: Lookup) -> Hits:
        """Find by exact key in the scope."""
        return await self.library.lookup(self.scope, request)

    async def rank(self, request: Rank) -> Ranking:
        """Compare a text with descriptions; the scope plays no part, as nothing stored is read."""
        return await self.library.rank(request)

    async def forget(self, request: Forget) -> ForgetReceipt:
        """Remove from the scope."""
        return await self.library.forget(self.scope, request)
