"""A local model behind the ``LocalModel`` port: its engine works in another thread, so that the loop stays free."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from hybridmesh.agents.worker.onnx_engine import Engine
from hybridmesh.agents.worker.onnx_figures import ModelFigures
from hybridmesh.agents.worker.onnx_job import Job
from hybridmesh.agents.worker.onnx_memory import ModelMemory
from hybridmesh.agents.worker.onnx_runtime import Provider, Wish
from hybridmesh.agents.worker.onnx_turns import Turns, closed
from hybridmesh.bus.errors import ModelUnavailable
from hybridmesh.schemas.inference import Completion, CompletionRequest

_LOOK_S = 0.05


class OnnxModel:
    """``LocalModel`` over an ``Engine``: requests side by side, a bounded queue, deadlines and cancellation.

    ``max_waiting`` requests may wait beside those that the engine has rows for. Models that are given the same
    ``turns`` work by turns in its thread; else the thread is this one's own.
    """

    def __init__(self, engine: Engine, *, max_waiting: int = 8, turns: Turns | None = None) -> None:
        self._engine = engine
        self._limit = max_waiting + engine.rows
        self._turns = turns or Turns()
        self._alone = turns is None
        self._lock = threading.Lock()
        self._pending = 0
        self._closing = False

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
        memory: ModelMemory | None = None,
        turns: Turns | None = None,
    ) -> Self:
        """Load and warm up a prepared folder (blocks for 2 to 4 seconds); raises SetupError when it cannot be."""
        engine = Engine.load(
            folder, name=name, threads=threads, max_prompt_tokens=max_prompt_tokens, provider=provider, rows=rows,
            memory=memory,
        )  # fmt: skip
        engine.warm_up()
        return cls(engine, max_waiting=max_waiting, turns=turns)

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
        """Stop what runs after its present step, hand back what waits, and end the thread if it is this one's own."""
        with self._lock:
            self._closing = True
        self._turns.stop(self._engine)
        if self._alone:
            self._turns.close()

    async def drain(self) -> None:
        """Return when nothing is under way or waits."""
        while self._pending:  # noqa: ASYNC110 - only an exchange of models waits here, and rarely
            await asyncio.sleep(_LOOK_S)

    async def watch(self) -> None:
        """Return never; raises ModelUnavailable when the model has ended by itself: its process is of no use then."""
        await self._turns.watch()

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
        tasks: tuple[asyncio.Task[Completion] | asyncio.Task[str], ...] = (answering,)
        try:
            while not answering.done():
                listening = asyncio.create_task(pieces.get())
                tasks = (answering, listening)
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if not listening.done():
                    listening.cancel()
                    break
                yield listening.result()
            completion = await answering
            while not pieces.empty():
                yield pieces.get_nowait()
            yield completion
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

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
            with self._lock:
                self._pending -= 1

    def _take_place(self) -> None:
        with self._lock:
            if self._closing:
                raise closed()
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
                future.set_exception(ended.outcome or closed())

        job.ended = settle
        with self._lock:  # who comes after a close must not find an engine that was stopped
            if self._closing:
                raise closed()
            self._turns.begin(self._engine, job)
        return future
