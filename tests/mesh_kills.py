"""Kills one process after the other while tasks are under way, and says what came of the tasks."""

import asyncio
import contextlib
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import nats.errors

from harness import eventually
from hybridmesh.agents.consultant.agent import UNKNOWN
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.errors import MeshError, MeshUnavailable
from hybridmesh.bus.topology import AUDIT, RESULTS
from hybridmesh.infra.audit_check import Verification, verify_log
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed
from mesh_process import MeshProcess, present

GOAL = "Write a short reply to this mail."
NATS = "nats"
_LEAST_UNDER_WAY = 3


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: what was under way then, and how long until the process was there again."""

    name: str
    under_way: int
    recovery_s: float


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the streams hold once everything has ended: ends a task, settlements an attempt, and the log's check.

    A task whose call may have been answered goes home, and what the smallest model writes there need not pass the
    verifier; ``unexplained`` are the tasks that failed otherwise.
    """

    kills: tuple[Kill, ...]
    outcomes: Counter[str]
    ends: dict[str, int]
    settled: Counter[tuple[str | None, str | None, int]]
    unexplained: int
    log: Verification
    took_s: float

    def table(self) -> str:
        """Return the kills and the outcomes for people."""
        lines = [f"{'killed':<12} {'under way':>9} {'back in':>8}"]
        lines += [f"{kill.name:<12} {kill.under_way:>9} {kill.recovery_s:>6.1f} s" for kill in self.kills]
        ends = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        lines.append(f"{sum(self.ends.values())} ends ({ends}) in {self.took_s:.0f} s")
        return "\n".join((*lines, f"audit log {self.log.describe()}"))

    def show(self) -> None:
        """Print the table; seen with ``-s``, or when a test fails."""
        sys.stdout.write(f"\n{self.table()}\n")


async def kill_while_working(mesh: MeshProcess, victims: Sequence[str], tasks: int) -> Aftermath:
    """Spread ``tasks`` over the kills, so that some are under way at each, and wait for every end."""
    began = time.monotonic()
    async with mesh.client() as client:
        ids: list[str] = []
        open_ids: set[str] = set()
        kills: list[Kill] = []
        for number, victim in enumerate(victims):
            for _ in range(number, tasks, len(victims)):
                mail = (
                    f"My order {len(ids) + 1} has not come. Please write to jane{len(ids)}@example.com.\nJane Miller\n"
                )
                ids.append(await client.submit(GOAL, inputs={"mail": mail}))
                open_ids.add(ids[-1])
            await _let_work(client, open_ids, 0.3 + 0.2 * number)  # another place on the tasks' way each time
            kills.append(await _kill(mesh, client, victim, open_ids))
        ended = [await end_of(client, task_id) for task_id in ids]
        await eventually(lambda: quiet(client), 60)
        outcomes = Counter("completed" if isinstance(end, TaskCompleted) else end.reason for end in ended)
        events = [event for task_id in ids for event in await client.history(AuditEvent, f"*.{task_id}")]
        sent_home = {event.task_id for event in events if event.facts.get("outcome") == UNKNOWN}
        return Aftermath(
            kills=tuple(kills),
            outcomes=outcomes,
            ends={task_id: await ends_of(client, task_id) for task_id in ids},
            settled=Counter(attempt_of(event) for event in events if event.action is Action.SPEND_SETTLED),
            unexplained=sum(isinstance(end, TaskFailed) and end.task_id not in sent_home for end in ended),
            log=await verify_log(client.links.js, client.links.ring),
            took_s=time.monotonic() - began,
        )


def attempt_of(event: AuditEvent) -> tuple[str | None, str | None, int]:
    """Return which attempt of which step an event is about."""
    return event.task_id, event.step_id, event.attempt


async def _let_work(client: Mesh, open_ids: set[str], pause_s: float) -> None:
    """Wait for the pause, but not until all is done: a kill in an idle mesh would show nothing."""
    end = time.monotonic() + pause_s
    while time.monotonic() < end and await _under_way(client, open_ids) > _LEAST_UNDER_WAY:
        await asyncio.sleep(0.05)


async def _under_way(client: Mesh, open_ids: set[str]) -> int:
    """Drop the tasks that have ended, and count the others: to ask for all each time takes longer than a task does."""
    for task_id in tuple(open_ids):
        if await client.ended(task_id) is not None:
            open_ids.discard(task_id)
    return len(open_ids)


async def _kill(mesh: MeshProcess, client: Mesh, victim: str, open_ids: set[str]) -> Kill:
    under_way = await _under_way(client, open_ids)
    process = mesh.processes()[victim]
    began = time.monotonic()
    process.kill()

    async def back() -> bool:
        successor = mesh.processes().get(victim)
        if successor is None or successor.pid == process.pid:
            return False
        try:
            return (victim == NATS and client.links.client.is_connected) or successor.pid in await present(client)
        except (MeshError, nats.errors.Error, TimeoutError):
            return False

    await eventually(back, 60)
    return Kill(victim, under_way, time.monotonic() - began)


async def end_of(client: Mesh, task_id: str, timeout_s: float = 120) -> TaskCompleted | TaskFailed:
    """Poll, since what is only heard may be missed while the server is away; raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while True:
            with contextlib.suppress(MeshUnavailable):
                if (ended := await client.ended(task_id)) is not None:
                    return ended
            await asyncio.sleep(0.1)


async def ends_of(client: Mesh, task_id: str) -> int:
    """Count the ends that are stored for a task."""
    found = [await client.history(kind, f"*.{task_id}") for kind in (TaskCompleted, TaskFailed)]
    return sum(map(len, found))


async def quiet(client: Mesh) -> bool:
    """Say whether nothing is on its way any more and the auditor has signed all that happened."""
    js = client.links.js
    before = (await js.stream_info(AUDIT.name)).state.last_seq, (await js.stream_info(RESULTS.name)).state.last_seq
    found = await verify_log(js, client.links.ring)
    await asyncio.sleep(1)
    after = (await js.stream_info(AUDIT.name)).state.last_seq, (await js.stream_info(RESULTS.name)).state.last_seq
    return before == after and found.covered >= found.entries
