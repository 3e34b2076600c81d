"""The shared store: a Qdrant server, or a cluster of them, by URL.

Its own row-level protection is gone since release 1.16, so the tenant filter of every request is put in here,
by the code that holds the key; agents never get the URL.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import cast

from pydantic import SecretStr
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from hybridmesh.agents.memory.store import (
    FLOAT_FIELDS,
    KEYWORD_FIELDS,
    RRF_K,
    SPARSE_NAME,
    TENANT_FIELD,
    Entry,
    Json,
    Point,
    Scored,
    Sparse,
    Where,
)
from hybridmesh.bus.errors import MemoryUnavailable, SetupError

_REFUSED = "server-refuses-key"


class ServerStore:
    """A VectorStore in one collection; several memory agents may share it. Made by :meth:`open`.

    A write returns when the server has logged and applied it (``wait=true``). Removed rows are out of every
    answer at once; their bytes go when the server's vacuum and the rotation of its snapshots get to them, so
    :meth:`erase` never claims more.
    """

    def __init__(self, client: AsyncQdrantClient, collection: str, dense_name: str) -> None:
        self._client = client
        self._collection = collection
        self._dense = dense_name

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        api_key: SecretStr | None,
        collection: str,
        dense_name: str,
        dense_size: int,
        timeout_s: int = 30,
    ) -> "ServerStore":
        """Open a collection on the server at ``url``; raises as :meth:`open`, and SetupError for what is no address."""
        key = None if api_key is None else api_key.get_secret_value().strip()
        if key is not None and not (key.isascii() and key.isprintable()):
            raise SetupError("the memory's key holds something that no key does", remedy="set memory.api_key anew")
        try:
            client = AsyncQdrantClient(url=url, api_key=key, timeout=timeout_s, check_compatibility=False)
        except ValueError:
            raise SetupError(
                "the memory's address is none", remedy="set memory.url to an address such as http://127.0.0.1:6333"
            ) from None
        try:
            return await cls.open(client, collection=collection, dense_name=dense_name, dense_size=dense_size)
        except BaseException:
            await client.close()
            raise

    @classmethod
    async def open(
        cls, client: AsyncQdrantClient, *, collection: str, dense_name: str, dense_size: int
    ) -> "ServerStore":
        """Make the collection with its indexes, or check the one that is there.

        Raises:
            SetupError: the key is refused, or the collection holds another generation's vectors.
            MemoryUnavailable: the server does not answer.

        """
        store = cls(client, collection, dense_name)
        try:
            async with _answering():
                if not await client.collection_exists(collection):
                    await store._create(dense_size)
                vectors = (await client.get_collection(collection)).config.params.vectors
        except MemoryUnavailable as error:
            if error.reason != _REFUSED:
                raise
            raise SetupError(str(error), remedy="set an API key that may read and write") from None
        found = vectors.get(dense_name) if isinstance(vectors, dict) else None
        if found is None or found.size != dense_size:
            raise SetupError(
                "the memory's collection was filled with another embedding model",
                remedy="start with the model that filled it, or name another collection",
            )
        async with _answering():
            await store._index()
        return store

    async def write(self, points: Sequence[Point], amended: Sequence[Entry] = ()) -> None:
        """Insert and replace in one batch, applied in order."""
        operations: list[models.UpdateOperation] = []
        if points:
            rows = models.PointsList(points=[self._row(point) for point in points])
            operations.append(models.UpsertOperation(upsert=rows))
        operations += [
            models.OverwritePayloadOperation(
                overwrite_payload=models.SetPayload(payload=entry.payload(), points=[entry.id])
            )
            for entry in amended
        ]
        if operations:
            async with _answering():
                await self._client.batch_update_points(self._collection, operations, wait=True)

    async def query(self, dense: Sequence[float], sparse: Sparse, where: Where, limit: int) -> list[Scored]:
        """Rank by both vectors, word rarity counted within the tenant."""
        selection, depth = _filter(where), max(4 * limit, 40)
        ranks = [models.Prefetch(query=list(dense), using=self._dense, filter=selection, limit=depth)]
        if sparse.indices:
            words = models.SparseVector(indices=list(sparse.indices), values=list(sparse.values))
            rarity = models.SearchParams(idf=models.IdfCorpusParams(corpus=_filter(Where(where.tenant))))
            ranks.append(models.Prefetch(query=words, using=SPARSE_NAME, filter=selection, limit=depth, params=rarity))
        fused = models.RrfQuery(rrf=models.Rrf(k=RRF_K))
        async with _answering():
            answer = await self._client.query_points(self._collection, fused, prefetch=ranks, limit=limit)
        return [Scored(_entry(point.id, point.payload), point.score) for point in answer.points]

    async def newest(self, where: Where, limit: int) -> list[Entry]:
        """Return the youngest rows."""
        order = models.OrderBy(key="created_at", direction=models.Direction.DESC)
        async with _answering():
            rows, _ = await self._client.scroll(self._collection, _filter(where), limit, order)
        return [_entry(row.id, row.payload) for row in rows]

    async def scan(self, where: Where, after: str | None = None, limit: int = 256) -> tuple[list[Entry], str | None]:
        """Return a page in the order of ids."""
        async with _answering():
            rows, following = await self._client.scroll(self._collection, _filter(where), limit, offset=after)
        return [_entry(row.id, row.payload) for row in rows], None if following is None else str(following)

    async def delete_expired(self, at: float) -> int:
        """Remove every tenant's expired rows."""
        expired = models.Filter(must=[_expired(at)])
        async with _answering():
            found = (await self._client.count(self._collection, expired, exact=True)).count
            if found:
                await self._client.delete(self._collection, models.FilterSelector(filter=expired), wait=True)
        return found

    async def erase(self, ids: Sequence[str]) -> bool:
        """Remove rows; False, because the server rewrites its files in its own time."""
        if ids:
            async with _answering():
                selected = models.PointIdsList(points=list(ids))
                await self._client.delete(self._collection, selected, wait=True)
        return False

    async def flush(self) -> None:
        """Return at once: every write has waited already."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _create(self, dense_size: int) -> None:
        vectors = {self._dense: models.VectorParams(size=dense_size, distance=models.Distance.COSINE)}
        words = {SPARSE_NAME: models.SparseVectorParams(modifier=models.Modifier.IDF)}
        try:
            await self._client.create_collection(self._collection, vectors_config=vectors, sparse_vectors_config=words)
        except UnexpectedResponse as error:
            if error.status_code != HTTPStatus.CONFLICT:  # another memory agent, starting at the same time, made it
                raise

    async def _index(self) -> None:
        # Asked for at every start: an index that exists is left alone, and one start may have been cut short.
        tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
        await self._client.create_payload_index(self._collection, TENANT_FIELD, tenant, wait=True)
        for name in KEYWORD_FIELDS:
            await self._client.create_payload_index(self._collection, name, models.PayloadSchemaType.KEYWORD, wait=True)
        for name in FLOAT_FIELDS:
            await self._client.create_payload_index(self._collection, name, models.PayloadSchemaType.FLOAT, wait=True)

    def _row(self, point: Point) -> models.PointStruct:
        vectors: dict[str, models.Vector] = {self._dense: list(point.dense)}
        if point.sparse.indices:
            vectors[SPARSE_NAME] = models.SparseVector(
                indices=list(point.sparse.indices), values=list(point.sparse.values)
            )
        return models.PointStruct(id=point.entry.id, vector=vectors, payload=point.entry.payload())


def _filter(where: Where) -> models.Filter:
    must: list[models.Condition] = [
        models.FieldCondition(key=name, match=models.MatchAny(any=list(values))) for name, values in where.matches()
    ]
    if where.ids:
        must.append(models.HasIdCondition(has_id=list(where.ids)))
    if where.alive_at is None:
        return models.Filter(must=must)
    must.append(models.IsEmptyCondition(is_empty=models.PayloadField(key="superseded_by")))
    return models.Filter(must=must, must_not=[_expired(where.alive_at)])


def _expired(at: float) -> models.FieldCondition:
    return models.FieldCondition(key="expires_at", range=models.Range(lte=at))


def _entry(point_id: object, payload: object) -> Entry:
    return Entry.from_payload(str(point_id), cast("dict[str, Json]", payload))


@asynccontextmanager
async def _answering() -> AsyncGenerator[None]:
    try:
        yield
    except UnexpectedResponse as error:
        if error.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise MemoryUnavailable("the memory's server refuses the key", reason=_REFUSED) from None
        raise MemoryUnavailable("the memory's server failed", reason="server-error") from None
    except (ApiException, OSError):
        raise MemoryUnavailable("the memory's server does not answer") from None
