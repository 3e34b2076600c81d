"""Thousands of tasks, and every two seconds a ``kill -9`` of whatever process chance picks, the bus among them."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import nats.errors
import psutil
import pytest

from chaos.faults import ASKS, STAYS, Row, mail
from chaos.scripted_cloud import ScriptedCloud, twice
from hybridmesh.agents.auditor.audit_stream import LogReader
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.errors import MeshBusy, MeshError, MeshUnavailable
from hybridmesh.bus.topology import AGENTS, AUDIT, RESULTS
from hybridmesh.infra.audit_check import verify_log
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed
from mesh_kills import NATS, attempt_of
from mesh_process import MeshProcess

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.long,
    pytest.mark.model,
    pytest.mark.timeout(6 * 3600),
    pytest.mark.asyncio(loop_scope="session"),
]

KILL_EVERY_S = 2.0
ASKING = 10  # one task in so many asks the cloud
AT_ONCE = 4
STANDSTILL_S = 300.0


@dataclass(slots=True)
class Chance:
    """Kills one process after the other until it is stopped; ``kills`` counts by name."""

    mesh: MeshProcess
    seed: int
    kills: Counter[str] = field(default_factory=Counter[str])

    async def rage(self) -> None:
        """Kill, wait, and so on."""
        pick = random.Random(self.seed)
        while True:
            await asyncio.sleep(KILL_EVERY_S)
            name = pick.choice((*AGENTS, NATS))
            with contextlib.suppress(psutil.NoSuchProcess):
                if (victim := self.mesh.processes().get(name)) is not None:
                    victim.kill()
                    self.kills[name] += 1


async def submit_all(client: Mesh, tasks: int) -> None:
    """Submit every task once; what the bus does not take stays in the outbox, and goes out in the end."""
    numbers = iter(range(tasks))

    async def some() -> None:
        for number in numbers:
            workflow = STAYS if number % ASKING else ASKS
            while True:
                try:
                    await client.submit("Sort this mail.", inputs=mail(number), workflow=workflow)
                except MeshBusy as busy:
                    await asyncio.sleep(busy.retry_after_s)
                    continue
                except MeshUnavailable:
                    pass
                break

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def empty_outbox(client: Mesh) -> None:
    """Send what waits until the bus has all of it."""
    while True:
        try:
            await client.send_waiting()
        except MeshError:
            await asyncio.sleep(1)
        else:
            return


async def all_ended(client: Mesh, tasks: int) -> None:
    """Wait until there are so many ends, or no new one for a long while."""
    seen, moved = -1, time.monotonic()
    while seen < tasks and time.monotonic() - moved < STANDSTILL_S:
        await asyncio.sleep(1)
        with contextlib.suppress(nats.errors.Error, TimeoutError):
            now = (await client.links.js.stream_info(RESULTS.name)).state.messages
            if now != seen:
                seen, moved = now, time.monotonic()


async def settlements(client: Mesh) -> Counter[tuple[str | None, str | None, int]]:
    """Count what was booked for each attempt."""
    found: Counter[tuple[str | None, str | None, int]] = Counter()
    async for entry in LogReader(client.links.js, AUDIT).read_all():
        event = AuditEvent.model_validate_json(entry.body)
        if event.action is Action.SPEND_SETTLED:
            found[attempt_of(event)] += 1
    return found


async def test_a_kill_every_two_seconds_loses_no_task(
    own_mesh: MeshProcess, cloud: ScriptedCloud, tasks: int, report: Callable[[Row], None]
) -> None:
    """Nothing is lost, nothing done twice: every task has one end, every call one answer, and the log is whole."""
    chance = Chance(own_mesh, seed=tasks)
    began = time.monotonic()
    async with own_mesh.client() as client:
        raging = asyncio.create_task(chance.rage())
        await submit_all(client, tasks)
        await empty_outbox(client)
        await all_ended(client, tasks)
        raging.cancel()
        took_s = time.monotonic() - began
        await asyncio.sleep(10)  # what the last kill left under way
        good, bad = await client.history(TaskCompleted, ">"), await client.history(TaskFailed, ">")
        ends = Counter(end.task_id for end in (*good, *bad))
        settled = await settlements(client)
        log = await verify_log(client.links.js, client.links.ring)
    reasons = Counter(end.reason for end in bad)
    doubled = twice([*ends.values(), *settled.values(), *cloud.answered.values()])
    note = f"{chance.kills.total()} kills in {took_s:.0f} s; {len(good)} completed, {dict(reasons)}; log {log.entries}"
    report(Row("random kills", tasks, len(ends), tasks - len(ends), doubled, None, note))
    assert len(ends) == tasks
    assert doubled == 0
    assert not log.findings
    assert all(reasons)  # a step whose every try met a dead neighbour may fail, and says why
