"""The five hops of each kind, all in one process or each in a process of its own, as agents are run."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from pathlib import Path

from bench.bare_loop import BESIDE, HOPS, bare_hop, bare_sender
from bench.measuring import Task
from bench.pipeline import faststream_hop, faststream_sender, mesh_hop, mesh_sender

_SCRIPT = Path(__file__).parents[1] / "hop_process.py"


class Kind(StrEnum):
    """What the hops are made of."""

    BARE = "bare nats-py"
    WRITING = "bare nats-py, as many writes"
    FASTSTREAM = "FastStream"
    MESH = "mesh"


def sender_of(kind: Kind, url: str, keys: Path) -> AbstractAsyncContextManager[Task]:
    """Return what makes the streams and yields what sends one task through the hops."""
    match kind:
        case Kind.BARE | Kind.WRITING:
            return bare_sender(url)
        case Kind.FASTSTREAM:
            return faststream_sender(url)
        case Kind.MESH:
            return mesh_sender(url, keys)


def hop_of(kind: Kind, hop: int, url: str, keys: Path) -> AbstractAsyncContextManager[None]:
    """Return what runs one hop."""
    match kind:
        case Kind.BARE:
            return bare_hop(url, hop)
        case Kind.WRITING:
            return bare_hop(url, hop, BESIDE)
        case Kind.FASTSTREAM:
            return faststream_hop(url, hop)
        case Kind.MESH:
            return mesh_hop(url, hop, keys)


@contextlib.asynccontextmanager
async def hops_together(kind: Kind, url: str, keys: Path) -> AsyncGenerator[list[int]]:
    """Run all hops in this process; yields the ids of other processes that work for them: none."""
    async with contextlib.AsyncExitStack() as stack:
        for hop in range(HOPS):
            await stack.enter_async_context(hop_of(kind, hop, url, keys))
        yield []


@contextlib.asynccontextmanager
async def hops_apart(kind: Kind, url: str, keys: Path) -> AsyncGenerator[list[int]]:
    """Run each hop in a process of its own; yields their ids."""
    processes: list[Process] = []
    try:
        for hop in range(HOPS):
            words = (sys.executable, str(_SCRIPT), kind.value, str(hop), url, str(keys))
            processes.append(await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE))
        async with asyncio.timeout(60):
            for process in processes:
                assert process.stdout is not None
                assert await process.stdout.readline(), "a hop did not start"
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        await asyncio.gather(*(process.wait() for process in processes))
