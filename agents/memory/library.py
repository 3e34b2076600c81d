"""The private memory's rules over any store: what is kept, found and forgotten, always within one tenant.

The scope is an argument of its own, taken from the caller's identity; nothing in a request can widen it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from hybridmesh.agents.memory.closeness import closeness, sentences
from hybridmesh.agents.memory.embedder import Embedder, WordEmbedder
from hybridmesh.agents.memory.identity import Decision, decide, is_id, item_id, refusal, slot, to_entry
from hybridmesh.agents.memory.store import Entry, Point, VectorStore, Where
from hybridmesh.bus.errors import UsageError
from hybridmesh.schemas.memory import (
    Forget,
    ForgetReceipt,
    Hit,
    Hits,
    Lookup,
    MemoryItem,
    Rank,
    Ranking,
    Remember,
    Remembered,
    Scope,
    Search,
    WriteResult,
)

LOOKUP_LIMIT = 100
TIES = 10
"""Extra rows asked for: ranks often tie (second and third, third and second), and engines break ties by chance."""

_STRIPES = 1024


class Library:
    """The memory agent's service; every method raises MemoryUnavailable while the store does not answer."""

    def __init__(self, store: VectorStore, dense: Embedder, words: WordEmbedder, clock: Callable[[], datetime]) -> None:
        """Take the parts.

        Args:
            store: opened with the generation and size of ``dense``.
            dense: meaning.
            words: words.
            clock: the current time, with a zone.

        """
        self._store, self._dense, self._words, self._clock = store, dense, words, clock
        self._stripes = tuple(asyncio.Lock() for _ in range(_STRIPES))

    async def remember(self, scope: Scope, request: Remember) -> Remembered:
        """Keep what may be kept; items of one request are decided in its order and stored in one write.

        A repeated request changes nothing. Of a repeated text the newest provenance counts, and every source
        that ever brought it is noted.
        """
        now = self._clock()
        results: dict[int, WriteResult] = {}
        offered: list[tuple[int, MemoryItem, Entry]] = []
        for place, item in enumerate(request.items):
            reason = refusal(item, now)
            if reason is not None:
                results[place] = WriteResult(id=item_id(scope.tenant, item), outcome="refused", reason=reason)
            else:
                offered.append((place, item, to_entry(scope.tenant, item)))
        if offered:
            async with self._alone(_names(item, entry) for _, item, entry in offered):
                shelf = await self._shelf(scope, [(item, entry) for _, item, entry in offered])
                for place, item, entry in offered:
                    decision = decide(entry, item.supersedes, shelf.rows.values())
                    shelf.apply(decision)
                    results[place] = decision.result
                await self._write(shelf)
        return Remembered(results=tuple(results[place] for place in range(len(request.items))))

    async def search(self, scope: Scope, request: Search) -> Hits:
        """Find living items by meaning and words, fused, equal ranks newest first; a blank query finds nothing."""
        if not request.query.strip():
            return Hits()
        (dense,) = await self._dense.embed([request.query])
        where = Where(scope.tenant, kinds=tuple(k.value for k in request.kinds), alive_at=self._clock().timestamp())
        words = self._words.query(request.query)
        rows = await self._store.query(dense, words, where, request.limit + TIES)
        rows.sort(key=lambda row: (-row.score, -row.entry.created_at, row.entry.id))
        best = rows[: request.limit]
        return Hits(hits=tuple(Hit(item=_item(row.entry), score=row.score, via="hybrid") for row in best))

    async def lookup(self, scope: Scope, request: Lookup) -> Hits:
        """Find living items by exact key, newest first, at most 100."""
        where = Where(
            scope.tenant,
            kinds=(request.kind.value,),
            keys=(request.key,),
            alive_at=self._clock().timestamp(),
        )
        rows = await self._store.newest(where, LOOKUP_LIMIT)
        ordered = sorted(rows, key=lambda row: (-row.created_at, row.id))
        return Hits(hits=tuple(Hit(item=_item(row), score=1.0, via="key") for row in ordered))

    async def rank(self, request: Rank) -> Ranking:
        """Compare a text with descriptions: as a whole, and by its sentences that come nearest."""
        parts = sentences(request.text)
        vectors = await self._dense.embed([*request.candidates, request.text, *parts])
        count = len(request.candidates)
        return Ranking(scores=closeness(vectors[:count], vectors[count], vectors[count + 1 :]))

    async def forget(self, scope: Scope, request: Forget) -> ForgetReceipt:
        """Remove what the request names and all that goes with it; raises what :meth:`doomed` does."""
        return await self.erase(await self.doomed(scope, request))

    async def doomed(self, scope: Scope, request: Forget) -> list[str]:
        """Return the ids of what a request names, of what was made from it, and of the earlier versions it replaced.

        Raises:
            UsageError: the request names nothing.

        """
        if not (request.subject or request.source or request.ids):
            raise UsageError("nothing to forget was named", remedy="name a subject, a source or ids")
        named: list[Where] = []
        if request.subject:
            named.append(Where(scope.tenant, subjects=(request.subject,)))
        if request.source:
            named.append(Where(scope.tenant, sources=(request.source,)))
        ids = tuple(filter(is_id, request.ids))
        if ids:
            named.append(Where(scope.tenant, ids=ids))
        doomed: dict[str, None] = {}
        frontier = await self._ids(named)
        while frontier:
            doomed |= dict.fromkeys(frontier)
            batch = tuple(frontier)
            linked = await self._ids(
                [Where(scope.tenant, derived_from=batch), Where(scope.tenant, superseded_by=batch)]
            )
            frontier = [row_id for row_id in linked if row_id not in doomed]
        return list(doomed)

    async def erase(self, ids: Sequence[str]) -> ForgetReceipt:
        """Remove these items for good."""
        return ForgetReceipt(removed=len(ids), rebuilt=await self._store.erase(ids), at=self._clock())

    async def sweep(self) -> int:
        """Remove every tenant's expired items, which no read returns any more; return how many."""
        return await self._store.delete_expired(self._clock().timestamp())

    async def close(self) -> None:
        """Close the store and free the model."""
        await self._store.close()
        await self._dense.close()

    async def _shelf(self, scope: Scope, offered: Sequence[tuple[MemoryItem, Entry]]) -> "_Shelf":
        links = {item.supersedes for item, _ in offered if item.supersedes and is_id(item.supersedes)}
        ids = links | {entry.id for _, entry in offered}
        rows = await self._all(Where(scope.tenant, ids=tuple(sorted(ids))))
        slotted = {(entry.kind, entry.key) for _, entry in offered if slot(entry) is not None}
        for kind, key in sorted((kind, key) for kind, key in slotted if key is not None):
            rows += await self._all(Where(scope.tenant, kinds=(kind,), keys=(key,)))
        return _Shelf(rows)

    async def _write(self, shelf: "_Shelf") -> None:
        fresh = list(shelf.inserted.values())
        if not (fresh or shelf.amended):
            # All repeats. The first offer may still be unflushed, and its acknowledgement is given here too.
            await self._store.flush()
            return
        texts = [_item(entry).text for entry in fresh]
        dense = await self._dense.embed(texts) if texts else []
        points = [
            Point(entry, vector, self._words.document(text))
            for entry, vector, text in zip(fresh, dense, texts, strict=True)
        ]
        await self._store.write(points, list(shelf.amended.values()))

    async def _all(self, where: Where) -> list[Entry]:
        found, after = await self._store.scan(where)
        while after is not None:
            more, after = await self._store.scan(where, after)
            found += more
        return found

    async def _ids(self, selections: Iterable[Where]) -> list[str]:
        found: dict[str, None] = {}
        for where in selections:
            found |= dict.fromkeys(row.id for row in await self._all(where))
        return list(found)

    @asynccontextmanager
    async def _alone(self, names: Iterable[Sequence[object]]) -> AsyncGenerator[None]:
        # Reading, deciding and writing must not interleave for the same fact; taken in order, so no two wait crosswise.
        stripes = sorted({hash(name) % _STRIPES for group in names for name in group})
        async with AsyncExitStack() as held:
            for stripe in stripes:
                await held.enter_async_context(self._stripes[stripe])
            yield


class _Shelf:
    """The rows that a request could touch, as they will be after each decision."""

    def __init__(self, rows: Iterable[Entry]) -> None:
        self.rows = {row.id: row for row in rows}
        self.inserted: dict[str, Entry] = {}
        self.amended: dict[str, Entry] = {}

    def apply(self, decision: Decision) -> None:
        """Take the decision's rows over; a row that this request inserts is amended before it is written."""
        if decision.insert is not None:
            self.inserted[decision.insert.id] = decision.insert
            self.rows[decision.insert.id] = decision.insert
        for row in decision.amend:
            self.rows[row.id] = row
            changed = self.inserted if row.id in self.inserted else self.amended
            changed[row.id] = row


def _names(item: MemoryItem, entry: Entry) -> tuple[object, ...]:
    return tuple(name for name in (entry.id, item.supersedes, slot(entry)) if name is not None)


def _item(entry: Entry) -> MemoryItem:
    return MemoryItem.model_validate_json(entry.item)
