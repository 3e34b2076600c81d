"""A request that nobody can answer any more must not be waited for."""

import asyncio
import time

import pytest
from nats.aio.msg import Msg

from harness import Bus
from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.topology import Ask
from hybridmesh.schemas.memory import Hits, Search


async def test_a_request_that_went_down_with_the_bus_is_given_up_soon(bus: Bus) -> None:
    """Nothing is lost: replies are not stored, so who asked before a crash asks again, and not after two minutes."""
    asked = asyncio.Event()

    async def hear(_: Msg) -> None:
        asked.set()

    await bus.client.subscribe(Ask.SEARCH, cb=hear)
    links = await bus.links("verifier")
    began = time.monotonic()
    asking = asyncio.create_task(links.asker.ask(Ask.SEARCH, Search(query="a"), Hits, timeout_s=60))
    await asked.wait()
    await asyncio.to_thread(bus.server.stop)
    await asyncio.to_thread(bus.server.restart)
    with pytest.raises(MeshUnavailable):
        await asking
    assert time.monotonic() - began < 30
