"""Every role is replaced while tasks run: the new process is there before the old one is asked to drain."""

import asyncio
import time
from collections.abc import Callable

import pytest

from chaos.faults import Row, aftermath, submit
from chaos.hosted_mesh import HostedMesh
from chaos.scripted_cloud import ScriptedCloud
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.topology import AGENTS

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.model,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="session"),
]

PAUSE_S = 0.4
# Its folder has one owner: the new process waits for the old one to let go of it.
ONE_AT_A_TIME = "memory"


async def test_a_rolling_restart_of_every_role_under_load(
    mesh: HostedMesh, client: Mesh, cloud: ScriptedCloud, report: Callable[[Row], None]
) -> None:
    """Nothing is lost: an update of every process, one after the other, is not seen by any task."""
    ids: list[str] = []
    done = asyncio.Event()

    async def load() -> None:
        while not done.is_set():
            ids.extend(await submit(client, 1))
            await asyncio.sleep(PAUSE_S)

    loading = asyncio.create_task(load())
    codes: dict[str, int] = {}
    for agent in AGENTS:
        old = mesh.replicas.pop(agent)
        if agent == ONE_AT_A_TIME:
            codes[agent] = await old.retire()
        new = await mesh.add(agent)
        await mesh.ready(client, new.name)
        if agent != ONE_AT_A_TIME:
            codes[agent] = await old.retire()
    done.set()
    await loading
    began = time.monotonic()
    after = await aftermath(mesh, client, ids, cloud)
    report(after.row("rolling restart of every role", began, note=f"{cloud.asked} calls"))
    after.check()
    assert after.outcomes == {"completed": len(ids)}
    assert codes == dict.fromkeys(AGENTS, 0)
    assert cloud.answered.total() == len(ids)
