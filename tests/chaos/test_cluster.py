"""A mesh on three NATS servers that hold every stream together, whose leaders are killed."""

import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio

from chaos.conftest import CLOUD_KEY
from chaos.faults import Row, aftermath, submit
from chaos.hosted_mesh import HostedMesh, agents_on
from chaos.nats_cluster import Cluster, nats_cluster
from chaos.scripted_cloud import ScriptedCloud
from hybridmesh.bus.topology import RESULTS, queue_stream
from hybridmesh.infra.provision import create_keys

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.model,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]

TASKS = 12
REPLICAS = 3


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three servers."""
    folder = tmp_path_factory.mktemp("cluster")
    create_keys(folder / "keys")
    with nats_cluster(folder, folder / "keys") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mesh(cluster: Cluster, settings: tuple[str, ...]) -> AsyncIterator[HostedMesh]:
    """Every agent, with all three servers as its bus."""
    folder = next(iter(cluster.servers.values())).config.parent
    async with agents_on(cluster.url, folder, settings, CLOUD_KEY, replicas=REPLICAS) as running:
        yield running


async def leader_of(mesh: HostedMesh, stream: str) -> str:
    """Return the server that leads a stream, which all three hold."""
    async with mesh.insight() as js:
        info = await js.stream_info(stream)
    assert info.config.num_replicas == REPLICAS
    assert info.cluster is not None
    assert info.cluster.leader is not None
    return info.cluster.leader


@pytest.mark.parametrize("stream", [queue_stream("router"), RESULTS.name])
async def test_the_leader_of_a_stream_is_killed(
    stream: str, cluster: Cluster, mesh: HostedMesh, cloud: ScriptedCloud, report: Callable[[Row], None]
) -> None:
    """Nothing is lost: the two servers that are left have all that was acknowledged, and go on."""
    async with mesh.client() as client:
        await mesh.ready(client)
        ids = await submit(client, TASKS // 2)
        leader = cluster.servers[await leader_of(mesh, stream)]
        began = time.monotonic()
        leader.end()
        ids += await submit(client, TASKS // 2)
        after = await aftermath(mesh, client, ids, cloud, patience_s=150)
        leader.start()
    report(after.row(f"cluster of three: the leader of {stream} killed", began))
    after.check()
    assert after.outcomes == {"completed": TASKS}
