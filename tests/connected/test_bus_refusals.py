"""An agent whom its server refuses after it was let in: it seeks on, or ends where its key is of no use any more."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from functools import partial

import pytest

from guarded_bus import SETTINGS, Guarded
from harness import eventually
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.app import AgentApp
from hybridmesh.bus.connection import Connection
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.links import Links
from hybridmesh.infra.nats.access import accounts_block
from hybridmesh.infra.provision import create_keys, rotate_keys
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.steps import StepFailed


class Running:
    """A decomposer of the test's own, in this process."""

    def __init__(self, guarded: Guarded) -> None:
        self.handled: list[str] = []
        self._guarded = guarded
        identity, ring = read_identity(guarded.keys, "decomposer"), KeyRing.read(guarded.keys)
        self.app = AgentApp(guarded.server.url, identity, ring, SETTINGS, self._build)

    async def works(self, times: int) -> bool:
        """Say whether it has handled so many messages."""
        return len(self.handled) == times

    async def give_work(self) -> None:
        """Put a message into its queue."""
        worker = await self._guarded.links("worker")
        await worker.publisher.publish(StepFailed(task_id=new_task_id(), step_id="a", reason="x"))

    async def leave(self) -> None:
        """Close what is still open of a search for a server, as the end of a process does."""
        assert isinstance(self._client, Connection)
        await self._client.leave()

    async def _build(self, links: Links) -> Agent:
        self._client = links.client
        return Agent("decomposer", handlers={StepFailed: self._note})

    async def _note(self, message: StepFailed) -> Sequence[Message]:
        self.handled.append(message.reason)
        return ()


async def _was_refused(guarded: Guarded) -> bool:
    return "authentication error" in (guarded.keys.parent / "nats" / "nats.log").read_text("utf-8")


@contextlib.asynccontextmanager
async def running(guarded: Guarded) -> AsyncGenerator[tuple[Running, asyncio.Task[None]]]:
    """Run it until the end of the test, or its own."""
    it = Running(guarded)
    task = asyncio.create_task(it.app.run())
    async with asyncio.timeout(20):
        await it.app.ready.wait()
    try:
        yield it, task
    finally:
        it.app.stop()
        async with asyncio.timeout(60):
            await asyncio.gather(task, return_exceptions=True)
        await it.leave()


@pytest.mark.usefixtures("impatient")
async def test_an_agent_whose_key_was_rotated_ends(guarded: Guarded) -> None:
    """Nothing is lost: whoever keeps it alive starts one that has the new key, and this one does nothing for ever."""
    async with running(guarded) as (_, task):
        rotate_keys(guarded.keys, ["decomposer"])
        guarded.server.let_in(accounts_block(create_keys(guarded.keys)))
        await asyncio.wait({task}, timeout=45)
        assert task.done()


async def test_an_agent_that_was_refused_for_a_moment_goes_on(guarded: Guarded) -> None:
    """Nothing is lost: a server that was reloaded with a wrong configuration and then with the right one is found."""
    users = create_keys(guarded.keys)
    async with running(guarded) as (it, task):
        await it.give_work()
        await eventually(partial(it.works, 1))
        others = create_keys(guarded.keys.parent / "others")
        guarded.server.let_in(accounts_block({**users, "decomposer": others["decomposer"]}))
        await eventually(partial(_was_refused, guarded), 20)
        guarded.server.let_in(accounts_block(users))
        await it.give_work()
        await eventually(partial(it.works, 2), 30)
        assert not task.done()
