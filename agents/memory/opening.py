"""Building the memory from its settings: the one place that chooses between the two stores."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from hybridmesh.agents.memory.embedder import Embedder
from hybridmesh.agents.memory.library import Library
from hybridmesh.agents.memory.store import VectorStore


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedMemory:
    """Keep everything in a folder of this machine."""

    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMemory:
    """Keep everything in a collection of a Qdrant server."""

    url: str
    api_key: SecretStr | None = None
    collection: str = "hybridmesh"


def now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


async def open_library(
    place: EmbeddedMemory | ServerMemory, model_folder: Path, *, clock: Callable[[], datetime] = now
) -> Library:
    """Load the embedder, open the store, and join them; :meth:`Library.close` closes both.

    Raises:
        SetupError: no prepared model, a folder owned by another process, a refused key, or vectors of another
            model in the store; with the remedy.
        MemoryUnavailable: the store does not answer.

    """
    from hybridmesh.agents.memory.bm25 import Bm25Words
    from hybridmesh.agents.memory.minilm import MiniLm

    dense = MiniLm.load(model_folder)
    try:
        store = await open_store(place, dense)
    except BaseException:
        await dense.close()
        raise
    return Library(store, dense, Bm25Words(), clock)


async def open_store(place: EmbeddedMemory | ServerMemory, dense: Embedder) -> VectorStore:
    """Open the store of a place for this embedder's vectors."""
    if isinstance(place, EmbeddedMemory):
        from hybridmesh.agents.memory.edge_store import EdgeStore

        return await EdgeStore.open(place.folder, dense_name=dense.generation, dense_size=dense.size)
    from hybridmesh.agents.memory.server_store import ServerStore

    return await ServerStore.connect(
        place.url,
        api_key=place.api_key,
        collection=place.collection,
        dense_name=dense.generation,
        dense_size=dense.size,
    )
