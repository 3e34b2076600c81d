"""The embedded store: Qdrant Edge in a process of its own, restarted when it dies.

A process of its own, because the engine's flush and load hold the interpreter lock and would stall the bus.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from hybridmesh.agents.memory.edge_child import EdgeChild
from hybridmesh.agents.memory.edge_frames import (
    pack_dense,
    pack_entry,
    pack_point,
    pack_sparse,
    pack_where,
    unpack_entry,
)
from hybridmesh.agents.memory.store import Entry, Json, Point, Scored, Sparse, Where
from hybridmesh.bus.errors import MemoryUnavailable, SetupError

_log = logging.getLogger(__name__)


class EdgeStore:
    """A VectorStore in a folder that it alone owns; made by :meth:`open`.

    When the engine process dies, its open requests fail with MemoryUnavailable, and a new one takes over. Every
    write is idempotent, so the caller repeats it; what was acknowledged is there.
    """

    def __init__(self, folder: Path, dense_name: str, dense_size: int, lock_wait_s: float, timeout_s: float) -> None:
        self._folder = folder
        self._dense_name, self._dense_size = dense_name, dense_size
        self._lock_wait_s, self._timeout_s = lock_wait_s, timeout_s
        self._child: EdgeChild | None = None
        self._starting = asyncio.Lock()
        self._warden: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        dense_name: str,
        dense_size: int,
        lock_wait_s: float = 5.0,
        timeout_s: float = 30.0,
    ) -> "EdgeStore":
        """Open the folder, or make it.

        Args:
            folder: holds the shard; private to this store.
            dense_name: the embedder's generation.
            dense_size: its number of dimensions.
            lock_wait_s: how long to wait for an owner that is just ending.
            timeout_s: how long one request may take; a rewrite of the files has no limit.

        Raises:
            SetupError: another process owns the folder, or it holds another generation's vectors.
            MemoryUnavailable: the engine could not open it.

        """
        store = cls(folder, dense_name, dense_size, lock_wait_s, timeout_s)
        await store._living()
        return store

    @property
    def engine_pid(self) -> int | None:
        """Return the engine process' id, for health reports; None while there is none."""
        return self._child.pid if self._child is not None and self._child.alive else None

    async def write(self, points: Sequence[Point], amended: Sequence[Entry] = ()) -> None:
        """Insert and replace in one request, answered after the flush that covers it."""
        if any(len(point.dense) != self._dense_size for point in points):
            raise ValueError("a dense vector has the wrong number of dimensions")
        rows: list[Json] = [pack_point(point) for point in points]
        changes: list[Json] = [pack_entry(entry) for entry in amended]
        await self._ask("write", points=rows, amended=changes)

    async def query(self, dense: Sequence[float], sparse: Sparse, where: Where, limit: int) -> list[Scored]:
        """Rank by both vectors."""
        answer = await self._ask(
            "query", dense=pack_dense(dense), sparse=pack_sparse(sparse), where=pack_where(where), limit=limit
        )
        rows = cast("list[tuple[Json, float]]", answer)
        return [Scored(unpack_entry(row), score) for row, score in rows]

    async def newest(self, where: Where, limit: int) -> list[Entry]:
        """Return the youngest rows."""
        answer = await self._ask("newest", where=pack_where(where), limit=limit)
        return [unpack_entry(row) for row in cast("list[Json]", answer)]

    async def scan(self, where: Where, after: str | None = None, limit: int = 256) -> tuple[list[Entry], str | None]:
        """Return a page in the order of ids."""
        answer = await self._ask("scan", where=pack_where(where), after=after, limit=limit)
        rows, following = cast("tuple[list[Json], str | None]", answer)
        return [unpack_entry(row) for row in rows], following

    async def delete_expired(self, at: float) -> int:
        """Remove expired rows; their bytes go with the next rewrite."""
        return cast("int", await self._ask("delete_expired", at=at))

    async def erase(self, ids: Sequence[str]) -> bool:
        """Remove rows and rewrite the files without them."""
        return cast("bool", await self._ask("erase", unlimited=True, ids=list(ids)))

    async def flush(self) -> None:
        """Return once everything written before is on disk."""
        await self._ask("flush")

    async def close(self) -> None:
        """End the engine process after a last flush; further requests raise MemoryUnavailable."""
        self._closed = True
        if self._warden is not None:
            self._warden.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._warden
        async with self._starting:
            if self._child is not None:
                await self._child.stop()
                self._child = None

    async def _ask(self, op: str, *, unlimited: bool = False, **arguments: Json) -> Json:
        child = await self._reach()
        return await child.ask(op, arguments, None if unlimited else self._timeout_s)

    async def _reach(self) -> EdgeChild:
        try:
            return await self._living()
        except SetupError:
            # It was ours when this store opened: someone took the folder over while the engine was down.
            raise MemoryUnavailable("the memory folder has another owner", reason="memory-owned-elsewhere") from None

    async def _living(self) -> EdgeChild:
        async with self._starting:
            if self._closed:
                raise MemoryUnavailable("the memory is closed", reason="memory-closed")
            if self._child is not None and self._child.alive:
                return self._child
            if self._child is not None:
                await self._child.stop()
            self._child = await EdgeChild.start(self._folder, self._dense_name, self._dense_size, self._lock_wait_s)
            if self._warden is None or self._warden.done():
                self._warden = asyncio.create_task(self._restart_after(self._child), name="memory-engine-warden")
            return self._child

    async def _restart_after(self, child: EdgeChild) -> None:
        # Restarting at once, not at the next request, hides the replay of the log. If it fails, requests retry it.
        while True:
            code = await child.ended()
            _log.warning("the memory's engine ended with code %s; starting it again", code)
            with contextlib.suppress(MemoryUnavailable, SetupError):
                child = await self._living()
                continue
            return
