"""One request under way: its prompt, what it has written, and when it is done."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from hybridmesh.agents.worker.onnx_chat import Prompt, TextStream
from hybridmesh.agents.worker.onnx_decoder import Logits
from hybridmesh.agents.worker.onnx_guides import Follower
from hybridmesh.agents.worker.onnx_lookup import Lookup
from hybridmesh.bus.errors import MeshError, ModelUnavailable
from hybridmesh.schemas.inference import Completion


@dataclass(slots=True, eq=False)
class Job:
    """``length`` tokens of it are in its row. What ``copies`` is written with drafts, the rest as one batch.

    ``held`` bytes are set aside for it. ``stop`` is asked between steps, ``told`` gets the text as it comes. Once
    ``ended`` was called nothing changes any more; ``outcome`` is None then if the job was stopped.
    """

    prompt: Prompt
    limit: int
    copies: bool
    guide: Follower | None
    ends: frozenset[int]
    stream: TextStream | None = None
    stop: Callable[[], bool] = lambda: False
    told: Callable[[str], None] = lambda _text: None
    ended: Callable[["Job"], None] = lambda _job: None
    started: float = field(default_factory=time.monotonic)
    first_at: float = 0.0
    length: int = 0
    held: int = 0
    output: list[int] = field(default_factory=list[int])
    finish: Literal["stop", "length"] | None = None
    outcome: Completion | MeshError | None = None
    _lookup: Lookup | None = None
    _forced: int = 0

    @property
    def most_tokens(self) -> int:
        """How many tokens it may come to at most."""
        return len(self.prompt.tokens) + self.limit

    def draft(self, most: int) -> list[int]:
        """Return at least one token that may follow: they cost less to check at once than to write one by one."""
        most = max(1, min(most, self.limit - len(self.output)))
        if self._lookup is None:
            self._lookup = Lookup([*self.prompt.tokens.tolist(), *self.output])
        forced = [] if self.guide is None else self.guide.forced()[:most]
        draft = self._lookup.draft(most, forced)
        if self.guide is not None:
            draft = draft[: self.guide.fitting(draft)]
        self._forced = min(len(forced), len(draft))
        return draft or [self.output[-1]]

    def accept(self, logits: Logits, draft: Sequence[int]) -> int:
        """Take the tokens that the model itself would write, as far as a draft foresaw them and one beyond.

        ``logits`` follow the last token and each of the draft; greedy, so drafts change nothing but the pace.
        Returns how many tokens were written; raises ModelUnavailable, or what a guide does.
        """
        before = len(self.output)
        for at, row in enumerate(logits):
            token = int(row.argmax()) if self.guide is None else self.guide.choose(row)
            if not np.isfinite(row[token]):  # damaged weights, or too much for 16 bit: every token would be a guess
                raise ModelUnavailable("the model gives no numbers", reason="model-failed:NotFinite")
            self._take(token)
            if self.finish is not None or at == len(draft) or token != draft[at]:
                break
        written = self.output[before:]
        if self._lookup is not None:
            self._lookup.extend(written)
            if len(written) > self._forced:  # as far as the guide left a choice
                self._lookup.judge(len(draft) - self._forced, len(written) - 1 - self._forced)
        return len(written)

    def _take(self, token: int) -> None:
        if token in self.ends:
            self.finish = "stop"
        elif len(self.output) == self.limit:  # this step more tells a text that just fits from one that was cut
            self.finish = "length"
        else:
            self._write(token)

    def _write(self, token: int) -> None:
        if not self.output:
            self.first_at = time.monotonic()
        self.output.append(token)
        if self.stream is not None and (text := self.stream.add(token)):
            self.told(text)
        if self.guide is not None:
            self.guide.consume(token)
            if self.guide.ended:
                self.finish = "stop"
