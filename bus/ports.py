"""The small ports through which agents reach what lies outside them; adapters stand elsewhere."""

from typing import Protocol

from hybridmesh.schemas.inference import Completion, CompletionRequest
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
)


class LocalModel(Protocol):
    """The model that runs at home, in this process or over the bus."""

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer one prompt.

        Raises:
            ModelUnavailable: no model is loaded, it is overloaded, or it missed the deadline.

        """
        ...


class Memory(Protocol):
    """The shared private memory; every call is scoped to the caller's tenant by whoever built the port."""

    async def remember(self, request: Remember) -> Remembered:
        """Store items durably; raises MemoryUnavailable."""
        ...

    async def search(self, request: Search) -> Hits:
        """Find by meaning and words; raises MemoryUnavailable."""
        ...

    async def lookup(self, request: Lookup) -> Hits:
        """Find by exact key; raises MemoryUnavailable."""
        ...

    async def rank(self, request: Rank) -> Ranking:
        """Compare a text with descriptions by meaning; raises MemoryUnavailable."""
        ...

    async def forget(self, request: Forget) -> ForgetReceipt:
        """Remove without a trace; raises MemoryUnavailable."""
        ...
