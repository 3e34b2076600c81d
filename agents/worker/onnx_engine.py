"""The synchronous core of the local model: one prompt at a time, prefix reuse, output held to a guide."""

import json
import re
import threading
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, cast

import numpy as np

from hybridmesh.agents.worker.onnx_runtime import (
    Genai,
    GenaiGenerator,
    Ids,
    Provider,
    Wish,
    choose_providers,
    import_genai,
    load_model,
    read_control_tokens,
)
from hybridmesh.bus.errors import ModelUnavailable, SetupError, Unanswerable
from hybridmesh.schemas.inference import Completion, CompletionRequest, Guide, GuideKind

PREFILL_CHUNK: Final = 64  # the runtime holds the GIL while it reads: about 0.3 s with the 0.5B model on two cores
ROOM_STEP: Final = 512  # buffers are sized in steps, so that a similar next prompt fits the kept one
MIN_SHARED: Final = 32  # a shorter common prefix is not worth keeping a buffer for
KEPT_BUFFERS: Final = 4  # about 25 kB a token each with the 0.5B model
# Compact JSON as models were trained to write it; free white space invites a small model to go on for ever.
JSON_FORM: Final = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
GUIDES: Final = {
    GuideKind.REGEX: "regex",
    GuideKind.JSON_SCHEMA: "json_schema",
    GuideKind.GRAMMAR: "lark_grammar",
}


@dataclass(slots=True)
class _Buffer:
    """A generator kept for its key-value cache: ``tokens`` were read into it, ``room`` is its fixed size."""

    generator: GenaiGenerator
    guide: Guide | None
    room: int
    tokens: Ids


class Stopped(Exception):
    """The caller's ``stop`` said so."""


class Engine:
    """One loaded model. Not thread-safe but for ``count_tokens``; greedy, so equal prompts give equal answers."""

    def __init__(
        self,
        genai: Genai,
        model: object,
        *,
        name: str,
        provider: Provider,
        control_tokens: Sequence[str],
        max_prompt_tokens: int,
        reuse_prefix: bool,
    ) -> None:
        self.name = name
        self.provider: Provider = provider
        self.max_prompt_tokens = max_prompt_tokens
        self._genai, self._model = genai, model
        self._tokenizer = genai.Tokenizer(model)
        self._tokenizer_lock = threading.Lock()
        self._ends = frozenset(int(token) for token in self._tokenizer.eos_token_ids)
        self._control = re.compile("|".join(map(re.escape, control_tokens)) or r"(?!)")
        self._kept: list[_Buffer] = []
        self._keep = KEPT_BUFFERS if reuse_prefix else 0

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        name: str,
        threads: int = 2,
        max_prompt_tokens: int = 1024,
        provider: Wish = "auto",
        reuse_prefix: bool = True,
    ) -> Self:
        """Load a prepared folder, on CUDA where that really works, and raise SetupError when it cannot be."""
        genai = import_genai()
        remedy = f"prepare the model {name} again, or choose another provider"
        for chosen in choose_providers(provider):
            try:
                engine = cls(
                    genai, load_model(genai, folder, chosen, threads), name=name, provider=chosen,
                    control_tokens=read_control_tokens(folder), max_prompt_tokens=max_prompt_tokens,
                    reuse_prefix=reuse_prefix,
                )  # fmt: skip
                if chosen == "cuda":  # a graph may load there and fail at its first step
                    engine.run(CompletionRequest(system="", user="Hello", max_tokens=1))
            except (OSError, RuntimeError, ValueError, ModelUnavailable):
                continue
            return engine
        raise SetupError(f"the model {name} cannot be loaded", remedy=remedy)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens ``text`` takes inside a prompt; may be called from any thread."""
        return len(self._encode(self._clean(text)))

    def warm_up(self) -> None:
        """Prepare for guides (up to 2.5 s, once), so that the first guided prompt does not pay for it."""
        guide = Guide(kind=GuideKind.REGEX, pattern="Yes")
        self.run(CompletionRequest(system="", user="Hello", max_tokens=1, guide=guide))
        self._kept.clear()

    def run(self, request: CompletionRequest, stop: Callable[[], bool] = lambda: False) -> Completion:
        """Answer one prompt; ``stop`` is asked before each token and each piece of the prompt.

        Raises:
            Stopped: ``stop`` returned true.
            Unanswerable: the prompt is too long (``prompt-too-long``) or the guide is none (``bad-guide``).
            ModelUnavailable: the runtime failed.

        """
        started = time.monotonic()
        prompt = self._read_prompt(request)
        room = len(prompt) + request.max_tokens + 1
        try:
            buffer, shared = self._take_buffer(prompt, request.guide, room)
            generator = buffer.generator
            for at in range(shared, len(prompt), PREFILL_CHUNK):
                if stop():
                    raise Stopped
                generator.append_tokens(prompt[at : at + PREFILL_CHUNK])
            output, ended = self._generate(generator, request.max_tokens, stop)
        except RuntimeError as error:  # its text may quote the prompt, so it goes no further
            raise ModelUnavailable("the model failed", reason=f"model-failed:{type(error).__name__}") from None
        if self._keep:
            buffer.tokens = prompt
            self._kept = [buffer, *self._kept][: self._keep]
        with self._tokenizer_lock:
            text = self._tokenizer.decode(np.array(output, np.int32)) if output else ""
        return Completion(
            text=text,
            finish="stop" if ended else "length",
            prompt_tokens=len(prompt),
            output_tokens=len(output),
            duration_s=time.monotonic() - started,
            model=self.name,
        )

    def _generate(self, generator: GenaiGenerator, limit: int, stop: Callable[[], bool]) -> tuple[list[int], bool]:
        """Decode up to ``limit`` tokens; one step more tells a text that just fits from one that was cut."""
        output: list[int] = []
        while not stop():
            generator.generate_next_token()
            token = int(generator.get_next_tokens()[0])
            if token in self._ends:
                return output, True
            if len(output) == limit:
                return output, False
            output.append(token)
        raise Stopped

    def _read_prompt(self, request: CompletionRequest) -> Ids:
        roles = (("system", request.system), ("user", request.user))
        messages = [{"role": role, "content": self._clean(text)} for role, text in roles]
        with self._tokenizer_lock:
            prompt = self._tokenizer.apply_chat_template(json.dumps(messages), add_generation_prompt=True)
        tokens = self._encode(prompt)
        if len(tokens) > self.max_prompt_tokens:
            raise Unanswerable(
                f"the prompt has {len(tokens)} tokens, the limit is {self.max_prompt_tokens}",
                reason="prompt-too-long",
            )
        return tokens

    def _clean(self, text: str) -> str:
        """Normalise to NFC, and take the meaning from control tokens, so that no text can end its own turn."""
        return self._control.sub(lambda found: f"{found[0][0]} {found[0][1:]}", unicodedata.normalize("NFC", text))

    def _encode(self, text: str) -> Ids:
        with self._tokenizer_lock:
            return np.asarray(self._tokenizer.encode(text), np.int32)

    def _take_buffer(self, prompt: Ids, guide: Guide | None, room: int) -> tuple[_Buffer, int]:
        """Take out the kept buffer that shares the longest prefix, rewound to it, or make a fresh one.

        A buffer that is taken out comes back only after a run that went well.
        """
        best, shared = None, MIN_SHARED - 1
        for buffer in self._kept:
            if buffer.guide == guide and buffer.room >= room:
                common = common_prefix(buffer.tokens, prompt[:-1])  # one token at least must be read anew
                if common > shared:
                    best, shared = buffer, common
        if best is not None:
            self._kept = [buffer for buffer in self._kept if buffer is not best]
            best.generator.rewind_to(shared)
            return best, shared
        room = -(-room // ROOM_STEP) * ROOM_STEP
        params = self._genai.GeneratorParams(self._model)
        # The buffer is allocated from max_length at once, and its default is the whole context.
        params.set_search_options(max_length=room, do_sample=False)
        try:
            if guide is not None:
                params.set_guidance(GUIDES[guide.kind], guide_pattern(guide))
            return _Buffer(self._genai.Generator(self._model, params), guide, room, prompt), 0
        except (RuntimeError, ValueError):
            if guide is None:
                raise
            raise Unanswerable("the guide cannot be used", reason="bad-guide") from None


def common_prefix(a: Ids, b: Ids) -> int:
    """Return how many tokens two prompts share from the start."""
    length = min(len(a), len(b))
    differing = np.flatnonzero(a[:length] != b[:length])
    return int(differing[0]) if differing.size else length


def guide_pattern(guide: Guide) -> str:
    """Return the pattern for the runtime; a JSON schema gets a fixed layout unless it names one."""
    if guide.kind is not GuideKind.JSON_SCHEMA:
        return guide.pattern
    schema: object = json.loads(guide.pattern)
    if not isinstance(schema, dict):
        raise ValueError("not a JSON schema")  # noqa: TRY004 - one error for every bad pattern
    return json.dumps({"x-guidance": JSON_FORM, **cast("dict[str, object]", schema)})
