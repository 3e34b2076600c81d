"""How long one tenant's task waits behind another's two thousand, on a real bus with handlers that do nothing."""

import os
import statistics
import time

import pytest
from rich.console import Console

from bench.reporting import surroundings, write_report
from fair_bus import Desk, deciding, flood, submission
from harness import Bus, eventually
from hybridmesh.bus.links import Links
from hybridmesh.schemas.tasks import TaskSubmitted

FLOOD = 2000
WORK_S = 0.02  # a task, of which eight are done at a time
ROUNDS = 5

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]


async def test_one_task_behind_two_thousand(bus: Bus) -> None:
    """Nothing is lost: what a tenant waits for is what is under way, and not what another has waiting."""
    load = os.getloadavg()[0]
    links = await bus.links("publisher")
    waits: dict[str, list[float]] = {"alone": [], "behind": [], "behind, in the same lane": []}
    async with deciding(bus, work_s=WORK_S) as desk:
        for _ in range(ROUNDS):
            waits["alone"].append(await _wait(desk, links, submission("globex")))
        await flood(links, "acme", FLOOD)
        for _ in range(ROUNDS):
            waits["behind"].append(await _wait(desk, links, submission("globex")))
        left = FLOOD + 2 * ROUNDS - len(desk.order)
        assert left > FLOOD / 2, "the flood was over before it was measured"
        waits["behind, in the same lane"].append(await _wait(desk, links, submission("acme")))
    medians = {name: round(statistics.median(found) * 1000) for name, found in waits.items()}
    for name, milliseconds in medians.items():
        Console().print(f"{name}: {milliseconds} ms")
    what = {"flood": FLOOD, "work_ms": WORK_S * 1000, "under_way": bus.settings.plans.under_way}
    write_report("fair_shares", {**surroundings(load), **what, "median_wait_ms": medians})


async def _wait(desk: Desk, links: Links, task: TaskSubmitted) -> float:
    """Return the seconds from a task's submission to its end."""
    begun = time.perf_counter()
    await links.publisher.publish(task)

    async def ended() -> bool:
        return task.task_id in desk.ended_at

    await eventually(ended, timeout=60)
    return desk.ended_at[task.task_id] - begun
