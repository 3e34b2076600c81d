"""The mesh at work for a long time: it takes no more memory and no more file handles, and gets no slower."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncGenerator, Callable

import pytest

from chaos.faults import ASKS, STAYS, Row, mail
from chaos.scales import LOOK_S, Scales, ends_of
from chaos.scripted_cloud import ScriptedCloud
from hybridmesh.bus.client import Mesh
from hybridmesh.schemas.tasks import TaskCompleted
from mesh_kills import NATS
from mesh_process import MeshProcess

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.long,
    pytest.mark.model,
    pytest.mark.timeout(3 * 3600),
    pytest.mark.asyncio(loop_scope="session"),
]

ASKING = 10  # one task in so many asks the cloud
AT_ONCE = 4
WARM_UP = 40
MOST_MEMORY, MOST_HANDLES, LEAST_PACE = 1.10, 1.10, 0.85


@contextlib.asynccontextmanager
async def working(client: Mesh) -> AsyncGenerator[list[float]]:
    """Put tasks through, so many at a time; yields when each of them was completed."""
    completed: list[float] = []
    numbers = itertools.count()
    enough = asyncio.Event()

    async def some() -> None:
        while not enough.is_set():
            number = next(numbers)
            workflow = STAYS if number % ASKING else ASKS
            task = await client.submit("Sort this mail.", inputs=mail(number), workflow=workflow)
            assert isinstance(await client.result(task, timeout_s=120), TaskCompleted)
            completed.append(time.monotonic())

    async with asyncio.TaskGroup() as lanes:
        for _ in range(AT_ONCE):
            lanes.create_task(some())
        yield completed
        enough.set()


async def test_a_long_run_is_flat(
    own_mesh: MeshProcess, cloud: ScriptedCloud, minutes: float, report: Callable[[Row], None]
) -> None:
    """It runs on what you have: whoever leaves the mesh alone for a month finds it as it was on the first day."""
    del cloud
    async with own_mesh.client() as client, working(client) as completed:
        while len(completed) < WARM_UP:
            await asyncio.sleep(LOOK_S)
        scales, began = Scales(own_mesh, NATS), time.monotonic()
        weighing = asyncio.create_task(scales.weigh())
        await asyncio.sleep(minutes * 60)
        weighing.cancel()
        took_s = time.monotonic() - began
    paces = [sum(began + at < end <= began + at + 10 for end in completed) / 10 for at in range(0, int(took_s) - 9, 10)]
    done = sum(end > began for end in completed)
    first, last = ends_of(paces)
    report(Row("soak: all", done, done, 0, 0, took_s, f"{first:.2f} to {last:.2f} tasks/s ({last / first - 1:+.1%})"))
    worst = dict.fromkeys(("memory", "handles"), 0.0)
    for name, readings in scales.readings.items():
        memory, handles = ends_of(readings.memory), ends_of(readings.handles)
        growths = memory[1] / memory[0], handles[1] / handles[0]
        weight = f"{memory[0]:.0f} to {memory[1]:.0f} MiB ({growths[0] - 1:+.1%})"
        note = f"{weight}, {handles[0]:.0f} to {handles[1]:.0f} files"
        report(Row(f"soak: {name}", done, done, 0, 0, note=note))
        if name != NATS:  # its memory follows what it keeps, and Go's collector
            worst["memory"] = max(worst["memory"], growths[0])
        worst["handles"] = max(worst["handles"], growths[1])
    assert worst["memory"] <= MOST_MEMORY
    assert worst["handles"] <= MOST_HANDLES
    assert last / first >= LEAST_PACE
