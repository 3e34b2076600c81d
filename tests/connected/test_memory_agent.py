"""The memory agent over the real embedded engine: what it does without being asked, and what it puts on record."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nats.js.api import DiscardPolicy

from harness import Bus, eventually
from hybridmesh.agents.memory.agent import MemoryAgent
from hybridmesh.agents.memory.bm25 import Bm25Words
from hybridmesh.agents.memory.edge_store import EdgeStore
from hybridmesh.agents.memory.library import Library
from hybridmesh.agents.memory.store import Where
from hybridmesh.bus.agent import ASKER
from hybridmesh.bus.errors import MemoryUnavailable, MeshUnavailable, UsageError
from hybridmesh.bus.message_ids import MessageIds
from hybridmesh.bus.topology import AUDIT
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.memory import Forget, Kind, MemoryItem, Remember, Scope
from length_embedder import Lengths
from stored_rows import rows_of

pytestmark = pytest.mark.connected

START = datetime(2026, 3, 1, tzinfo=UTC)
HOME = Scope(tenant="home")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EdgeStore]:
    opened = await EdgeStore.open(tmp_path / "memory", dense_name=Lengths.generation, dense_size=Lengths.size)
    yield opened
    await opened.close()


async def agent_over(bus: Bus, store: EdgeStore) -> MemoryAgent:
    """Return an agent that knows two things of Ann and one of Bob."""
    library = Library(store, Lengths(), Bm25Words(), lambda: START)
    items = [
        MemoryItem(kind=Kind.RECORD, text=text, subject=who, source="s", author="a", created_at=START)
        for text, who in (("Ann pays monthly", "Ann"), ("Ann moved", "Ann"), ("Bob pays late", "Bob"))
    ]
    await library.remember(HOME, Remember(items=tuple(items)))
    links = await bus.links("memory")
    return MemoryAgent(library, HOME, lambda: START, links.publisher, MessageIds(links.identity).of)


async def events_of(bus: Bus) -> list[AuditEvent]:
    count = await bus.count(AUDIT.name)
    return [AuditEvent.model_validate_json(body) for body in await bus.collect(AuditEvent, count)]


async def let_the_log_take(bus: Bus, count: int) -> None:
    config = (await bus.js.stream_info(AUDIT.name)).config
    await bus.js.update_stream(config.evolve(max_msgs=count, discard=DiscardPolicy.NEW))


async def test_what_was_forgotten_is_on_record_whoever_asked(bus: Bus, store: EdgeStore) -> None:
    """Nothing is hidden: the agent that forgets says so itself, before it answers, and with no word of it."""
    memory = await agent_over(bus, store)
    rows = await rows_of(store, Where(HOME.tenant, subjects=("Ann",)))
    ASKER.set("publisher")
    receipt = await memory.forget(Forget(subject="Ann", source="none"))
    begun, done = await events_of(bus)
    assert (receipt.removed, receipt.rebuilt) == (2, True)
    assert {(event.agent, event.action) for event in (begun, done)} == {("memory", Action.MEMORY_FORGOTTEN)}
    items = begun.facts["items"]
    assert begun.facts == {"stage": "begun", "by": "publisher", "named": "subject+source", "found": 2, "items": items}
    assert done.facts == {
        "stage": "done",
        "by": "publisher",
        "named": "subject+source",
        "removed": 2,
        "rebuilt": True,
        "items": items,
    }
    told = "".join(event.model_dump_json() for event in (begun, done))
    assert not [word for word in ("Ann", "pays", "none", *(row.id for row in rows)) if word in told]
    # The same request again finds nothing, and that is on record too: an event each, none taken for a repeat.
    await memory.forget(Forget(subject="Ann", source="none"))
    await memory.forget(Forget(subject="Ann", source="none"))
    assert [event.facts["removed"] for event in (await events_of(bus))[2:]] == [0, 0]
    with pytest.raises(UsageError):
        await memory.forget(Forget())
    assert len(await events_of(bus)) == 4


async def test_without_the_log_nothing_is_forgotten(bus: Bus, store: EdgeStore) -> None:
    """Nothing is hidden: what cannot be put on record is not done, and who asks hears it."""
    memory = await agent_over(bus, store)
    await let_the_log_take(bus, 1)
    await memory.forget(Forget(subject="nobody"))
    with pytest.raises(MeshUnavailable, match="audit log is full"):
        await memory.forget(Forget(subject="Ann"))
    assert len(await rows_of(store, Where(HOME.tenant))) == 3


async def test_no_receipt_before_the_log_has_the_end(bus: Bus, store: EdgeStore) -> None:
    """Nothing is hidden: where the log breaks in between it holds what was begun, and asking again ends it."""
    memory = await agent_over(bus, store)
    await let_the_log_take(bus, 1)
    with pytest.raises(MeshUnavailable):
        await memory.forget(Forget(subject="Ann"))
    await let_the_log_take(bus, 9)
    assert (await memory.forget(Forget(subject="Ann"))).removed == 0
    assert [(event.facts["stage"], event.facts.get("found")) for event in await events_of(bus)] == [
        ("begun", 2),
        ("done", None),
    ]


async def test_what_the_store_did_not_do_is_not_told_as_done(
    bus: Bus, store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is hidden: an end stands in the log when the items are gone, not before."""
    memory = await agent_over(bus, store)

    async def broken(ids: object) -> bool:
        raise MemoryUnavailable("the engine is gone")

    monkeypatch.setattr(store, "erase", broken)  # between two calls of the engine
    with pytest.raises(MemoryUnavailable):
        await memory.forget(Forget(subject="Ann"))
    assert [event.facts["stage"] for event in await events_of(bus)] == ["begun"]


async def test_the_memory_sweeps_for_as_long_as_it_lives(bus: Bus, store: EdgeStore) -> None:
    """Nothing private leaves: what has expired goes from the disk without anybody asking."""
    now = START
    library = Library(store, Lengths(), Bm25Words(), lambda: now)
    publisher = (await bus.links("memory")).publisher
    agent = MemoryAgent(library, HOME, lambda: now, publisher, str, sweep_s=0.05).agent()
    item = MemoryItem(
        kind=Kind.RECORD, text="short", source="s", author="a", created_at=START, expires_at=START + timedelta(hours=1)
    )
    await library.remember(HOME, Remember(items=(item,)))
    (watch,) = agent.watches
    running = asyncio.create_task(watch())

    async def swept() -> bool:
        return not await rows_of(store, Where(HOME.tenant))

    await asyncio.sleep(0.2)
    assert not await swept()
    now = START + timedelta(hours=1)
    await eventually(swept)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
