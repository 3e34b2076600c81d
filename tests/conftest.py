"""Fixtures of all levels: a real NATS server, provisioned from the topology, and identities for every agent."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest
from hypothesis import settings as hypothesis_settings

from harness import Bus
from hybridmesh.bus.identity import create_identities
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.bus.topology import TOPOLOGY
from hybridmesh.infra.nats.server import NatsServer

# How long one example takes is a matter of the machine; what hangs is stopped by the limit of its test.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

NAMES = tuple(row.agent for row in TOPOLOGY)


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Identities of all agents."""
    folder = tmp_path_factory.mktemp("keys")
    create_identities(folder, NAMES)
    return folder


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A real server of its own for each test."""
    with NatsServer(tmp_path / "nats") as server:
        yield server


@pytest.fixture
async def bus(nats_server: NatsServer, keys_folder: Path) -> AsyncIterator[Bus]:
    """A real server with every stream, consumer and bucket of the topology."""
    settings = MeshSettings(bus=BusSettings(ack_wait_s=2, retry_base_s=0.05, retry_cap_s=1, drain_s=5))
    client = await nats.connect(nats_server.url, max_reconnect_attempts=-1, reconnect_time_wait=1)
    js = client.jetstream()
    await provision(js, settings.bus)
    yield Bus(nats_server, client, js, keys_folder, settings)
    await client.close()
