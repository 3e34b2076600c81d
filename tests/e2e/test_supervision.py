"""``hybridmesh up`` as a supervisor: what it does when something dies, when it is to stop, and when it dies itself."""

import json

import pytest

from harness import eventually
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.topology import AGENTS, queue_stream
from hybridmesh.schemas.tasks import TaskCompleted
from mesh_process import MeshProcess, gone, present

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.timeout(180)]

GOAL, MAIL = "Write a short reply to this mail.", {"mail": "My line is down.\nJane Miller\n"}


async def works(mesh: MeshProcess) -> None:
    """Put one task through."""
    async with mesh.client() as client:
        await completes(client, await client.submit(GOAL, inputs=MAIL))


async def completes(client: Mesh, task_id: str) -> None:
    """Wait for the good end of a task."""
    ended = await client.result(task_id, timeout_s=90)
    assert isinstance(ended, TaskCompleted), ended


def test_a_program_that_starts_a_mesh_is_told_where_it_is(mesh: MeshProcess) -> None:
    """It runs on what you have: with --json one object says all that a program needs, once all of it is there."""
    up = json.loads(next(line for line in reversed(mesh.said.splitlines()) if line.startswith("{")))
    assert (up["state"], up["data"]) == ("up", str(mesh.data.resolve()))
    assert up["url"] == Endpoint.read(mesh.data).url
    assert set(up["pids"]) == {"nats", *AGENTS}


async def test_a_killed_agent_is_started_again_and_its_work_goes_on(mesh: MeshProcess) -> None:
    """Nothing is lost: what an agent had in its hands when it was killed is done by its successor."""
    async with mesh.client() as client:
        task_id = await client.submit(GOAL, inputs=MAIL)
        victim = mesh.processes()["classifier"]
        victim.kill()
        await completes(client, task_id)

        async def back() -> bool:
            successor = mesh.processes().get("classifier")
            return successor is not None and successor.pid != victim.pid and successor.pid in await present(client)

        await eventually(back, 60)
    assert "classifier ended with code -9; starting it again" in mesh.said


async def test_a_killed_bus_comes_back_on_its_port_and_store(mesh: MeshProcess) -> None:
    """Nothing is lost: what the bus had acknowledged is there after its crash, and clients find it again."""
    async with mesh.client() as client:
        task_id = await client.submit(GOAL, inputs=MAIL)
        url = Endpoint.read(mesh.data).url
        mesh.processes()["nats"].kill()
        await completes(client, task_id)
    assert Endpoint.read(mesh.data).url == url
    await works(mesh)


def test_a_second_mesh_on_the_same_folder_is_refused(mesh: MeshProcess) -> None:
    """Nothing is lost: two meshes never write to one store; the second says who has it, and what to do."""
    second = mesh.run("up")
    assert second.returncode == 2
    assert f"in use by the mesh of process {mesh.supervisor}" in second.stderr
    assert "remedy: " in second.stderr


async def test_all_end_with_a_killed_supervisor_and_the_next_one_goes_on(mesh: MeshProcess) -> None:
    """Nothing is lost: no process outlives its supervisor, and a task from before reaches its end after it."""
    async with mesh.client() as client, mesh.insight() as insight:
        worker = mesh.processes()["worker"]
        worker.suspend()  # so that the task cannot end before the kill
        try:
            task_id = await client.submit(GOAL, inputs=MAIL)

            async def under_way() -> bool:
                waiting = await insight.jetstream().stream_info(queue_stream("worker"))
                return waiting.state.messages > 0

            await eventually(under_way, 30)
            children = list(mesh.processes().values())
            mesh.kill()
        finally:
            worker.resume()
    mesh.start()  # at once, while the old processes may still be on their way out
    assert gone(children, 30) == []  # each may drain for ten seconds, and its bus is gone
    async with mesh.client() as client:
        await completes(client, task_id)


async def test_sigterm_drains_and_leaves_no_process(mesh: MeshProcess) -> None:
    """Nothing is lost: a stop finishes what is begun, ends every process, and says that it is done."""
    async with mesh.client() as client:
        await client.submit(GOAL, inputs=MAIL)
    children = list(mesh.processes().values())
    assert len(children) > len(AGENTS)
    assert mesh.stop() == 0
    assert gone(children, 1) == []
    assert mesh.said.rstrip().endswith("draining…\nstopped")
