"""``hybridmesh memory`` against the real memory agent: records come in, are found, and go without a trace."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from command_line import Ran, run_command
from harness import Bus
from hybridmesh.agents.memory.agent import MemoryAgent
from hybridmesh.agents.memory.bm25 import Bm25Words
from hybridmesh.agents.memory.edge_store import EdgeStore
from hybridmesh.agents.memory.library import Library
from hybridmesh.bus.agent import Service
from hybridmesh.bus.message_ids import MessageIds
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.requests import answer
from hybridmesh.bus.topology import AUDIT
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.memory import Scope
from length_embedder import Lengths

pytestmark = pytest.mark.connected


@pytest.fixture
async def place(bus: Bus, tmp_path: Path) -> AsyncIterator[list[str]]:
    """The flags of a bus where the memory answers."""
    store = await EdgeStore.open(tmp_path / "memory", dense_name=Lengths.generation, dense_size=Lengths.size)
    links = await bus.links("memory")
    library = Library(store, Lengths(), Bm25Words(), utc_now)
    agent = MemoryAgent(library, Scope(), utc_now, links.publisher, MessageIds(links.identity).of).agent()

    async def serve(service: Service) -> None:
        async def reply(message: Msg) -> None:
            body, headers = await answer(service, message.headers or {}, message.data, bus.ring)
            await bus.client.publish(message.reply, body, headers=dict(headers))

        await bus.client.subscribe(service.subject, cb=reply)

    for service in agent.services:
        await serve(service)
    await bus.client.flush()
    yield ["--nats", bus.url, "--keys", str(bus.keys), "--data", str(tmp_path / "data")]
    await store.close()


async def memory(place: list[str], *words: str, stdin: str = "") -> Ran:
    """Run a command of ``memory``."""
    return await asyncio.to_thread(run_command, "memory", words, place, stdin=stdin.encode())


async def test_records_are_kept_found_and_forgotten(bus: Bus, place: list[str], tmp_path: Path) -> None:
    """Nothing is hidden: what a person took out of the memory is on record, by number and without a word."""
    lines = [
        {"text": "Ann pays monthly", "key": "C-1", "subject": "Ann"},
        {"text": "Refunds take a week", "kind": "document"},
    ]
    file = tmp_path / "records.jsonl"
    file.write_text("\n".join(["", *map(json.dumps, lines)]))
    added = await memory(place, "add", str(file), "--json")
    assert (added.json["added"], added.json["known"], added.json["refused"]) == (2, 0, 0)
    again = await memory(place, "add", "-", stdin=file.read_text())
    assert (again.code, again.err) == (0, "added: 0; 2 were there\n")
    (first, *_) = (await memory(place, "search", "Who pays monthly?", "--json")).json["hits"]
    assert (first["item"]["key"], first["item"]["author"]) == ("C-1", "publisher")
    assert first["item"]["source"] == "file:stdin"  # the newest that brought it
    assert "Refunds take a week" in (await memory(place, "search", "refunds")).out
    gone = await memory(place, "forget", "--subject", "Ann", "--json")
    assert (gone.json["removed"], gone.json["rebuilt"]) == (1, True)
    assert (await memory(place, "forget", added.json["ids"][1])).err == "forgotten: 1\n"
    assert (await memory(place, "search", "pays", "--json")).json == {"hits": []}
    events = [AuditEvent.model_validate_json(body) for body in await bus.collect(AuditEvent, 4)]
    assert {(event.agent, event.action) for event in events} == {("memory", Action.MEMORY_FORGOTTEN)}
    assert {event.facts["by"] for event in events} == {"publisher"}
    told = [(event.facts["stage"], event.facts["named"], event.facts.get("removed")) for event in events]
    assert told == [("begun", "subject", None), ("done", "subject", 1), ("begun", "ids", None), ("done", "ids", 1)]
    assert await bus.count(AUDIT.name) == 4  # none of them twice


async def test_a_line_that_is_no_item_keeps_all_of_them_out(place: list[str]) -> None:
    """Nothing is half done."""
    ran = await memory(place, "add", "-", stdin='{"text": "a good line"}\n{broken\n')
    assert (ran.code, "error: line 2 is not JSON\nremedy: " in ran.err) == (2, True)
    assert (await memory(place, "search", "good line", "--json")).json == {"hits": []}
    for words in (["forget"], ["add", "none.jsonl"]):
        assert (await memory(place, *words)).code == 2


async def test_what_the_memory_refuses_is_named_by_its_line(place: list[str]) -> None:
    """Nothing is hidden: the others are kept."""
    ran = await memory(place, "add", "-", stdin='{"text": "a"}\n{"text": "b", "expires_at": "2020-01-01T00:00:00Z"}\n')
    assert ran.code == 65
    assert ran.err == "added: 1\nline 2 is refused: already-expired\n"
