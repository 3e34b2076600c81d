"""Fixtures of all levels: a real NATS server, provisioned from the topology, and identities for every agent."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer  # type: ignore[import-untyped]  # it ships no types
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # nor here

from harness import Bus
from hybridmesh.bus.connection import open_connection
from hybridmesh.bus.identity import create_identities
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.bus.topology import TOPOLOGY
from hybridmesh.infra.nats.server import NatsServer
from short_lived import short_lived

# How long one example takes is a matter of the machine; what hangs is stopped by the limit of its test.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

NAMES = tuple(row.agent for row in TOPOLOGY)


class ByModule(LoadScopeScheduling):  # type: ignore[misc]  # so its base is anything
    """A module goes to one worker, and all that run language models to the same: each takes memory and every core."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return "models" if module.startswith("tests/connected/test_models_") else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByModule | None:
    """Give out the tests as above where ``--dist loadfile`` is asked for."""
    return ByModule(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Identities of all agents."""
    folder = tmp_path_factory.mktemp("keys")
    create_identities(folder, NAMES)
    return folder


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A real server of its own for each test."""
    with short_lived(tmp_path / "nats") as server:
        yield server


@pytest.fixture(scope="session")
def settings_of_bus() -> MeshSettings:
    """Short times, as the tests wait them out."""
    return MeshSettings(bus=BusSettings(ack_wait_s=2, retry_base_s=0.05, retry_cap_s=1, drain_s=5))


@pytest.fixture(scope="session")
def provisioned(settings_of_bus: MeshSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server with every stream, consumer and bucket of the topology."""
    folder = tmp_path_factory.mktemp("provisioned")

    async def fill(url: str) -> None:
        client = await nats.connect(url)
        await provision(client.jetstream(), settings_of_bus.bus)
        await client.close()

    with NatsServer(folder) as server:
        asyncio.run(fill(server.url))
    return folder


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whoever seeks a server give up soon: what is said then is asked here, and not how long it hoped."""
    monkeypatch.setattr("hybridmesh.bus.client._CONNECT_TIMEOUT_S", 1.0)
    monkeypatch.setattr("hybridmesh.infra.provision._CONNECT_TIMEOUT_S", 1.0)
    monkeypatch.setattr("hybridmesh.bus.publisher._ACK_TIMEOUT_S", 1.0)
    monkeypatch.setattr("hybridmesh.bus.publisher._KEEP_ON_S", 2.0)


@pytest.fixture
async def bus(
    provisioned: Path,
    settings_of_bus: MeshSettings,
    keys_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Bus]:
    """A real server of its own for each test, with every stream, consumer and bucket of the topology."""
    # So long, at most, a work loop that is stopped waits for a message that does not come.
    monkeypatch.setattr("hybridmesh.bus.work._FETCH_TIMEOUT_S", 0.25)
    with short_lived(tmp_path / "nats", template=provisioned) as server:
        async with open_connection([server.url], "publisher", None, None, within_s=10) as client:
            yield Bus(server, client, client.jetstream(), keys_folder, settings_of_bus)
