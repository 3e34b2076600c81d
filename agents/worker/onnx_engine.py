"""The synchronous core of the local model: reads prompts, writes answers of all who are there, step by step.

Newcomers join while others write; a start that was read before is copied instead of read; JSON and the like, which
copy from their prompt, are written several tokens at a time where the text foresees them. Greedy, and none of it
changes an answer: the runtime's attention rounds otherwise for one token at a time than for several, so prompts and
what ``copies`` always go by several, and all others always by one.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, Self

import numpy as np

from hybridmesh.agents.worker.onnx_chat import Chat
from hybridmesh.agents.worker.onnx_decoder import Decoder, Limits
from hybridmesh.agents.worker.onnx_figures import ModelFigures
from hybridmesh.agents.worker.onnx_guides import Guides
from hybridmesh.agents.worker.onnx_job import Job
from hybridmesh.agents.worker.onnx_lookup import LONGEST
from hybridmesh.agents.worker.onnx_memory import ModelMemory
from hybridmesh.agents.worker.onnx_prefixes import Kept, Prefixes
from hybridmesh.agents.worker.onnx_runtime import Provider, Wish, choose_providers
from hybridmesh.agents.worker.onnx_schedule import Schedule
from hybridmesh.bus.errors import MeshError, ModelUnavailable, SetupError, Unanswerable
from hybridmesh.schemas.inference import Completion, CompletionRequest, Guide, GuideKind

PIECE_ALONE: Final = 128  # of a prompt, read in one step: a cancellation waits for about half a second
PIECE_BESIDE: Final = 32  # while others write, who wait for it
LONGEST_ANSWER: Final = 2048
# Places of a model's context that no prompt gets: a token of the answer, and a draft's that is checked behind it.
LEAST_BEYOND: Final = 2
COPYING: Final = (GuideKind.JSON_SCHEMA, GuideKind.GRAMMAR)


class Engine:
    """One loaded model. ``prepare`` and ``count_tokens`` may be called from any thread, all else from one."""

    def __init__(
        self,
        decoder: Decoder,
        chat: Chat,
        guides: Guides,
        limits: Limits,
        *,
        name: str,
        provider: Provider,
        max_prompt_tokens: int,
        lookup: bool,
        memory: ModelMemory,
    ) -> None:
        self.name = name
        self.provider: Provider = provider
        self.max_prompt_tokens = min(max_prompt_tokens, limits.context - LEAST_BEYOND)
        self._decoder, self._chat, self._guides = decoder, chat, guides
        self._ends, self._context = frozenset(limits.ends), limits.context
        self._lookup = lookup
        self._memory = memory
        memory.promise(name, 0)  # what was set aside for the weights is written by now
        self._prefixes = memory.prefixes
        self._schedule: Schedule[Job] = Schedule(decoder.rows.rows, lambda job: job.copies)
        self._token_bytes = decoder.rows.shape.token_bytes
        row_bytes = decoder.rows.room * self._token_bytes
        self._figures = ModelFigures(kv_limit_bytes=decoder.rows.rows * row_bytes + memory.prefixes.limit)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        name: str,
        threads: int = 2,
        max_prompt_tokens: int = 1024,
        provider: Wish = "auto",
        rows: int = 8,
        lookup: bool = True,
        memory: ModelMemory | None = None,
    ) -> Self:
        """Load a prepared folder, on CUDA where that really works, and raise SetupError when it cannot be.

        ``rows`` answers are under way at once; ``memory`` is shared with other engines, and asked before a request
        gets a row.
        """
        why = "no session gets the provider"
        for chosen in choose_providers(provider):
            try:
                limits = Limits.read(folder)
                room = min(room_of(max_prompt_tokens), limits.context)
                load_decoder = partial(Decoder.load, folder, chosen, threads=threads, rows=rows, room=room)
                engine = cls(
                    *_load_parts(folder, limits, load_decoder),
                    limits,
                    name=name,
                    provider=chosen,
                    max_prompt_tokens=max_prompt_tokens,
                    lookup=lookup,
                    memory=memory or ModelMemory(),
                )
                if chosen == "cuda":  # a graph may load there and fail at its first step
                    engine.warm_up()
            except Exception as error:  # noqa: BLE001 - what libraries raise of damaged files has no common base
                why = str(error) if isinstance(error, MeshError) else type(error).__name__
                continue
            return engine
        raise SetupError(
            f"the model {name} cannot be loaded: {why}",
            remedy=f"verify the model {name}; where it is damaged, remove it and prepare it again",
        )

    @property
    def figures(self) -> ModelFigures:
        """What it does, as of its last turn; what is kept of its prompts is as of now, as others may push it out."""
        return replace(self._figures, kv_bytes=self._figures.kv_bytes + self._prefixes.bytes_of(self))

    @property
    def rows(self) -> int:
        """How many answers can be under way at once."""
        return self._decoder.rows.rows

    def count_tokens(self, text: str) -> int:
        """Return how many tokens ``text`` takes inside a prompt."""
        return self._chat.count(text)

    def warm_up(self) -> None:
        """Run once, so that the first prompt does not pay for what the runtime puts off."""
        guide = Guide(kind=GuideKind.REGEX, pattern="Yes")
        shared, self._prefixes = self._prefixes, Prefixes(0)  # which another thread may be using now
        self.run(CompletionRequest(system="", user="Hello", max_tokens=1, guide=guide))
        self._prefixes = shared
        self._figures = ModelFigures(kv_limit_bytes=self._figures.kv_limit_bytes)

    def prepare(self, request: CompletionRequest, *, streams: bool = False) -> Job:
        """Return a request as a job, not yet begun.

        Raises:
            Unanswerable: the prompt is too long (``prompt-too-long``) or the guide is none (``bad-guide``).

        """
        prompt = self._chat.prompt(request, self.max_prompt_tokens)
        if len(prompt.tokens) > self.max_prompt_tokens:
            raise Unanswerable(
                f"the prompt has {len(prompt.tokens)} tokens, the limit is {self.max_prompt_tokens}",
                reason="prompt-too-long",
            )
        guide = None if request.guide is None else self._guides.follow(request.guide)
        copies = request.guide is not None and request.guide.kind in COPYING
        most = min(request.max_tokens, self._context - len(prompt.tokens) - LEAST_BEYOND + 1)
        return Job(prompt, most, copies, guide, self._ends, self._chat.stream() if streams else None)

    def begin(self, job: Job) -> None:
        """Let a job take part from the next turn on; for want of memory it may end at once (``overloaded``)."""
        self._schedule.add(job)

    def run(self, request: CompletionRequest) -> Completion:
        """Answer one prompt alone; raises what ``prepare`` raises, and ModelUnavailable when the runtime fails."""
        job = self.prepare(request)
        self.begin(job)
        while self.turn():
            pass
        if isinstance(job.outcome, Completion):
            return job.outcome
        raise job.outcome or ModelUnavailable("the prompt was stopped", reason="cancelled")

    def turn(self) -> bool:
        """Drop who was stopped, read one piece of a prompt, and write one step of all answers; False when idle."""
        for job in self._schedule:
            if job.stop():
                self._end(job, None)
        reading = self._schedule.begin()
        if reading is not None and self._hold(reading):
            self._attempt((reading,), lambda: self._read(reading))
        if self._schedule.batch:
            batch = tuple(self._schedule.batch)
            self._attempt(batch, lambda: self._write(0, batch))
        for job, row in tuple(self._schedule.alone.items()):
            self._attempt((job,), partial(self._write, row, (job,)))
        under_way = list(self._schedule)
        held = sum(job.length for job in under_way) * self._token_bytes
        waiting = len(self._schedule.waiting)
        self._figures = self._figures.state(waiting=waiting, running=len(under_way) - waiting, kv_bytes=held)
        self._note_promised()
        return bool(under_way)

    def stop_all(self) -> None:
        """Drop every job, waiting or not, and what is kept of prompts."""
        for job in self._schedule:
            self._end(job, None)
        self._prefixes.forget(self)

    def _hold(self, job: Job) -> bool:
        """Set aside what a job may come to before any of it is read; one that finds no room is refused."""
        if not job.held:
            if not self._memory.take(self.name, job.most_tokens * self._token_bytes):
                self._end(job, ModelUnavailable("too little memory", reason="overloaded", retry_after_s=2.0))
                return False
            job.held = job.most_tokens * self._token_bytes
        return True

    def _note_promised(self) -> None:
        promised = sum(max(0, job.held - job.length * self._token_bytes) for job in self._schedule)
        self._memory.promise(self.name, promised)

    def _attempt(self, jobs: Sequence[Job], step: Callable[[], None]) -> None:
        try:
            step()
        except MeshError as error:  # who shared the step shares its end
            for job in jobs:
                self._end(job, error)

    def _read(self, job: Job) -> None:
        """Read a piece of a prompt; the last one gives its first new token."""
        row, tokens = self._schedule.reading_row, job.prompt.tokens
        if not job.length and (found := self._prefixes.find(tokens, self)):
            kept, job.length = found
            self._decoder.rows.restore(kept.values, job.length, row)
        end = self._piece_end(job)
        started = time.monotonic()
        logits = self._decoder.step(row, tokens[None, job.length : end], [end])
        self._figures = self._figures.read(end - job.length, time.monotonic() - started)
        job.length = end
        if end in (job.prompt.family, len(tokens)) and self._wants(job, end):
            values = self._decoder.rows.save(row, end)
            self._prefixes.keep(Kept(tokens[:end], values, end == job.prompt.family, self))
        if end == len(tokens):
            self._schedule.promote()
            job.accept(logits[0], ())
            self._end_if_finished(job)

    def _piece_end(self, job: Job) -> int:
        """Return how far the next piece goes: at least two tokens, and not over the end of what is to be kept.

        Where one token would be left, this piece is one shorter instead of longer: the runtime's attention works in
        blocks of 128, and rounds the last token of a piece of 129 as it rounds one that is read alone.
        """
        length, family, whole = job.length, job.prompt.family, len(job.prompt.tokens)
        others = len(self._schedule.batch) + len(self._schedule.alone)
        end = min(length + (PIECE_BESIDE if others else PIECE_ALONE), whole)
        if length + 1 < family < end and family + 1 < whole and self._wants(job, family):
            end = family
        return end - 1 if end + 1 == whole else end

    def _write(self, row: int, jobs: Sequence[Job]) -> None:
        """Write one token of each answer of the batch, or several of one that copies."""
        draft: list[int] = []
        if jobs[0].copies:
            draft = jobs[0].draft(LONGEST) if self._lookup else jobs[0].output[-1:]
        tokens = np.array([[job.output[-1], *draft] for job in jobs], np.int64)
        width = 1 + len(draft)
        started = time.monotonic()
        logits = self._decoder.step(row, tokens, [job.length + width for job in jobs], keep=width)
        written, failed = 0, dict[Job, MeshError]()
        for job, found in zip(jobs, logits, strict=True):
            try:
                count = job.accept(found, draft)
            except MeshError as error:
                failed[job] = error
            else:
                job.length += count
                written += count
        self._figures = self._figures.wrote(written, time.monotonic() - started)
        for job in jobs:  # only now: an end moves rows, and what is in them has to be known by then
            if job in failed:
                self._end(job, failed[job])
            else:
                self._end_if_finished(job)

    def _wants(self, job: Job, length: int) -> bool:
        return self._prefixes.wants(job.prompt.tokens[:length], length * self._token_bytes, self)

    def _end_if_finished(self, job: Job) -> None:
        if job.finish is None:
            return
        seconds = time.monotonic() - job.started
        self._figures = self._figures.answer(first_token_s=job.first_at - job.started, latency_s=seconds)
        completion = Completion(
            text=self._chat.text(job.output),
            finish=job.finish,
            prompt_tokens=len(job.prompt.tokens),
            output_tokens=len(job.output),
            duration_s=seconds,
            model=self.name,
        )
        self._end(job, completion)

    def _end(self, job: Job, outcome: Completion | MeshError | None) -> None:
        """Take a job out, close the gap that it leaves in the batch, give its memory back and tell its owner."""
        taken = self._schedule.taken
        for move in self._schedule.remove(job):
            self._decoder.rows.move(move.source, move.target, move.job.length)
        for row in taken - self._schedule.taken:
            self._decoder.rows.clear(row)
        self._memory.give(self.name, job.held)
        job.held = 0
        self._note_promised()
        job.outcome = outcome
        job.ended(job)


def _load_parts(folder: Path, limits: Limits, load_decoder: Callable[[], Decoder]) -> tuple[Decoder, Chat, Guides]:
    """Load the graph, and the texts meanwhile: the runtime leaves the interpreter to others."""
    with ThreadPoolExecutor(1) as beside:
        opened = beside.submit(load_decoder)
        chat, guides = Chat.load(folder), Guides(folder / "tokenizer.json", limits.vocabulary, limits.ends)
        decoder = opened.result()
    if decoder.vocabulary != limits.vocabulary:
        raise SetupError("its files are not of one model", remedy="prepare the model again")
    return decoder, chat, guides


def room_of(max_prompt_tokens: int) -> int:
    """Return how many tokens a row has to have place for."""
    return max_prompt_tokens + LONGEST_ANSWER + LONGEST + 1
