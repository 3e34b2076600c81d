"""Which agents are alive: each writes a record that expires unless it is renewed."""

import os
import socket
from collections.abc import Sequence
from datetime import datetime

from hybridmesh.bus.agent import Clock
from hybridmesh.bus.state import State
from hybridmesh.schemas.inference import ModelLoad
from hybridmesh.schemas.message import Frozen

BEAT_S = 5.0


class Presence(Frozen):
    """One running replica of an agent; ``load`` is that of the model which writes drafts, ``loads`` are all."""

    agent: str
    instance: str
    pid: int
    since: datetime
    seen: datetime
    busy: int = 0
    handled: int = 0
    note: str = ""
    load: ModelLoad | None = None
    loads: tuple[ModelLoad, ...] = ()


class Attendance:
    """One replica's own record."""

    def __init__(self, records: State[Presence], agent: str, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        now = clock()
        instance = f"{socket.gethostname().partition('.')[0]}-{os.getpid()}"
        self._record = Presence(agent=agent, instance=instance, pid=os.getpid(), since=now, seen=now)
        self._key = f"{agent}.{instance}"

    async def renew(self, busy: int, handled: int, loads: Sequence[ModelLoad] = (), note: str = "") -> None:
        """Say that the replica lives, how much it has done, how busy its models are, and what people should know."""
        load = next((load for load in loads if "draft" in load.purposes), None)
        work = {"seen": self._clock(), "busy": busy, "handled": handled}
        changed = {**work, "load": load, "loads": tuple(loads), "note": note}
        await self._records.put(self._key, self._record.model_copy(update=changed))

    async def leave(self) -> None:
        """Take the record away."""
        await self._records.delete(self._key)
