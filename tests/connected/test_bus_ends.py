"""When an agent's process ends by itself, so that a fresh one takes its place."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from nats.aio.client import Client

from harness import Bus
from hybridmesh.bus.agent import Agent, Service
from hybridmesh.bus.app import AgentApp
from hybridmesh.bus.errors import TransientError
from hybridmesh.bus.identity import read_identity
from hybridmesh.bus.links import Links
from hybridmesh.bus.requests import RemoteMemory
from hybridmesh.bus.topology import Ask, subject_for
from hybridmesh.schemas.memory import Hits, Search
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.steps import StepReady

pytestmark = pytest.mark.connected


async def test_a_connection_that_is_closed_for_good_ends_the_agent(bus: Bus) -> None:
    """Nothing is lost: a process that could only fail for ever goes, so that a fresh one takes its place."""
    clients: list[Client] = []

    async def build(links: Links) -> Agent:
        clients.append(links.client)

        async def never(_: StepReady) -> Sequence[Message]:
            raise AssertionError

        return Agent("classifier", handlers={StepReady: never})

    app = AgentApp(bus.url, read_identity(bus.keys, "classifier"), bus.ring, bus.settings, build)
    running = asyncio.create_task(app.run())
    async with asyncio.timeout(20):
        await app.ready.wait()
    (client,) = clients
    subject = subject_for(StepReady, new_task_id())
    # As any error does for which a server closes: past the check that keeps this one from it.
    body = b"x" * (client.max_payload - 40)
    await Client._send_publish(client, subject, "", body, len(body), {"ce-id": "y" * 100})
    async with asyncio.timeout(60):
        await running
    assert client.is_closed


async def test_an_agent_that_cannot_get_to_its_end_is_ended(bus: Bus) -> None:
    """Nothing is lost: who stands still over its own end is started again by nobody, as it seems to be alive."""
    script = Path(__file__).parents[1] / "stuck_agent.py"
    stuck = await asyncio.create_subprocess_exec(sys.executable, str(script), bus.url, str(bus.keys))
    try:
        assert await asyncio.wait_for(stuck.wait(), 50) == -signal.SIGALRM
    finally:
        if stuck.returncode is None:
            stuck.kill()
            await stuck.wait()


async def test_an_agent_whose_service_gets_no_memory_answers_and_ends(bus: Bus) -> None:
    """Nothing is lost: who asked hears of it, and the next one is asked of a process that has memory."""

    async def search(_: Search) -> Hits:
        raise MemoryError

    async def build(_: Links) -> Agent:
        return Agent("memory", services=(Service(Ask.SEARCH, Search, search),))

    app = AgentApp(bus.url, read_identity(bus.keys, "memory"), bus.ring, bus.settings, build)
    running = asyncio.create_task(app.run())
    async with asyncio.timeout(20):
        await app.ready.wait()
    verifier = await bus.links("verifier")
    with pytest.raises(TransientError) as told:
        await RemoteMemory(verifier.asker).search(Search(query="Erika"))
    assert (type(told.value), told.value.reason) == (TransientError, "MemoryError")
    async with asyncio.timeout(20):
        await running
