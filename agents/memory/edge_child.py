"""One life of the engine process, seen from its parent: start, ask, and what happens when it ends."""

import asyncio
import contextlib
import itertools
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import cast

from hybridmesh.agents.memory.edge_frames import HEADER, body_length, decode, encode
from hybridmesh.agents.memory.store import Json
from hybridmesh.bus.errors import MemoryUnavailable, SetupError

START_TIMEOUT_S = 120.0
"""Replaying 100,000 unflushed rows after a kill took 14 s."""

_REMEDIES = {
    "owned": (
        "another process owns this memory folder",
        "stop the other memory agent, or give this one a folder of its own",
    ),
    "incompatible": (
        "this memory folder was filled with another embedding model",
        "start with the model that filled it, or use a fresh folder",
    ),
}


class EdgeChild:
    """A running engine process; it ends when this side closes its input, also by dying."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process = process
        self._reader, self._writer = reader, writer
        self._open: dict[int, asyncio.Future[Json]] = {}
        self._numbers = itertools.count(1)
        self._alive = True
        self._listener = asyncio.create_task(self._listen(), name="memory-engine-listener")

    @classmethod
    async def start(cls, folder: Path, dense_name: str, dense_size: int, lock_wait_s: float) -> "EdgeChild":
        """Start the process and wait until it owns the folder and has replayed its log.

        Raises:
            SetupError: another process owns the folder, or other vectors are in it.
            MemoryUnavailable: the engine could not open it.

        """
        module = "hybridmesh.agents.memory.edge_process"
        options = [str(folder), dense_name, str(dense_size), str(lock_wait_s)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", module, *options, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
        reader, writer = process.stdout, process.stdin
        if reader is None or writer is None:
            raise MemoryUnavailable(reason="engine-without-pipes")
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                hello = await _receive(reader)
        except (asyncio.IncompleteReadError, TimeoutError):
            hello = {"ready": False, "trouble": "silent"}
        except asyncio.CancelledError:
            await _end(process, writer)
            raise
        if hello["ready"] is True:
            return cls(process, reader, writer)
        await _end(process, writer)
        trouble = str(hello.get("trouble"))
        if trouble in _REMEDIES:
            message, remedy = _REMEDIES[trouble]
            raise SetupError(message, remedy=remedy)
        raise MemoryUnavailable(f"the memory's engine did not start ({trouble})", reason="engine-start")

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Return whether it can still answer."""
        return self._alive

    async def ask(self, op: str, arguments: dict[str, Json], timeout_s: float | None) -> Json:
        """Send one request and wait for its answer; no time-out means that the process' end is the only limit."""
        if not self._alive:
            raise MemoryUnavailable("the memory's engine ended")
        number = next(self._numbers)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            async with asyncio.timeout(timeout_s):
                self._writer.write(encode({"n": number, "op": op, **arguments}))
                await self._writer.drain()
                return await answer
        except TimeoutError:
            raise MemoryUnavailable("the memory's engine is too slow", reason="engine-timeout") from None
        except ConnectionError:
            raise MemoryUnavailable("the memory's engine ended") from None
        finally:
            del self._open[number]
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, even where sending failed first

    async def ended(self) -> int:
        """Wait until the process is gone, so that its folder is free; return its exit code."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Close its input, let it flush, wait for its end."""
        await _end(self._process, self._writer)
        await self._listener

    async def _listen(self) -> None:
        try:
            while True:
                reply = await _receive(self._reader)
                answer = self._open.get(cast("int", reply["n"]))
                if answer is None or answer.done():
                    continue
                if "error" in reply:
                    answer.set_exception(MemoryUnavailable("the memory's engine failed", reason="engine-error"))
                else:
                    answer.set_result(reply["ok"])
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._alive = False
            for answer in self._open.values():
                if not answer.done():
                    answer.set_exception(MemoryUnavailable("the memory's engine ended"))


async def _receive(reader: asyncio.StreamReader) -> dict[str, Json]:
    header = await reader.readexactly(HEADER.size)
    return decode(await reader.readexactly(body_length(header)))


async def _end(process: Process, writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    await process.wait()
