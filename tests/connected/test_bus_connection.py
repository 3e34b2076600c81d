"""A connection on its way: it is made or given up in time, and what was begun of it does not stay open."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator

import pytest

from harness import Bus
from hybridmesh.bus import app
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.app import AgentApp
from hybridmesh.bus.connection import Connection, open_connection
from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.identity import read_identity
from hybridmesh.bus.links import Links


class Gate:
    """A way to the real server that can be shut: who comes then is let in and hears nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.shut = asyncio.Event()
        self.waiting = 0
        self.left = asyncio.Event()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncGenerator[str]:
        """Yield the URL."""
        async with await asyncio.start_server(self._enter, "127.0.0.1", 0) as server:
            yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.shut.is_set():
            self.waiting += 1
            with contextlib.suppress(OSError):
                await reader.read()
            self.waiting -= 1
            self.left.set()
        else:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            ways = [asyncio.create_task(_copy(reader, back)), asyncio.create_task(_copy(there, writer))]
            await self.shut.wait()
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            back.close()
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)


async def test_a_try_that_fails_is_closed_before_the_next(bus: Bus) -> None:
    """Nothing is lost: a client that seeks a silent server again and again does not pile up open connections."""
    gate = Gate(int(bus.url.rpartition(":")[2]))
    publisher = read_identity(bus.keys, "publisher")
    async with (
        gate.listening() as url,
        open_connection([url], publisher.name, publisher.seed, None, within_s=5) as client,
    ):
        await client.flush()
        gate.shut.set()
        await asyncio.wait_for(gate.left.wait(), 20)
        assert gate.waiting <= 1
    gate.left.clear()
    if gate.waiting:
        await asyncio.wait_for(gate.left.wait(), 5)


async def test_a_tls_handshake_that_is_never_answered_is_given_up_in_time(bus: Bus) -> None:
    """Nothing is lost: nothing is waited for that never comes, neither the handshake nor the end of its connection."""
    left = asyncio.Event()

    async def promise_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.15.0","max_payload":1048576,"tls_required":true}\r\n')
        with contextlib.suppress(OSError):
            while await reader.read(1024):
                pass
        writer.close()
        left.set()

    publisher = read_identity(bus.keys, "publisher")
    async with await asyncio.start_server(promise_tls, "127.0.0.1", 0) as server, asyncio.timeout(20):
        url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        tls = ssl.create_default_context()
        with pytest.raises(MeshUnavailable):
            async with open_connection([url], publisher.name, publisher.seed, tls, within_s=1):
                pass
        await left.wait()


async def test_a_cancellation_that_is_swallowed_is_made_again(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: the bound on the time holds, also where the library lets one cancellation pass it by."""
    swallowed: list[bool] = []

    async def connect(_: Connection, servers: list[str], **_options: object) -> None:
        del servers
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.append(True)
        await asyncio.Event().wait()

    monkeypatch.setattr(Connection, "connect", connect)
    publisher = read_identity(bus.keys, "publisher")
    with pytest.raises(MeshUnavailable):
        async with asyncio.timeout(5), open_connection([bus.url], publisher.name, publisher.seed, None, within_s=0.1):
            pass
    assert swallowed


@pytest.mark.parametrize("patience_s", [0.1, 1.0])
async def test_an_agent_that_waits_for_its_bus_can_be_stopped(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, patience_s: float
) -> None:
    """Nothing is hidden: where no bus answers an agent says what it waits for, and ends when it is told to."""
    monkeypatch.setattr(app, "_PATIENCE_S", patience_s)

    async def build(_: Links) -> Agent:
        raise AssertionError

    nowhere = AgentApp("nats://127.0.0.1:1", read_identity(bus.keys, "worker"), bus.ring, bus.settings, build)
    running = asyncio.create_task(nowhere.run())
    await asyncio.sleep(0.5)
    assert not running.done()
    nowhere.stop()
    async with asyncio.timeout(10):
        with pytest.raises(MeshUnavailable, match="stopped before the bus answered"):
            await running
    assert ("waiting for the bus" in caplog.text) is (patience_s < 0.5)
