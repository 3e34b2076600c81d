"""How long work stands still when the only worker is killed, at an ack wait that leaves time for its successor."""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from chaos.conftest import CLOUD_KEY
from chaos.faults import STAYS, Row, aftermath, submit
from chaos.hosted_mesh import HostedMesh, hosted_mesh
from chaos.scripted_cloud import ScriptedCloud

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.model,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="session"),
]

ACK_WAIT_S = 10.0
KILLS = 3


@pytest_asyncio.fixture(loop_scope="session")
async def patient_mesh(settings: tuple[str, ...], tmp_path: Path) -> AsyncIterator[HostedMesh]:
    """A mesh of its own."""
    async with hosted_mesh(tmp_path, (*settings, f"bus.ack_wait_s={ACK_WAIT_S}"), CLOUD_KEY) as running:
        yield running


async def test_the_only_worker_is_killed(
    patient_mesh: HostedMesh, cloud: ScriptedCloud, report: Callable[[Row], None]
) -> None:
    """Nothing is lost: what the dead worker had in its hands is done within the ack wait and two seconds."""
    mesh = patient_mesh
    took: list[float] = []
    async with mesh.client() as client:
        for _ in range(KILLS):
            worker = mesh.replicas["worker"]
            dead = worker.pid
            sprung = mesh.proxies["worker"].set_trap(lambda frame: frame.told, worker.kill)
            ids = await submit(client, 1, STAYS)
            await sprung.wait()
            began = time.monotonic()
            after = await aftermath(mesh, client, ids, cloud)
            after.check()
            took.append(after.ended_at - began)
            await mesh.back(client, "worker", dead)
    report(Row(f"the only worker, ack wait {ACK_WAIT_S:.0f} s", KILLS, KILLS, 0, 0, max(took), "the longest"))
    assert max(took) < ACK_WAIT_S + 2
