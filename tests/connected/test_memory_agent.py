"""The memory agent over the real embedded engine: what it does without being asked, and what it refuses."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness import eventually
from hybridmesh.agents.memory.agent import MemoryAgent
from hybridmesh.agents.memory.bm25 import Bm25Words
from hybridmesh.agents.memory.edge_store import EdgeStore
from hybridmesh.agents.memory.library import Library
from hybridmesh.agents.memory.store import Where
from hybridmesh.schemas.memory import Kind, MemoryItem, Remember, Scope
from length_embedder import Lengths

pytestmark = pytest.mark.connected

START = datetime(2026, 3, 1, tzinfo=UTC)
HOME = Scope(tenant="home")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EdgeStore]:
    opened = await EdgeStore.open(tmp_path / "memory", dense_name=Lengths.generation, dense_size=Lengths.size)
    yield opened
    await opened.close()


async def test_the_memory_sweeps_for_as_long_as_it_lives(store: EdgeStore) -> None:
    """Nothing private leaves: what has expired goes from the disk without anybody asking."""
    now = START
    library = Library(store, Lengths(), Bm25Words(), lambda: now)
    agent = MemoryAgent(library, HOME, lambda: now, sweep_s=0.05).agent()
    item = MemoryItem(
        kind=Kind.RECORD, text="short", source="s", author="a", created_at=START, expires_at=START + timedelta(hours=1)
    )
    await library.remember(HOME, Remember(items=(item,)))
    (watch,) = agent.watches
    running = asyncio.create_task(watch())

    async def swept() -> bool:
        return await store.count(Where(HOME.tenant)) == 0

    await asyncio.sleep(0.2)
    assert not await swept()
    now = START + timedelta(hours=1)
    await eventually(swept)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
