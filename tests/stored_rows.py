"""What a memory's store holds, page by page: for tests that look at what is kept and not at what is found."""

from hybridmesh.agents.memory.store import Entry, VectorStore, Where
from hybridmesh.schemas.memory import MemoryItem, Scope


async def rows_of(store: VectorStore, where: Where) -> list[Entry]:
    """Return every row that matches."""
    rows, after = await store.scan(where)
    while after is not None:
        more, after = await store.scan(where, after)
        rows += more
    return rows


async def items_of(store: VectorStore, scope: Scope) -> list[MemoryItem]:
    """Return every item of a tenant, superseded and expired ones too."""
    return [MemoryItem.model_validate_json(row.item) for row in await rows_of(store, Where(scope.tenant))]
