"""One mesh of real processes for most faults, a cloud that plays parts, and the table of what came of each fault."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from chaos.faults import Row, table, write_workflows
from chaos.hosted_mesh import HostedMesh, hosted_mesh
from chaos.scripted_cloud import ScriptedCloud
from hybridmesh.bus.client import Mesh
from mesh_process import MeshProcess


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the long runs be as long as there is time for."""
    parser.addoption("--tasks", type=int, default=500, help="how many tasks the long runs put through")
    parser.addoption("--minutes", type=float, default=30.0, help="how long the mesh is left at work")


_ROWS = pytest.StashKey[list[Row]]()

# A wait for what a dead or stopped process has in its hands, that leaves room to see it.
ACK_WAIT_S = 5.0
METRICS_PORT = 19_300  # of the first agent; who finds it taken looks further
CLOUD_KEY = {"ANTHROPIC_API_KEY": "test"}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cloud() -> AsyncIterator[ScriptedCloud]:
    """The far end of every mesh here."""
    scripted = ScriptedCloud()
    async with scripted.double:
        yield scripted


@pytest.fixture(scope="session")
def settings(cloud: ScriptedCloud, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """What every mesh here is started with."""
    workflows = write_workflows(tmp_path_factory.mktemp("chaos") / "workflows")
    return (
        "cloud.provider=anthropic",
        f"cloud.base_url={cloud.double.url}",
        "cloud.timeout_s=3",
        "cloud.clearance_s=20",  # and so long, at most, the consultant waits for a cloud that asks it to
        f"bus.ack_wait_s={ACK_WAIT_S}",
        f"plans.workflows={workflows}",
        "plans.stall_s=8",
        f"metrics.port={METRICS_PORT}",
    )


@pytest.fixture
def own_mesh(settings: tuple[str, ...], tmp_path: Path) -> Iterator[MeshProcess]:
    """A mesh of the test's own, under its supervisor."""
    process = MeshProcess(tmp_path / "data", settings, CLOUD_KEY)
    try:
        process.start()
        yield process
    finally:
        if process.running():
            assert process.stop() == 0


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mesh(settings: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HostedMesh]:
    """A mesh whose server the tests hold, with a proxy before each agent."""
    async with hosted_mesh(tmp_path_factory.mktemp("hosted"), settings, CLOUD_KEY) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def client(mesh: HostedMesh) -> AsyncIterator[Mesh]:
    """Who submits, with every agent there and a cloud that answers."""
    async with mesh.client() as publisher:
        await mesh.ready(publisher)
        yield publisher


@pytest.fixture
def report(request: pytest.FixtureRequest, cloud: ScriptedCloud) -> Callable[[Row], None]:
    """Where a fault's line of the table goes; the cloud forgets what it was to play."""
    cloud.play()
    return request.config.stash.setdefault(_ROWS, []).append


@pytest.fixture
def tasks(request: pytest.FixtureRequest) -> int:
    """How many tasks a long run puts through."""
    count: object = request.config.getoption("--tasks")
    assert isinstance(count, int)
    return count


@pytest.fixture
def minutes(request: pytest.FixtureRequest) -> float:
    """How long the mesh is left at work."""
    duration: object = request.config.getoption("--minutes")
    assert isinstance(duration, float)
    return duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    if rows := config.stash.get(_ROWS, None):
        terminalreporter.write_sep("=", "what came of each fault")
        terminalreporter.write_line(table(rows))
