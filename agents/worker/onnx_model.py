"""The local model behind the ``LocalModel`` port: the engine in one thread of its own, so that the loop stays free."""

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from hybridmesh.agents.worker.onnx_engine import Engine
from hybridmesh.agents.worker.onnx_figures import ModelFigures
from hybridmesh.agents.worker.onnx_job import Job
from hybridmesh.agents.worker.onnx_runtime import Provider, Wish
from hybridmesh.bus.errors import MeshError, ModelUnavailable
from hybridmesh.schemas.inference import Completion, CompletionRequest

logger = logging.getLogger("hybridmesh")


class OnnxModel:
    """``LocalModel`` over an ``Engine``: requests side by side, a bounded queue, deadlines and cancellation.

    ``max_waiting`` requests may wait beside those that the engine has rows for.
    """

    def __init__(self, engine: Engine, *, max_waiting: int = 8) -> None:
        self._engine = engine
        self._limit = max_waiting + engine.rows
        self._arrived: deque[Job] = deque()
        self._news = threading.Condition()
        self._pending = 0
        self._closing = False
        self._failure = ""
        self._thread = threading.Thread(target=self._serve, name="local-model", daemon=True)
        self._thread.start()

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        name: str,
        threads: int = 2,
        max_prompt_tokens: int = 1024,
        max_waiting: int = 8,
        provider: Wish = "auto",
        rows: int = 8,
        prefix_bytes: int = 96_000_000,
        free_bytes: Callable[[], int] | None = None,
    ) -> Self:
        """Load and warm up a prepared folder (blocks for 2 to 4 seconds); raises SetupError when it cannot be."""
        engine = Engine.load(
            folder, name=name, threads=threads, max_prompt_tokens=max_prompt_tokens, provider=provider, rows=rows,
            prefix_bytes=prefix_bytes, free_bytes=free_bytes,
        )  # fmt: skip
        engine.warm_up()
        return cls(engine, max_waiting=max_waiting)

    @property
    def name(self) -> str:
        """The name under which completions report this model."""
        return self._engine.name

    @property
    def provider(self) -> Provider:
        """Where the model really runs."""
        return self._engine.provider

    @property
    def figures(self) -> ModelFigures:
        """What the model does right now; may be asked from any thread."""
        figures = self._engine.figures
        return replace(figures, waiting=max(0, self._pending - figures.running))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop what runs after its present step, hand back what waits, and end the thread."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join()

    async def watch(self) -> None:
        """Return never; raises ModelUnavailable when the model has ended by itself: its process is of no use then."""
        await asyncio.to_thread(self._thread.join)
        raise ModelUnavailable("the model has ended", reason=f"model-ended:{self._failure}")

    def count_tokens(self, text: str) -> int:
        """Return how many tokens ``text`` takes inside a prompt."""
        return self._engine.count_tokens(text)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer one prompt; cancelling the caller stops it at its next token.

        Raises:
            ModelUnavailable: reason ``overloaded`` (the queue or the memory is full), ``deadline`` (``deadline_s``
                passed, waiting included), ``closed``, or ``model-failed:...``.
            Unanswerable: reason ``prompt-too-long`` or ``bad-guide``.

        """
        return await self._answer(request, None)

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[str | Completion]:
        """Answer one prompt piece by piece; the last item is the whole. Raises what ``complete`` raises."""
        pieces: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(text: str) -> None:
            with contextlib.suppress(RuntimeError):  # the loop may be gone, and with it whoever listened
                loop.call_soon_threadsafe(pieces.put_nowait, text)

        answering = asyncio.create_task(self._answer(request, tell))
        try:
            while not answering.done():
                listening = asyncio.create_task(pieces.get())
                await asyncio.wait((answering, listening), return_when=asyncio.FIRST_COMPLETED)
                if not listening.done():
                    listening.cancel()
                    break
                yield listening.result()
            completion = await answering
            while not pieces.empty():
                yield pieces.get_nowait()
            yield completion
        finally:
            answering.cancel()
            await asyncio.wait((answering,))

    async def _answer(self, request: CompletionRequest, tell: Callable[[str], None] | None) -> Completion:
        stop = threading.Event()
        self._take_place()
        try:
            async with asyncio.timeout(request.deadline_s):
                job = await asyncio.to_thread(self._engine.prepare, request, streams=tell is not None)
                job.stop = stop.is_set
                if tell is not None:
                    job.told = tell
                return await asyncio.wrap_future(self._submit(job))
        except TimeoutError:
            raise ModelUnavailable("the deadline passed", reason="deadline") from None
        finally:
            stop.set()
            with self._news:
                self._pending -= 1

    def _take_place(self) -> None:
        with self._news:
            if self._closing:
                raise _closed()
            if self._pending >= self._limit:
                raise ModelUnavailable("too many prompts are waiting", reason="overloaded", retry_after_s=1.0)
            self._pending += 1

    def _submit(self, job: Job) -> Future[Completion]:
        future: Future[Completion] = Future()

        def settle(ended: Job) -> None:
            if not future.set_running_or_notify_cancel():
                return
            if isinstance(ended.outcome, Completion):
                future.set_result(ended.outcome)
            else:
                future.set_exception(ended.outcome or _closed())

        job.ended = settle
        with self._news:
            if self._closing:
                raise _closed()
            self._arrived.append(job)
            self._news.notify()
        return future

    def _serve(self) -> None:
        """Turn the engine while there is work, and sleep while there is none."""
        try:
            busy = False
            while self._take_arrived(wait=not busy):
                busy = self._engine.turn()
        except Exception as error:  # noqa: BLE001 - the thread's outermost boundary; its text may tell of a prompt
            self._failure = type(error).__name__
            logger.error("local model ended: %s", self._failure)
        finally:
            with self._news:
                self._closing = True
            self._take_arrived(wait=False)
            self._engine.stop_all()

    def _take_arrived(self, *, wait: bool) -> bool:
        """Hand over what arrived, waiting for it if there is nothing else to do; False when closing."""
        with self._news:
            while wait and not (self._arrived or self._closing):
                self._news.wait()
            while self._arrived:
                self._engine.begin(self._arrived.popleft())
            return not self._closing


def _closed() -> MeshError:
    return ModelUnavailable("the model is closed", reason="closed")
