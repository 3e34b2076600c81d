"""Thousands of tasks wait: what each agent takes of memory does not grow with them."""

import asyncio
import statistics
import time
from collections.abc import Callable

import psutil
import pytest

from chaos.faults import Row
from chaos.scripted_cloud import ScriptedCloud
from chaos.test_many import all_ended, submit_all
from hybridmesh.bus.topology import AGENTS
from mesh_process import MeshProcess

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.long,
    pytest.mark.model,
    pytest.mark.timeout(6 * 3600),
    pytest.mark.asyncio(loop_scope="session"),
]

WARM_UP = 200
LOOK_S = 2.0
MOST_GROWTH = 1.10


class Scales:
    """Weighs each agent again and again."""

    def __init__(self, mesh: MeshProcess) -> None:
        self._processes = {name: process for name, process in mesh.processes().items() if name in AGENTS}
        self.weights: dict[str, list[float]] = {name: [] for name in self._processes}

    async def weigh(self) -> None:
        """Note what each holds in memory, for ever."""
        while True:
            for name, process in self._processes.items():
                self.weights[name].append(memory_of(process))
            await asyncio.sleep(LOOK_S)


def memory_of(process: psutil.Process) -> float:
    """Return the resident memory in MiB."""
    return process.memory_info().rss / 2**20


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
    for name, weights in scales.weights.items():
        quarter = max(1, len(weights) // 4)
        first, last = statistics.median(weights[:quarter]), statistics.median(weights[-quarter:])
        growths[name] = last / first
        note = f"{first:.0f} to {last:.0f} MiB ({growths[name] - 1:+.1%})"
        report(Row(f"backlog: {name}", tasks, tasks, 0, 0, note=note))
    report(Row("backlog: all", tasks, tasks, 0, 0, took_s, f"submitted in {submitted_s:.0f} s"))
    assert max(growths.values()) <= MOST_GROWTH
