"""What each agent takes of memory and file handles while a long run goes on, and how much more in the end."""

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from hybridmesh.bus.topology import AGENTS
from mesh_process import MeshProcess

LOOK_S = 2.0


@dataclass(slots=True)
class Readings:
    """Resident memory in MiB, and how many files and sockets were open."""

    memory: list[float] = field(default_factory=list[float])
    handles: list[float] = field(default_factory=list[float])


class Scales:
    """Weighs each agent, and the bus if asked to, again and again."""

    def __init__(self, mesh: MeshProcess, *others: str) -> None:
        self._processes = {name: it for name, it in mesh.processes().items() if name in (*AGENTS, *others)}
        self.readings: dict[str, Readings] = {name: Readings() for name in self._processes}

    async def weigh(self) -> None:
        """Note what each holds, for ever."""
        while True:
            for name, process in self._processes.items():
                with process.oneshot():
                    self.readings[name].memory.append(process.memory_info().rss / 2**20)
                    self.readings[name].handles.append(process.num_fds())
            await asyncio.sleep(LOOK_S)


def ends_of(values: Sequence[float]) -> tuple[float, float]:
    """Return the medians of the first and of the last quarter."""
    quarter = max(1, len(values) // 4)
    return statistics.median(values[:quarter]), statistics.median(values[-quarter:])
