"""A server whose store takes nothing more: that is said as such, and what was to be stored waits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest
from nats.js.errors import ServiceUnavailableError

from command_line import run_command
from harness import Bus
from hybridmesh.bus import connect, publisher
from hybridmesh.bus.bodies import put_body
from hybridmesh.bus.errors import StoreFailed
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.suspects import Begun
from hybridmesh.bus.topology import Bucket, intake_stream, lanes_stream, subject_for
from hybridmesh.infra.nats import access
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.tasks import TaskSubmitted

LANES = lanes_stream("decomposer")
BALLAST = b"x" * 900_000


@pytest.fixture
async def small(tmp_path: Path, keys_folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bus]:
    """A bus whose store holds three messages of a megabyte or so, which are there."""
    monkeypatch.setattr(access, "MAX_FILE_BYTES", 3 * 1024 * 1024)
    monkeypatch.setattr(publisher, "_KEEP_ON_S", 0.2)
    settings = MeshSettings()
    with NatsServer(tmp_path / "nats") as server:
        client = await nats.connect(server.url)
        js = client.jetstream()
        await provision(js, settings.bus)
        with contextlib.suppress(ServiceUnavailableError):
            while True:
                await js.publish(subject_for(TaskSubmitted, new_task_id()), BALLAST)
        yield Bus(server, client, js, keys_folder, settings)
        await client.close()


async def test_a_full_store_is_no_full_queue_and_the_task_waits(small: Bus, tmp_path: Path) -> None:
    """Nothing is lost: what the server has no room for stays here, and goes out when there is some."""
    place = ["--nats", small.url, "--keys", str(small.keys), "--data", str(tmp_path)]
    ran = await asyncio.to_thread(run_command, "submit", "g", place)
    assert ran.code == 3
    assert "the server's store takes nothing" in ran.err
    assert "remedy: make room on the disk of the mesh's server" in ran.err
    assert "kept in the outbox" in ran.err
    assert len(list((tmp_path / "outbox").iterdir())) == 1
    await small.js.purge_stream(intake_stream("decomposer"))
    async with connect(small.url, data=tmp_path, keys=small.keys):
        assert await small.count(LANES) == 1
    assert not list((tmp_path / "outbox").iterdir())


async def test_state_and_bodies_say_the_same(small: Bus) -> None:
    """Nothing is lost: whatever an agent writes, it hears that it has to wait, and that is no failed try."""
    note = Begun(times=1, stored_at=datetime.now(UTC))
    with pytest.raises(StoreFailed):
        await small.state(Bucket.BEGUN, Begun).change("a.b", lambda _: note)
    with pytest.raises(StoreFailed):
        await put_body(small.js, "name", BALLAST)
