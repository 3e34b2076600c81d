"""The synchronous core of the local model: reads prompts, writes answers of all who are there, step by step.

Newcomers join while others write; a start that was read before is copied instead of read; JSON and the like, which
copy from their prompt, are written several tokens at a time where the text foresees them. Greedy, and none of it
changes an answer: the runtime's attention rounds otherwise for one token at a time than for several, so prompts and
what ``copies`` always go by several, and all others always by one.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Self

import numpy as np

from hybridmesh.agents.worker.onnx_chat import Chat
from hybridmesh.agents.worker.onnx_decoder import Decoder, read_ends
from hybridmesh.agents.worker.onnx_figures import ModelFigures
from hybridmesh.agents.worker.onnx_guides import Guides
from hybridmesh.agents.worker.onnx_job import Job
from hybridmesh.agents.worker.onnx_lookup import LONGEST
from hybridmesh.agents.worker.onnx_prefixes import Kept, Prefixes
from hybridmesh.agents.worker.onnx_runtime import Provider, Wish, choose_providers
from hybridmesh.agents.worker.onnx_schedule import Schedule
from hybridmesh.bus.errors import MeshError, ModelUnavailable, SetupError, Unanswerable
from hybridmesh.schemas.inference import Completion, CompletionRequest, Guide, GuideKind

PIECE_ALONE: Final = 128  # of a prompt, read in one step: a cancellation waits for about half a second
PIECE_BESIDE: Final = 32  # while others write, who wait for it
LONGEST_ANSWER: Final = 2048
COPYING: Final = (GuideKind.JSON_SCHEMA, GuideKind.GRAMMAR)
SPARE_BYTES: Final = 128_000_000  # to be left to everybody else when a request is taken


class Engine:
    """One loaded model. ``prepare`` and ``count_tokens`` may be called from any thread, all else from one."""

    def __init__(
        self,
        decoder: Decoder,
        chat: Chat,
        guides: Guides,
        ends: list[int],
        *,
        name: str,
        provider: Provider,
        max_prompt_tokens: int,
        prefix_bytes: int,
        lookup: bool,
        free_bytes: Callable[[], int] | None,
    ) -> None:
        self.name = name
        self.provider: Provider = provider
        self.max_prompt_tokens = max_prompt_tokens
        self._decoder, self._chat, self._guides = decoder, chat, guides
        self._ends = frozenset(ends)
        self._lookup = lookup
        self._free_bytes = free_bytes
        self._prefixes = Prefixes(prefix_bytes)
        self._schedule: Schedule[Job] = Schedule(decoder.rows.rows, lambda job: job.copies)
        token_bytes = decoder.rows.shape.token_bytes
        self.figures = ModelFigures(kv_limit_bytes=decoder.rows.rows * decoder.rows.room * token_bytes + prefix_bytes)

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
        prefix_bytes: int = 96_000_000,
        lookup: bool = True,
        free_bytes: Callable[[], int] | None = None,
    ) -> Self:
        """Load a prepared folder, on CUDA where that really works, and raise SetupError when it cannot be.

        ``rows`` answers are under way at once; ``prefix_bytes`` bounds what is kept of earlier prompts;
        ``free_bytes`` tells the memory that is left on this machine, and is asked before a request is taken.
        """
        room = max_prompt_tokens + LONGEST_ANSWER + LONGEST + 1
        remedy = f"prepare the model {name} again, or choose another provider"
        for chosen in choose_providers(provider):
            try:
                decoder = Decoder.load(folder, chosen, threads=threads, rows=rows, room=room)
                ends = read_ends(folder)
                guides = Guides(folder / "tokenizer.json", decoder.vocabulary, ends)
                engine = cls(
                    decoder,
                    Chat.load(folder),
                    guides,
                    ends,
                    name=name,
                    provider=chosen,
                    max_prompt_tokens=max_prompt_tokens,
                    prefix_bytes=prefix_bytes,
                    lookup=lookup,
                    free_bytes=free_bytes,
                )
                if chosen == "cuda":  # a graph may load there and fail at its first step
                    engine.warm_up()
            except (OSError, KeyError, ValueError, ModelUnavailable, SetupError):
                continue
            return engine
        raise SetupError(f"the model {name} cannot be loaded", remedy=remedy)

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
        self.run(CompletionRequest(system="", user="Hello", max_tokens=1, guide=guide))
        self._prefixes.clear()
        self.figures = ModelFigures(kv_limit_bytes=self.figures.kv_limit_bytes)

    def prepare(self, request: CompletionRequest, *, streams: bool = False) -> Job:
        """Return a request as a job, not yet begun.

        Raises:
            Unanswerable: the prompt is too long (``prompt-too-long``) or the guide is none (``bad-guide``).
            ModelUnavailable: this machine has not the memory for it now (``overloaded``).

        """
        prompt = self._chat.prompt(request)
        if len(prompt.tokens) > self.max_prompt_tokens:
            raise Unanswerable(
                f"the prompt has {len(prompt.tokens)} tokens, the limit is {self.max_prompt_tokens}",
                reason="prompt-too-long",
            )
        guide = None if request.guide is None else self._guides.follow(request.guide)
        copies = request.guide is not None and request.guide.kind in COPYING
        job = Job(prompt, request.max_tokens, copies, guide, self._ends, self._chat.stream() if streams else None)
        needed = job.most_tokens * self._decoder.rows.shape.token_bytes + SPARE_BYTES
        if self._free_bytes is not None and self._free_bytes() < needed:
            raise ModelUnavailable("too little memory is free", reason="overloaded", retry_after_s=2.0)
        return job

    def begin(self, job: Job) -> None:
        """Let a job take part from the next turn on."""
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
        if reading is not None:
            self._attempt((reading,), lambda: self._read(reading))
        if self._schedule.batch:
            batch = tuple(self._schedule.batch)
            self._attempt(batch, lambda: self._write(0, batch))
        for job, row in tuple(self._schedule.alone.items()):
            self._attempt((job,), partial(self._write, row, (job,)))
        under_way = list(self._schedule)
        held = sum(job.length for job in under_way) * self._decoder.rows.shape.token_bytes
        waiting = len(self._schedule.waiting)
        self.figures = self.figures.state(
            waiting=waiting, running=len(under_way) - waiting, kv_bytes=held + self._prefixes.used_bytes
        )
        return bool(under_way)

    def stop_all(self) -> None:
        """Drop every job, waiting or not."""
        for job in self._schedule:
            self._end(job, None)

    def _attempt(self, jobs: Sequence[Job], step: Callable[[], None]) -> None:
        try:
            step()
        except MeshError as error:  # who shared the step shares its end
            for job in jobs:
                self._end(job, error)

    def _read(self, job: Job) -> None:
        """Read a piece of a prompt; the last one gives its first new token."""
        row, tokens = self._schedule.reading_row, job.prompt.tokens
        if not job.length and (found := self._prefixes.find(tokens)):
            kept, job.length = found
            self._decoder.rows.restore(kept.values, job.length, row)
        end = self._piece_end(job)
        started = time.monotonic()
        logits = self._decoder.step(row, tokens[None, job.length : end], [end])
        self.figures = self.figures.read(end - job.length, time.monotonic() - started)
        job.length = end
        if end in (job.prompt.family, len(tokens)) and self._wants(job, end):
            values = self._decoder.rows.save(row, end)
            self._prefixes.keep(Kept(tokens[:end], values, family=end == job.prompt.family))
        if end == len(tokens):
            self._schedule.promote()
            job.accept(logits[0], ())
            self._end_if_finished(job)

    def _piece_end(self, job: Job) -> int:
        """Return how far the next piece goes: at least two tokens, and not over the end of what is to be kept."""
        length, family, whole = job.length, job.prompt.family, len(job.prompt.tokens)
        others = len(self._schedule.batch) + len(self._schedule.alone)
        end = min(length + (PIECE_BESIDE if others else PIECE_ALONE), whole)
        if length + 1 < family < end and family + 1 < whole and self._wants(job, family):
            end = family
        return whole if end + 1 == whole else end

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
            except Unanswerable as error:
                failed[job] = error
            else:
                job.length += count
                written += count
        self.figures = self.figures.wrote(written, time.monotonic() - started)
        for job in jobs:  # only now: an end moves rows, and what is in them has to be known by then
            if job in failed:
                self._end(job, failed[job])
            else:
                self._end_if_finished(job)

    def _wants(self, job: Job, length: int) -> bool:
        return self._prefixes.wants(job.prompt.tokens[:length], length * self._decoder.rows.shape.token_bytes)

    def _end_if_finished(self, job: Job) -> None:
        if job.finish is None:
            return
        seconds = time.monotonic() - job.started
        self.figures = self.figures.answer(first_token_s=job.first_at - job.started, latency_s=seconds)
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
        """Take a job out, close the gap that it leaves in the batch, and tell its owner."""
        for move in self._schedule.remove(job):
            self._decoder.rows.move(move.source, move.target, move.job.length)
        job.outcome = outcome
        job.ended(job)
