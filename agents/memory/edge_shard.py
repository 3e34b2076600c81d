"""Qdrant Edge behind plain calls: one shard with a dense and a sparse vector, and its indexes.

Runs in the engine process only: flush, load and optimize hold the interpreter lock for as long as they take.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import qdrant_edge as edge

from hybridmesh.agents.memory.store import (
    FLOAT_FIELDS,
    KEYWORD_FIELDS,
    RRF_K,
    SPARSE_NAME,
    TENANT_FIELD,
    Entry,
    Point,
    Scored,
    Sparse,
    Where,
)

_PAGE = 256


class EdgeShard:
    """One open shard; ``update`` calls are in its write-ahead log at once, and on disk after :meth:`flush`."""

    def __init__(self, shard: edge.EdgeShard, dense_name: str) -> None:
        self._shard = shard
        self._dense = dense_name

    @classmethod
    def create(cls, folder: Path, dense_name: str, dense_size: int) -> "EdgeShard":
        """Make an empty shard in a folder that does not exist yet."""
        folder.mkdir(mode=0o700)
        shard = edge.EdgeShard.create(str(folder), _config(dense_name, dense_size))
        index = edge.UpdateOperation.create_field_index
        shard.update(index(TENANT_FIELD, edge.KeywordIndexParams(is_tenant=True)))
        for name in KEYWORD_FIELDS:
            shard.update(index(name, edge.PayloadSchemaType.Keyword))
        for name in FLOAT_FIELDS:
            shard.update(index(name, edge.PayloadSchemaType.Float))
        shard.flush()
        return cls(shard, dense_name)

    @classmethod
    def load(cls, folder: Path, dense_name: str, dense_size: int) -> "EdgeShard":
        """Open a shard and replay what its log holds beyond the last flush; other vectors are an error."""
        return cls(edge.EdgeShard.load(str(folder), _config(dense_name, dense_size)), dense_name)

    def upsert(self, points: Sequence[Point]) -> None:
        """Insert or replace rows."""
        rows = [edge.Point(p.entry.id, self._vectors(list(p.dense), p.sparse), p.entry.payload()) for p in points]
        self.insert(rows)

    def amend(self, entry: Entry) -> None:
        """Replace the fields of a row that exists."""
        self._shard.update(edge.UpdateOperation.overwrite_payload([entry.id], entry.payload()))

    def holds_any(self, ids: Sequence[str]) -> bool:
        """Return whether a row of these ids exists."""
        return bool(self._shard.retrieve(list(ids), with_payload=False, with_vector=False))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove rows; their bytes stay in the files."""
        self._shard.update(edge.UpdateOperation.delete_points(list(ids)))

    def count_expired(self, at: float) -> int:
        """Count rows that expired by ``at``."""
        return self._shard.count(edge.CountRequest(filter=edge.Filter(must=[_expired(at)])))

    def delete_expired(self, at: float) -> None:
        """Remove rows that expired by ``at``."""
        self._shard.update(edge.UpdateOperation.delete_points_by_filter(edge.Filter(must=[_expired(at)])))

    def query(self, dense: Sequence[float], sparse: Sparse, where: Where, limit: int) -> list[Scored]:
        """Rank by both vectors. Word rarity is counted within the tenant, so no tenant shifts another's ranks."""
        selection, depth = _filter(where), max(4 * limit, 40)
        tenant = edge.Filter(must=[_match(TENANT_FIELD, (where.tenant,))])
        meaning = edge.Query.Nearest(list(dense), using=self._dense)
        ranks = [edge.Prefetch(depth, meaning, filter=selection)]
        if sparse.indices:
            words = edge.SparseVector(list(sparse.indices), list(sparse.values))
            rarity = edge.SearchParams(idf=edge.IdfParams(corpus=tenant))
            ranks.append(
                edge.Prefetch(depth, edge.Query.Nearest(words, using=SPARSE_NAME), filter=selection, params=rarity)
            )
        fused = cast("edge.Fusion", edge.Fusion.Rrf(k=RRF_K))  # the stubs miss that it is one
        request = edge.QueryRequest(limit, prefetches=ranks, query=fused, with_payload=True)
        return [Scored(Entry.from_payload(str(p.id), p.payload or {}), p.score) for p in self._shard.query(request)]

    def newest(self, where: Where, limit: int) -> list[Entry]:
        """Return the youngest rows, youngest first."""
        order = edge.OrderBy("created_at", edge.Direction.Desc)
        request = edge.ScrollRequest(limit=limit, filter=_filter(where), with_payload=True, order_by=order)
        rows, _ = self._shard.scroll(request)
        return [Entry.from_payload(str(row.id), row.payload or {}) for row in rows]

    def scan(self, where: Where, after: str | None, limit: int) -> tuple[list[Entry], str | None]:
        """Return a page in the order of ids, and the id that the next page starts with."""
        request = edge.ScrollRequest(offset=after, limit=limit, filter=_filter(where), with_payload=True)
        rows, following = self._shard.scroll(request)
        entries = [Entry.from_payload(str(row.id), row.payload or {}) for row in rows]
        return entries, None if following is None else str(following)

    def pages(self) -> Iterator[list[edge.Point]]:
        """Yield every row, vectors as stored, ready for :meth:`insert` into another shard."""
        after: edge.PointId | None = None
        while True:
            request = edge.ScrollRequest(offset=after, limit=_PAGE, with_payload=True, with_vector=True)
            rows, after = self._shard.scroll(request)
            yield [edge.Point(row.id, row.vector, row.payload) for row in rows if row.vector is not None]
            if after is None:
                return

    def insert(self, rows: list[edge.Point]) -> None:
        """Insert or replace rows in the engine's own form."""
        self._shard.update(edge.UpdateOperation.upsert_points(rows))

    def flush(self) -> None:
        """Return when everything is on disk."""
        self._shard.flush()

    def close(self) -> None:
        """Flush and let go of the files."""
        self._shard.close()

    def _vectors(self, dense: list[float], sparse: Sparse) -> "edge.Vector":
        vectors: dict[str, edge.NamedVector] = {self._dense: dense}
        if sparse.indices:
            vectors[SPARSE_NAME] = edge.SparseVector(list(sparse.indices), list(sparse.values))
        return vectors


def _config(dense_name: str, dense_size: int) -> edge.EdgeConfig:
    return edge.EdgeConfig(
        vectors={dense_name: edge.EdgeVectorParams(size=dense_size, distance=edge.Distance.Cosine)},
        sparse_vectors={SPARSE_NAME: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
    )


def _filter(where: Where) -> edge.Filter:
    must: list[edge.ConditionType] = [_match(name, values) for name, values in where.matches()]
    if where.ids:
        must.append(edge.HasIdCondition(set(where.ids)))
    if where.alive_at is None:
        return edge.Filter(must=must)
    must.append(edge.IsEmptyCondition("superseded_by"))
    return edge.Filter(must=must, must_not=[_expired(where.alive_at)])


def _match(name: str, values: Sequence[str]) -> edge.FieldCondition:
    return edge.FieldCondition(name, match=edge.MatchAny(list(values)))


def _expired(at: float) -> edge.FieldCondition:
    return edge.FieldCondition("expires_at", range=edge.RangeFloat(lte=at))
