"""What ``hybridmesh up`` does for its server: started again, and made ready, after a crash, a wipe and a full disk."""

import os
import shutil
import signal
import socket
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.nats import keeper
from hybridmesh.infra.nats.keeper import Keeper
from hybridmesh.infra.nats.server import NatsServer

pytestmark = pytest.mark.connected


class Watched:
    """A server with its keeper, what the keeper said, and how often the bus was made ready."""

    def __init__(self, server: NatsServer, folder: Path) -> None:
        self.server, self.said, self.prepared, self.failing = server, list[str](), 0, False
        self.keeper = Keeper(server, folder / "nats" / "jetstream", self._prepare, self.said.append)

    async def _prepare(self) -> None:
        if self.failing:
            raise OSError
        self.prepared += 1


@pytest.fixture
def watched(nats_server: NatsServer, tmp_path: Path) -> Watched:
    """A real server that runs."""
    return Watched(nats_server, tmp_path)


async def test_a_server_that_died_with_its_store_is_made_ready_again(watched: Watched, tmp_path: Path) -> None:
    """Nothing is lost for good: after a wipe the streams are made anew, and it is tried until that succeeds."""
    before = watched.server.pid
    shutil.rmtree(tmp_path / "nats" / "jetstream", ignore_errors=True)
    os.kill(before, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(before)], timeout=10)
    watched.failing = True
    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        await watched.keeper.look()
    assert watched.server.alive()
    assert watched.server.pid != before
    watched.failing = False
    await watched.keeper.look()
    await watched.keeper.look()
    assert watched.prepared == 1


async def test_a_server_whose_disk_was_full_is_started_again_once_there_is_room(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost: a nats-server that met a full disk writes again only after a new start."""
    before = watched.server.pid
    for free, same in ((2**30, True), (1000, True), (8 * 2**20, True), (2**30, False)):
        monkeypatch.setattr(keeper, "free_bytes", Mock(return_value=free))
        await watched.keeper.look()
        assert (watched.server.pid == before) is same
    assert watched.prepared == 1
    assert [line.partition(":")[0] for line in watched.said] == [
        "the disk is full",
        "there is room on the disk; starting nats-server again, so that it writes",
    ]


def test_a_port_that_was_asked_for_is_had_or_said_to_be_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs on what you have: who set a port has clients that go there, and would find another program."""
    monkeypatch.setattr("hybridmesh.infra.nats.server._PORT_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port: int = other.getsockname()[1]
        server = NatsServer(tmp_path / "nats", port=port)
        with pytest.raises(SetupError, match=f"port {port} is taken") as caught:
            server.start()
        assert "bus.port" in caught.value.remedy
    with server:  # the folder was given free
        assert server.url == f"nats://127.0.0.1:{port}"
