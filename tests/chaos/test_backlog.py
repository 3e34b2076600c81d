"""Thousands of tasks wait: what each agent takes of memory does not grow with them."""

import asyncio
import time
from collections.abc import Callable

import pytest

from chaos.faults import Row
from chaos.scales import Scales, ends_of
from chaos.scripted_cloud import ScriptedCloud
from chaos.test_many import all_ended, submit_all
from mesh_process import MeshProcess

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.long,
    pytest.mark.model,
    pytest.mark.timeout(6 * 3600),
    pytest.mark.asyncio(loop_scope="session"),
]

WARM_UP = 200
MOST_GROWTH = 1.10


async def test_memory_is_flat_while_tasks_wait(
    own_mesh: MeshProcess, cloud: ScriptedCloud, tasks: int, report: Callable[[Row], None]
) -> None:
    """It runs on what you have: a backlog lies on the disk of the bus, not in the memory of the agents."""
    async with own_mesh.client() as client:
        await submit_all(client, WARM_UP)
        await all_ended(client, WARM_UP)
        scales = Scales(own_mesh)
        weighing = asyncio.create_task(scales.weigh())
        began = time.monotonic()
        await submit_all(client, tasks)
        submitted_s = time.monotonic() - began
        await all_ended(client, WARM_UP + tasks)
        took_s = time.monotonic() - began
        weighing.cancel()
    growths: dict[str, float] = {}
    for name, readings in scales.readings.items():
        first, last = ends_of(readings.memory)
        growths[name] = last / first
        note = f"{first:.0f} to {last:.0f} MiB ({growths[name] - 1:+.1%})"
        report(Row(f"backlog: {name}", tasks, tasks, 0, 0, note=note))
    report(Row("backlog: all", tasks, tasks, 0, 0, took_s, f"submitted in {submitted_s:.0f} s"))
    assert max(growths.values()) <= MOST_GROWTH
