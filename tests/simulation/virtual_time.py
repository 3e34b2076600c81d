"""An event loop in virtual time: nothing is waited for, and a process of the simulated mesh can be frozen.

It runs tasks first in, first out, as asyncio promises; what order the world gives to events is the bus' business
(``bus.py``), which answers after times drawn from the schedule's random source.
"""

import asyncio
import contextlib
import contextvars
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar, TypeVarTuple, Unpack, cast

START = datetime(2026, 1, 1, tzinfo=UTC)  # what every clock shows when a schedule begins, but for those that are wrong

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Process:
    """What one replica runs in: frozen it stands still in the midst of what it does, as after SIGSTOP or SIGKILL.

    ``skew_s`` is how wrong its clock is. ``gone`` says that it was killed, and will never go on; one that is not
    ``mortal`` stands for many programs, and none of that happens to it.
    """

    def __init__(self, name: str, *, mortal: bool = True) -> None:
        self.name = name
        self.mortal = mortal
        self.skew_s = 0.0
        self.frozen = False
        self.gone = False
        self.held: list[_Call] = []
        self.pulls: list[Any] = []  # its open fetches, which end with its connection
        self.context = contextvars.copy_context()
        self.context.run(_PROCESS.set, self)


_PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)
OUTSIDE = contextvars.Context()  # where what no process does is run: the server, the people, the faults


def current_process() -> Process | None:
    """Return the process whose code is running."""
    return _PROCESS.get()


class _Call:
    """A callback that waits for its turn: all of ``asyncio.TimerHandle`` that anybody asks for."""

    __slots__ = ("args", "callback", "context", "due", "off", "owner")

    def __init__(
        self,
        due: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: contextvars.Context,
    ) -> None:
        self.due = due
        self.callback = callback
        self.args = args
        self.context = context
        self.owner = context.get(_PROCESS)
        self.off = False

    def cancel(self) -> None:
        """Never run it."""
        self.off = True

    def cancelled(self) -> bool:
        """Say whether it was called off."""
        return self.off

    def when(self) -> float:
        """Return when it is due."""
        return self.due


class VirtualLoop:
    """As much of an event loop as tasks, futures, timers and asyncio's own locks need; no sockets, no threads."""

    def __init__(self) -> None:
        self._itself = cast("asyncio.AbstractEventLoop", self)
        self._now = 0.0
        self._ready: deque[_Call] = deque()
        self._timers: list[tuple[float, int, _Call]] = []
        self._number = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self.faults: list[str] = []  # what failed with nobody to hear of it

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self._itself)

    def create_task(
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: contextvars.Context | None = None
    ) -> asyncio.Task[T]:
        task = asyncio.Task(coro, loop=self._itself, name=name or "task", context=context)
        self._tasks.append(task)  # asyncio itself keeps no task alive
        return task

    def call_soon(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        call = _Call(0.0, callback, args, contextvars.copy_context() if context is None else context)
        self._ready.append(call)
        return cast("asyncio.Handle", call)

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + max(0.0, delay), callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        self._number += 1
        call = _Call(when, callback, args, contextvars.copy_context() if context is None else context)
        heapq.heappush(self._timers, (when, self._number, call))
        return cast("asyncio.TimerHandle", call)

    def run_in_executor(self, executor: object, func: Callable[[Unpack[Ts]], T], *args: *Ts) -> asyncio.Future[T]:
        """Run it here and now: a thread would bring its own order of events."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed to who awaits it
            future.set_exception(error)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.faults.append(f"{context.get('message')}: {type(error).__name__}: {error}")

    @property
    def resting(self) -> bool:
        """Say whether nothing is left to do."""
        return not self._ready and all(call.off for _, _, call in self._timers)

    @contextlib.contextmanager
    def running(self) -> Generator[None]:
        """Be the loop that asyncio asks for."""
        asyncio._set_running_loop(self._itself)
        try:
            yield
        finally:
            asyncio._set_running_loop(None)

    def run(self, until: float) -> None:
        """Run what is to be done up to a time, or until nothing is left to do."""
        with self.running():
            while True:
                self._run_ready()
                if not self._timers or self._timers[0][0] > until:
                    return
                _, _, call = heapq.heappop(self._timers)
                if not call.off:
                    self._now = max(self._now, call.due)
                    self._ready.append(call)

    def thaw(self, process: Process) -> None:
        """Let a frozen process go on from where it stood."""
        process.frozen = False
        self._ready.extend(process.held)
        process.held.clear()

    def end(self, frozen: Iterable[Process]) -> None:
        """Cancel every task that is left, also in frozen processes: nothing of this loop is heard of again."""
        for process in frozen:
            self.thaw(process)
        with self.running():
            for _ in range(10):
                tasks = [task for task in self._tasks if not task.done()]
                if not tasks:
                    return
                for task in tasks:
                    task.cancel()
                self._run_ready()
                self._timers.clear()  # what is asked of the bus now is never answered
        raise AssertionError("a task could not be cancelled")

    def _run_ready(self) -> None:
        ready = self._ready
        while ready:
            call = ready.popleft()
            if call.off:
                continue
            owner = call.owner
            if owner is not None and owner.frozen:
                owner.held.append(call)
                continue
            call.context.run(call.callback, *call.args)
