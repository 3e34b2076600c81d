"""One mesh of real processes for all tests of a worker, with the recording double as its cloud."""

import contextlib
import random
import socket
from collections.abc import Iterator

import pytest

from cloud_double import CloudDouble
from cloud_thread import cloud_thread
from hybridmesh.bus.topology import AGENTS
from mesh_process import MeshProcess

_WORKERS = 8  # at most, each with a mesh of its own
# Of ports below those that the system gives to connections: an agent that starts again finds its own free.
_BLOCKS = (2000, 3600)


@pytest.fixture(scope="session")
def cloud() -> Iterator[CloudDouble]:
    """The far end: keeps every byte that it gets."""
    with cloud_thread() as double:
        yield double


def free_block(worker: str) -> int:
    """Return the first of some ports that nobody listens on, one an agent, and that no other worker chooses."""
    mine = int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
    while True:
        block = random.randrange(*_BLOCKS, _WORKERS) + mine
        ports = range(block * len(AGENTS), (block + 1) * len(AGENTS))
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in ports:
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return ports[0]


@pytest.fixture(scope="session")
def _mesh(cloud: CloudDouble, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[MeshProcess]:
    folder = tmp_path_factory.mktemp("e2e")
    (folder / "tmp").mkdir()
    process = MeshProcess(
        folder / "data",
        ("cloud.provider=anthropic", f"cloud.base_url={cloud.url}", f"metrics.port={free_block(worker_id)}"),
        {"ANTHROPIC_API_KEY": "test", "TMPDIR": str(folder / "tmp")},
    )
    try:
        process.start()
        yield process
    finally:
        if process.running():
            process.stop()
    # Whatever the tests had the mesh do: no agent asked the bus for anything that the table does not give it.
    log = (folder / "data" / "nats" / "nats.log").read_text("utf-8")
    # A reply after a reconnect may be refused, here or to another account (_R_): the server no longer knows the
    # request, and nobody waits for it.
    refused = [line for line in log.splitlines() if "Violation" in line]
    assert [line for line in refused if "_INBOX" not in line and 'Subject "_R_.' not in line] == []


@pytest.fixture
def mesh(_mesh: MeshProcess) -> MeshProcess:
    """The running mesh; a test that ended it leaves the next one a fresh start on the same data."""
    _mesh.start()
    return _mesh
