"""Keys that are rotated while ``hybridmesh up`` runs: it takes them by itself, with work under way."""

import pytest

from harness import eventually
from hybridmesh.bus.client import connect
from hybridmesh.bus.topology import AGENTS
from hybridmesh.schemas.tasks import TaskCompleted
from mesh_process import MeshProcess, present

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.timeout(180)]

GOAL, MAIL = "Write a short reply to this mail.", {"mail": "My line is down.\nJane Miller\n"}


async def test_a_mesh_that_runs_takes_rotated_keys_and_new_tenants(mesh: MeshProcess) -> None:
    """Nothing is lost, no one gets in: agents drain under the old key, and begin anew under the new one."""
    before, said = {name: process.pid for name, process in mesh.processes().items()}, len(mesh.said)
    async with mesh.client() as client:
        task_id = await client.submit(GOAL, inputs=MAIL)
    names = ("worker", "consultant", "publisher")
    done = mesh.run("bus", "keys", "--tenant", "umbra", *(word for name in names for word in ("--rotate", name)))
    assert done.returncode == 0, done.stderr

    async def taken() -> bool:
        told = [line for line in mesh.said[said:].splitlines() if line.startswith("new keys taken:")]
        return all(name in " ".join(told) for name in (*names, "submitter-umbra"))

    await eventually(taken, 60)
    async with mesh.client() as client:

        async def back() -> bool:
            now = {name: mesh.processes().get(name) for name in ("worker", "consultant")}
            there = await present(client)
            return all(process is not None and process.pid in there for process in now.values())

        await eventually(back, 90)
        assert isinstance(await client.result(task_id, timeout_s=90), TaskCompleted)
    async with connect(data=mesh.data, role="submitter-umbra") as tenant:
        task_id = await tenant.submit(GOAL, inputs=MAIL)
    async with mesh.client() as client:
        assert isinstance(await client.result(task_id, timeout_s=90), TaskCompleted)
    after = {name: process.pid for name, process in mesh.processes().items()}
    assert {name for name in ("nats", *AGENTS) if before[name] != after[name]} == {"worker", "consultant"}
    assert "ended with code" not in mesh.said[said:]
