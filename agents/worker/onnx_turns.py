"""The thread in which local models work: each engine that has something to do gets a turn, round by round."""

import asyncio
import logging
import threading
from collections import deque
from concurrent.futures import Future

from hybridmesh.agents.worker.onnx_engine import Engine
from hybridmesh.agents.worker.onnx_job import Job
from hybridmesh.bus.errors import MeshError, ModelUnavailable

logger = logging.getLogger("hybridmesh")


class Turns:
    """One thread for any number of engines; one that is idle costs nothing. Ends when closed, or by a fault."""

    def __init__(self) -> None:
        self._arrived: deque[tuple[Engine, Job | Future[None]]] = deque()
        self._busy: list[Engine] = []
        self._news = threading.Condition()
        self._closing = False
        self._failure = ""
        self._thread = threading.Thread(target=self._serve, name="local-model", daemon=True)
        self._thread.start()

    def begin(self, engine: Engine, job: Job) -> None:
        """Let an engine take a job up; raises ModelUnavailable when the thread has ended."""
        with self._news:
            if self._closing:
                raise closed()
            self._arrived.append((engine, job))
            self._news.notify()

    def stop(self, engine: Engine) -> None:
        """Drop all that an engine has under way; blocks for as long as a turn of each takes."""
        stopped: Future[None] = Future()
        with self._news:
            if self._closing:
                return
            self._arrived.append((engine, stopped))
            self._news.notify()
        stopped.result()

    def close(self) -> None:
        """End the thread after its present turn."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join()

    async def watch(self) -> None:
        """Return never; raises ModelUnavailable when the thread has ended by itself: its process is of no use then."""
        await asyncio.to_thread(self._thread.join)
        raise ModelUnavailable("the model has ended", reason=f"model-ended:{self._failure}")

    def _serve(self) -> None:
        """Turn the engines while there is work, and sleep while there is none."""
        try:
            while self._take_arrived(wait=not self._busy):
                self._busy = [engine for engine in self._busy if engine.turn()]
        except Exception as error:  # noqa: BLE001 - the thread's outermost boundary; its text may tell of a prompt
            self._failure = type(error).__name__
            logger.error("local model ended: %s", self._failure)
        finally:
            with self._news:
                self._closing = True
            self._take_arrived(wait=False)
            for engine in self._busy:
                engine.stop_all()
            self._busy = []

    def _take_arrived(self, *, wait: bool) -> bool:
        """Hand over what arrived, waiting for it if there is nothing else to do; False when closing."""
        with self._news:
            while wait and not (self._arrived or self._closing):
                self._news.wait()
            while self._arrived:
                self._hand_over(*self._arrived.popleft())
            return not self._closing

    def _hand_over(self, engine: Engine, order: Job | Future[None]) -> None:
        if isinstance(order, Job):
            engine.begin(order)
            if engine not in self._busy:
                self._busy.append(engine)
        else:
            engine.stop_all()
            self._busy = [other for other in self._busy if other is not engine]
            order.set_result(None)


def closed() -> MeshError:
    """Return what a request gets that a closing model has not answered."""
    return ModelUnavailable("the model is closed", reason="closed")
