"""The bus dies, stays away, runs out of disk, and loses what it had stored."""

import asyncio
import os
import signal
import time
from collections.abc import Callable

import pytest

from chaos.faults import ASKS, Row, aftermath, mail, submit
from chaos.hosted_mesh import HostedMesh
from chaos.scripted_cloud import ScriptedCloud
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.errors import MeshUnavailable

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.model,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="session"),
]

TASKS = 6
AWAY_S = 60.0


@pytest.mark.parametrize("away_s", [pytest.param(0.0, marks=pytest.mark.short), AWAY_S])
async def test_the_bus_is_killed(
    away_s: float, mesh: HostedMesh, client: Mesh, cloud: ScriptedCloud, report: Callable[[Row], None]
) -> None:
    """Nothing is lost: what it had acknowledged it still has, and what a client could not submit goes out later."""
    assert mesh.server is not None
    ids = await submit(client, TASKS)
    began = time.monotonic()
    os.kill(mesh.server.pid, signal.SIGKILL)
    if away_s:
        with pytest.raises(MeshUnavailable):
            await client.submit("Sort this mail.", inputs=mail(TASKS), workflow=ASKS)
        ids += outbox_of(mesh)
        await asyncio.sleep(max(0.0, away_s - (time.monotonic() - began)))
    await asyncio.to_thread(mesh.server.restart)
    if away_s:
        async with mesh.client():  # sends what waits in the outbox, as every new client does
            pass
    after = await aftermath(mesh, client, ids, cloud, patience_s=120)
    report(after.row(f"bus: kill -9, back after {away_s:.0f} s", began))
    after.check()
    assert after.outcomes == {"completed": len(ids)}


def outbox_of(mesh: HostedMesh) -> list[str]:
    """Return the tasks that the bus has not acknowledged."""
    return [path.stem for path in (mesh.folder / "outbox").glob("*.json")]
