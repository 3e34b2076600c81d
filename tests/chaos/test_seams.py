"""``kill -9`` of each agent at the three places where a process can leave half of something behind."""

import time
from collections.abc import Callable, Iterator

import pytest
from _pytest.mark.structures import ParameterSet

from chaos.faults import Row, aftermath, submit
from chaos.frame_proxy import Seam
from chaos.hosted_mesh import HostedMesh
from chaos.scripted_cloud import ScriptedCloud
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.topology import TOPOLOGY

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.model,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]

TASKS = 6
SEAMS: dict[str, Seam] = {
    "before the work": lambda frame: frame.delivered,
    "between effect and publish": lambda frame: frame.told,
    "between publish and ack": lambda frame: frame.acknowledges,
}
# Who has a queue on the way of a task.
WORKERS = tuple(row.agent for row in TOPOLOGY if row.consumes and row.agent != "memory")


def places() -> Iterator[ParameterSet]:
    """Yield each agent with each seam; who may spend money is tried with every change."""
    for agent in WORKERS:
        for seam in SEAMS:
            yield pytest.param(agent, seam, marks=[pytest.mark.short] if agent == "consultant" else [])


@pytest.mark.parametrize(("agent", "seam"), list(places()))
async def test_a_kill_at_a_seam_loses_nothing_and_does_nothing_twice(
    agent: str,
    seam: str,
    mesh: HostedMesh,
    client: Mesh,
    cloud: ScriptedCloud,
    report: Callable[[Row], None],
) -> None:
    """Nothing is lost: what the dead process had begun is done once, by its successor."""
    replica = mesh.replicas[agent]
    dead = replica.pid
    sprung = mesh.proxies[agent].set_trap(SEAMS[seam], replica.kill)
    ids = await submit(client, TASKS)
    await sprung.wait()
    began = time.monotonic()
    await mesh.back(client, agent, dead)
    after = await aftermath(mesh, client, ids, cloud)
    report(after.row(f"{agent}: kill -9 {seam}", began))
    after.check()
    assert after.outcomes == {"completed": TASKS}
