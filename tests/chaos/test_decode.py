"""``kill -9`` of the worker while its model writes: what it had written is nowhere, and its successor writes it all."""

import asyncio
import re
import time
import urllib.request
from collections.abc import Callable

import psutil
import pytest

from chaos.faults import LONG_OPTION, WRITES, Row, aftermath, submit
from chaos.hosted_mesh import HostedMesh
from chaos.scripted_cloud import ScriptedCloud
from harness import eventually
from hybridmesh.bus.client import Mesh
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.tasks import TaskCompleted
from mesh_kills import end_of

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.short,
    pytest.mark.model,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]


_RUNNING = re.compile(r"hybridmesh_model_running\{[^}]*\} (\d+)")
_WRITTEN = re.compile(r"hybridmesh_model_write_tokens_s\{[^}]*\} ([\d.]+)")


def figure(pid: int, of: re.Pattern[str]) -> float:
    """Return a figure of a worker's model as it is now, from where that process tells its metrics."""
    places = psutil.Process(pid).net_connections("tcp")
    (port,) = (place.laddr.port for place in places if place.status == psutil.CONN_LISTEN)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        told = of.search(page.read().decode())
    assert told is not None
    return float(told[1])


async def test_a_worker_killed_while_it_writes_leaves_nothing_half_made(
    mesh: HostedMesh, client: Mesh, cloud: ScriptedCloud, report: Callable[[Row], None]
) -> None:
    """Nothing is lost; Nothing is hidden: the step is delivered again, drafted once, and is whole."""
    replica = mesh.replicas["worker"]
    if figure(replica.pid, _WRITTEN):  # a fresh one's first token is told by its rate
        dead = replica.pid
        replica.kill()
        await mesh.back(client, "worker", dead)
    victim = replica.pid
    (task_id,) = await submit(client, 1, WRITES)

    async def writing() -> bool:
        return await asyncio.to_thread(figure, victim, _WRITTEN) > 0

    await eventually(writing, 60)
    assert figure(victim, _RUNNING) == 1
    replica.kill()
    began = time.monotonic()
    await mesh.back(client, "worker", victim)
    after = await aftermath(mesh, client, [task_id], cloud)
    report(after.row("worker: kill -9 while its model writes", began))
    after.check()
    end = await end_of(client, task_id)
    assert isinstance(end, TaskCompleted)
    assert end.result == LONG_OPTION
    events = await client.history(AuditEvent, f"*.{task_id}")
    (made,) = [event for event in events if event.action is Action.DRAFT_MADE]
    assert (made.attempt, made.facts["way"], made.facts["finish"], made.facts["incomplete"]) == (
        1, "model", "stop", False,
    )  # fmt: skip
