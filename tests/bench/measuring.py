"""How a task is timed: one after the other for its latency, many at once for the rate, with what they cost."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import psutil
from nats.js import JetStreamContext

from hybridmesh.bus.topology import CHECKPOINTS, Bucket

Task = Callable[[], Awaitable[None]]  # runs one task to its end

# Written once in a while, whatever the tasks do.
_BACKGROUND = (CHECKPOINTS.name, f"KV_{Bucket.AGENTS}")
_SETTLE_S = 0.3  # a subscriber hears of a task's end a moment before its stream counts it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many tasks: to warm up, one after the other, and with ``width`` under way at a time."""

    warm: int
    sequential: int
    concurrent: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured of one kind of task.

    CPU times are a task's mean over the concurrent part, of every client and agent and of the server; ``stored`` is
    how many messages a task adds to each stream or bucket, each one synced to disk.
    """

    name: str
    p50_ms: float
    p99_ms: float
    tasks_per_s: float
    process_cpu_ms: float
    server_cpu_ms: float
    stored: dict[str, float]

    @property
    def writes(self) -> float:
        """How many synced writes a task takes."""
        return sum(self.stored.values())


async def measure(
    name: str, task: Task, sizes: Sizes, js: JetStreamContext, server_pid: int, others: Sequence[int] = ()
) -> Figures:
    """Warm up, time the tasks, and count what they stored; ``others`` are processes that work beside this one."""
    await run_many(task, sizes.warm, sizes.width)
    times = [await _timed(task) for _ in range(sizes.sequential)]
    before = await _stored(js)
    cpu, server_cpu, start = _cpus_s(others), _cpu_s(server_pid), time.perf_counter()
    await run_many(task, sizes.concurrent, sizes.width)
    took_s = time.perf_counter() - start
    cpu, server_cpu = _cpus_s(others) - cpu, _cpu_s(server_pid) - server_cpu
    after = await _stored(js)
    grown = {stream: (last - before.get(stream, 0)) / sizes.concurrent for stream, last in sorted(after.items())}
    return Figures(
        name=name,
        p50_ms=round(percentile(times, 0.5) * 1e3, 2),
        p99_ms=round(percentile(times, 0.99) * 1e3, 2),
        tasks_per_s=round(sizes.concurrent / took_s, 1),
        process_cpu_ms=round(cpu / sizes.concurrent * 1e3, 2),
        server_cpu_ms=round(server_cpu / sizes.concurrent * 1e3, 2),
        stored={stream: round(more, 2) for stream, more in grown.items() if more},
    )


async def run_many(task: Task, count: int, width: int) -> None:
    """Run tasks with ``width`` of them under way at any time."""
    left = iter(range(count))

    async def lane() -> None:
        for _ in left:
            await task()

    async with asyncio.TaskGroup() as lanes:
        for _ in range(width):
            lanes.create_task(lane())


def percentile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that ``part`` of all values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


async def _timed(task: Task) -> float:
    start = time.perf_counter()
    await task()
    return time.perf_counter() - start


async def _stored(js: JetStreamContext) -> dict[str, int]:
    await asyncio.sleep(_SETTLE_S)
    infos = {str(info.config.name): info.state.last_seq for info in await js.streams_info()}
    return {name: last for name, last in infos.items() if name not in _BACKGROUND}


def _cpus_s(others: Sequence[int]) -> float:
    return time.process_time() + sum(map(_cpu_s, others))


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system
