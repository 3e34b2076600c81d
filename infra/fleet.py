"""Keeps child processes alive: starts them, restarts one that dies with a growing delay, and drains them all."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmesh.infra.parent_death import die_with_parent

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_GOOD_RUN_S = 10.0  # a child that lived this long was at work, and starts over with the first delay


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep alive; its output goes to ``log``."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path


Tell = Callable[[str], None]


class Fleet:
    """A set of children; ``tell`` hears one plain line whenever something happens to one."""

    def __init__(self, tell: Tell, *, grace_s: float) -> None:
        self._tell = tell
        self._grace_s = grace_s
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = False
        self._renewing: dict[str, asyncio.Event] = {}

    def add(self, child: Child) -> None:
        """Start a child and keep it alive."""
        self._keepers.append(asyncio.create_task(self._keep(child)))

    def pids(self) -> dict[str, int]:
        """Return the process id of each child that runs."""
        return {name: process.pid for name, process in self._processes.items() if process.returncode is None}

    async def renew(self, names: Collection[str], change: Callable[[], Awaitable[None]]) -> None:
        """Drain these children, make a change while none of them runs, and start them again."""
        changed = asyncio.Event()
        self._renewing.update(dict.fromkeys(names, changed))
        try:
            await self._drain([process for name, process in self._processes.items() if name in names])
            await change()
        finally:
            for name in names:
                self._renewing.pop(name, None)
            changed.set()

    async def stop(self) -> None:
        """Ask every child to drain; end those that are not gone within the grace time."""
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        await self._drain(list(self._processes.values()))
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def _drain(self, processes: Sequence[asyncio.subprocess.Process]) -> None:
        running = [process for process in processes if process.returncode is None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        if running:
            waiting = [asyncio.create_task(process.wait()) for process in running]
            _, late = await asyncio.wait(waiting, timeout=self._grace_s)
            if late:
                for process in running:
                    if process.returncode is None:
                        process.kill()
                await asyncio.gather(*late)

    async def _keep(self, child: Child) -> None:
        delay = _FIRST_DELAY_S
        while not self._stopping:
            started = time.monotonic()
            process = await self._start(child)
            code = await process.wait()
            if self._stopping:
                return
            if (changed := self._renewing.get(child.name)) is not None:
                await changed.wait()
                continue
            if time.monotonic() - started > _GOOD_RUN_S:
                delay = _FIRST_DELAY_S
            self._tell(f"{child.name} ended with code {code}; starting it again in {delay:.1f} s (see {child.log})")
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_S)

    async def _start(self, child: Child) -> asyncio.subprocess.Process:
        child.log.parent.mkdir(parents=True, exist_ok=True)
        with child.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *child.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(child.environment),
                start_new_session=True,  # a Ctrl-C in the shell reaches the supervisor alone, which then drains
                preexec_fn=die_with_parent,
            )
        self._processes[child.name] = process
        return process


def python_command(*words: str) -> list[str]:
    """Return a command that runs this program with other words, whatever folder it is started in."""
    return [sys.executable, "-P", "-m", "hybridmesh.infra", *words]
