"""The models that answer now, one for all or one a purpose; others take their place without a request being lost."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from hybridmesh.agents.worker.onnx_engine import room_of
from hybridmesh.agents.worker.onnx_figures import load_of
from hybridmesh.agents.worker.onnx_memory import ModelMemory, Need
from hybridmesh.agents.worker.onnx_model import OnnxModel
from hybridmesh.agents.worker.onnx_turns import Turns, closed
from hybridmesh.bus.errors import MeshError, ModelUnavailable, SetupError
from hybridmesh.bus.settings import ModelSettings
from hybridmesh.schemas.inference import Completion, CompletionRequest, ModelLoad, Purpose

logger = logging.getLogger("hybridmesh")

NO_MODEL: Final = "no-model"
EVERY_S: Final = 0.5  # between two looks at what is wanted
RETRY_S: Final = 30.0
_LEAST_S: Final = 0.001


class LocalModels:
    """``LocalModel`` over several, in one thread and under one bound of memory; ``use`` says which.

    ``folder_of`` returns a prepared model's folder, or raises SetupError; it may take its time.
    """

    def __init__(
        self, folder_of: Callable[[str], Path], settings: ModelSettings, free_bytes: Callable[[], int] | None = None
    ) -> None:
        self._folder_of = folder_of
        self._settings = settings
        limit = None if settings.memory_mb is None else settings.memory_mb * 1_000_000
        self.memory = ModelMemory(limit, prefix_bytes=settings.prefix_mb * 1_000_000, free_bytes=free_bytes)
        self._turns = Turns()
        self._models: dict[str, OnnxModel] = {}
        self._names: Mapping[Purpose, str] = {}
        self._leaving: frozenset[str] = frozenset()  # these take no newcomers
        self._closing = False
        self.note = ""  # for people: why models that were asked for do not answer
        self._changing = asyncio.Lock()
        self._news = asyncio.Condition()

    @property
    def names(self) -> Mapping[Purpose, str]:
        """Which model answers what."""
        return self._names

    def loads(self) -> tuple[ModelLoad, ...]:
        """Return what each loaded model does right now; one that is about to go answers nothing any more."""
        return tuple(
            load_of(name, model.figures, [purpose for purpose, of in self._names.items() if of == name])
            for name, model in tuple(self._models.items())  # asked from other threads too
        )

    async def watch(self) -> None:
        """Return never; raises ModelUnavailable when the models' thread has ended by itself."""
        await self._turns.watch()

    async def close(self) -> None:
        """Stop what runs, hand back what waits, and end the thread."""
        self._closing = True
        await self._tell()
        for model in tuple(self._models.values()):  # an exchange may be under way
            await asyncio.to_thread(model.close)
        await asyncio.to_thread(self._turns.close)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer one prompt by the model of its purpose, waiting for it while it is exchanged.

        Raises what ``OnnxModel.complete`` raises.
        """
        if not self._answers(request.purpose):
            request = await self._wait(request)
        if self._closing:
            raise closed()
        return await self._models[self._names[request.purpose]].complete(request)

    async def use(self, names: Mapping[Purpose, str]) -> None:
        """Have these models answer from now on, and free those that then answer nothing once they are done.

        The old ones answer until the new ones are loaded; where memory has no room for both, newcomers wait meanwhile.

        Raises:
            SetupError: one of them cannot be loaded, or has no room; the old ones go on. So they do after any error of
                ``folder_of``.
            ModelUnavailable: nor could the old ones, which had to go first, be loaded again (``no-model``).

        """
        async with self._changing:
            wanted = tuple(dict.fromkeys(names.values()))
            coming = [name for name in wanted if name not in self._models]
            old = [name for name in self._models if name not in wanted]
            first = await asyncio.to_thread(self._who_goes_first, coming, old)
            await self._free(first)
            try:
                await self._load(coming)
            except MeshError:
                await self._return(first)
                raise
            self._names = dict(names)
            await self._tell()
            await self._free(old)

    async def try_to_use(self, names: Mapping[Purpose, str]) -> bool:
        """Do what ``use`` does; what goes wrong is noted and told, and the old models go on. False where it did."""
        try:
            await self.use(names)
        except MeshError as error:
            if error.reason == NO_MODEL:
                raise
            self.note = f"models not exchanged: {error}"
            logger.warning("worker: %s", self.note)
            return False
        self.note = ""
        return True

    async def follow(self, wanted: Callable[[], Mapping[Purpose, str]]) -> None:
        """Use what is wanted for as long as the agent lives; what failed is tried again on a change, or later.

        Raises ModelUnavailable as ``use`` does.
        """
        tried: Mapping[Purpose, str] = wanted() if self.note else {}
        again_at = time.monotonic() + RETRY_S
        while True:
            names = wanted()
            if names == self._names:
                self.note = ""
            elif names != tried or time.monotonic() >= again_at:
                tried = names
                await self.try_to_use(names)
                again_at = time.monotonic() + RETRY_S
            await asyncio.sleep(EVERY_S)

    def _who_goes_first(self, coming: Collection[str], old: Collection[str]) -> Collection[str]:
        """Return which models have to be freed before others can be loaded; raises SetupError when that cannot be."""
        needs = [self._need(name) for name in coming]
        size = sum(need.loaded for need in needs) + max((need.request for need in needs), default=0)
        if not coming or self.memory.fits(size):
            return ()
        if not self.memory.fits(size, without=old):
            raise self.memory.refusal(coming, size)
        return old

    async def _load(self, names: Collection[str]) -> None:
        """Load models, all or none."""
        loaded: dict[str, OnnxModel] = {}
        try:
            for name in names:
                loaded[name] = await asyncio.to_thread(self._open, name)
        except MeshError:
            for name, model in loaded.items():
                await asyncio.to_thread(model.close)
                self.memory.release(name)
            raise
        self._models |= loaded

    async def _return(self, names: Collection[str]) -> None:
        try:
            await self._load(names)
        except MeshError as error:
            raise ModelUnavailable("no model can be loaded any more", reason=NO_MODEL) from error
        await self._tell()

    async def _free(self, names: Collection[str]) -> None:
        """Let models end what they have begun, then take them out of memory; nobody is sent to them any more."""
        self._leaving = frozenset(names)
        for name in names:
            if name in self._models:
                await self._models[name].drain()
                await asyncio.to_thread(self._models.pop(name).close)
                await asyncio.to_thread(gc.collect)
                self.memory.release(name)
        self._leaving = frozenset()

    def _need(self, name: str) -> Need:
        return Need.of(self._folder_of(name), room_of(self._settings.max_prompt_tokens))

    def _open(self, name: str) -> OnnxModel:
        settings, need = self._settings, self._need(name)
        if not self.memory.take(name, need.loaded):
            raise self.memory.refusal([name], need.loaded)
        try:
            return OnnxModel.load(
                self._folder_of(name),
                name=name,
                threads=settings.threads,
                max_prompt_tokens=settings.max_prompt_tokens,
                max_waiting=settings.queue,
                rows=settings.rows,
                memory=self.memory,
                turns=self._turns,
            )
        except SetupError:
            self.memory.release(name)
            raise
        except Exception as error:  # of the libraries too: what was set aside is given back, and the old model goes on
            self.memory.release(name)
            why = str(error) if isinstance(error, MeshError) else type(error).__name__
            remedy = "verify it, or end other programs where memory is short"
            raise SetupError(f"the model {name} fails at its first step: {why}", remedy=remedy) from error

    def _answers(self, purpose: Purpose) -> bool:
        name = self._names.get(purpose)
        return self._closing or (name in self._models and name not in self._leaving)

    async def _wait(self, request: CompletionRequest) -> CompletionRequest:
        """Return the request, with what is left of its time, when a model answers it."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(request.deadline_s), self._news:
                await self._news.wait_for(lambda: self._answers(request.purpose))
        except TimeoutError:
            raise ModelUnavailable("the deadline passed", reason="deadline") from None
        if request.deadline_s is None:
            return request
        left_s = request.deadline_s - (time.monotonic() - began)
        return request.model_copy(update={"deadline_s": max(_LEAST_S, left_s)})

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()
