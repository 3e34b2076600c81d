"""Processes that are stopped, starved of memory, or lose the child that they depend on."""

import asyncio
import time
from collections.abc import Callable

import psutil
import pytest

from chaos.conftest import ACK_WAIT_S
from chaos.faults import STAYS, WRITES, Row, aftermath, submit
from chaos.hosted_mesh import HostedMesh
from chaos.scripted_cloud import ScriptedCloud
from harness import eventually
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.topology import TOPOLOGY

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.model,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]

TASKS = 6
WORKERS = tuple(row.agent for row in TOPOLOGY if row.consumes and row.agent != "memory")


@pytest.mark.parametrize(
    "agent", [pytest.param(agent, marks=[pytest.mark.short] if agent == "worker" else []) for agent in WORKERS]
)
async def test_an_agent_that_stands_still_for_twice_the_ack_wait(
    agent: str, mesh: HostedMesh, client: Mesh, cloud: ScriptedCloud, report: Callable[[Row], None]
) -> None:
    """Nothing is lost: another replica does what the stopped one had, and what that says afterwards changes nothing."""
    stopped, second = mesh.replicas[agent], await mesh.add(agent, 2)
    await mesh.ready(client, second.name)
    process = psutil.Process(stopped.pid)
    # Whichever of the two is first to say what follows from its work: its message goes out, its acknowledgement not.
    sprung = mesh.proxies[agent].set_trap(lambda frame: frame.told, process.suspend, cuts=False)
    try:
        began = time.monotonic()
        ids = await submit(client, TASKS)
        await sprung.wait()
        await asyncio.sleep(2 * ACK_WAIT_S)
    finally:
        process.resume()
    after = await aftermath(mesh, client, ids, cloud)
    report(after.row(f"{agent}: SIGSTOP for twice the ack wait", began))
    assert await second.retire() == 0
    del mesh.replicas[second.name]
    after.check()
    assert after.outcomes == {"completed": TASKS}


@pytest.mark.short
async def test_the_engine_of_the_memory_is_killed(
    mesh: HostedMesh, client: Mesh, cloud: ScriptedCloud, report: Callable[[Row], None]
) -> None:
    """Nothing is lost: with its engine gone the memory starts another, and no task waits for it in vain."""
    memory = psutil.Process(mesh.replicas["memory"].pid)
    (engine,) = memory.children()
    ids = await submit(client, TASKS)
    began = time.monotonic()
    engine.kill()
    after = await aftermath(mesh, client, [*ids, *await submit(client, TASKS, STAYS)], cloud)

    async def back() -> bool:
        children = psutil.Process(mesh.replicas["memory"].pid).children()
        return bool(children) and children[0].pid != engine.pid

    await eventually(back, 60)
    report(after.row("Qdrant engine: kill -9", began))
    after.check()
    assert after.outcomes == {"completed": 2 * TASKS}


async def test_a_worker_without_memory_to_spare(
    mesh: HostedMesh, client: Mesh, cloud: ScriptedCloud, report: Callable[[Row], None]
) -> None:
    """Nothing is lost: a worker that gets no more memory ends or refuses, and its task ends all the same."""
    worker = mesh.replicas["worker"]
    starved = psutil.Process(worker.pid)
    began = time.monotonic()
    starved.rlimit(psutil.RLIMIT_AS, (1, 1))  # nothing more than it has
    ids = [
        await client.submit(
            "Write a long reply to this mail.", workflow=WRITES, inputs={"mail": f"My line {number} is down. " * 300}
        )
        for number in range(2)
    ]
    after = await aftermath(mesh, client, ids, cloud)
    died = not starved.is_running()
    report(after.row("worker: RLIMIT_AS", began, note="it died" if died else "it lived"))
    if not died:  # or it would stay short of memory for who comes next
        worker.kill()
        await mesh.back(client, "worker", starved.pid)
    after.check()
    assert died, "the limit was not felt"
