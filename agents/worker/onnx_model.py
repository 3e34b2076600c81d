"""The local model behind the ``LocalModel`` port: the engine in one thread of its own, so that the loop stays free."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from hybridmesh.agents.worker.onnx_engine import Engine, Stopped
from hybridmesh.agents.worker.onnx_runtime import Provider, Wish
from hybridmesh.bus.errors import ModelUnavailable
from hybridmesh.schemas.inference import Completion, CompletionRequest


class OnnxModel:
    """``LocalModel`` over an ``Engine``: one request at a time, a short queue, deadlines and cancellation."""

    def __init__(self, engine: Engine, *, max_waiting: int = 8) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="local-model")
        self._limit = max_waiting + 1
        self._lock = threading.Lock()
        self._pending = 0
        self._closing = threading.Event()

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
        reuse_prefix: bool = True,
    ) -> Self:
        """Load and warm up a prepared folder (blocks for 2 to 4 seconds); raises SetupError when it cannot be."""
        engine = Engine.load(
            folder, name=name, threads=threads, max_prompt_tokens=max_prompt_tokens, provider=provider,
            reuse_prefix=reuse_prefix,
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the running request at its next token, drop the waiting ones and end the thread."""
        self._closing.set()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens ``text`` takes inside a prompt."""
        return self._engine.count_tokens(text)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer one prompt; cancelling the caller stops the model at its next token.

        Raises:
            ModelUnavailable: reason ``overloaded`` (the queue is full), ``deadline`` (``deadline_s`` passed,
                waiting included), ``closed``, or ``model-failed:...``.
            Unanswerable: reason ``prompt-too-long`` or ``bad-guide``.

        """
        stop = threading.Event()
        future = self._submit(request, lambda: stop.is_set() or self._closing.is_set())
        try:
            async with asyncio.timeout(request.deadline_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise ModelUnavailable("the deadline passed", reason="deadline") from None
        except Stopped:
            raise ModelUnavailable("the model is closed", reason="closed") from None
        except asyncio.CancelledError:
            if self._closing.is_set() and future.cancelled():
                raise ModelUnavailable("the model is closed", reason="closed") from None
            raise
        finally:
            stop.set()

    def _submit(self, request: CompletionRequest, stop: Callable[[], bool]) -> Future[Completion]:
        with self._lock:
            if self._closing.is_set():
                raise ModelUnavailable("the model is closed", reason="closed")
            if self._pending >= self._limit:
                raise ModelUnavailable("too many prompts are waiting", reason="overloaded", retry_after_s=1.0)
            future = self._thread.submit(self._engine.run, request, stop)
            self._pending += 1
        future.add_done_callback(self._count_down)
        return future

    def _count_down(self, _done: Future[Completion]) -> None:
        with self._lock:
            self._pending -= 1
