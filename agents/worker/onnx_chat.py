"""Between texts and tokens: the model's own tokenizer and chat template, and no text that can pose as a turn."""

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self, cast

import numpy as np
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from hybridmesh.agents.worker.onnx_prefixes import Ids, shared_length
from hybridmesh.bus.errors import SetupError, Unanswerable
from hybridmesh.schemas.inference import CompletionRequest

KNOWN_FAMILIES: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """The tokens of a prompt; the first ``family`` of them are the same whatever the user's part says."""

    tokens: Ids
    family: int


class Chat:
    """Reads prompts and writes answers; all of it may be called from any thread."""

    def __init__(self, tokenizer: Tokenizer, template: str, control: list[str]) -> None:
        self._tokenizer = tokenizer
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(template, globals={"raise_exception": _refuse})
        self._control = re.compile("|".join(map(re.escape, control)) or r"(?!)")
        self._family = lru_cache(KNOWN_FAMILIES)(self._read_family)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read ``tokenizer.json`` and ``tokenizer_config.json``; raises OSError, ValueError or SetupError."""
        text = (folder / "tokenizer.json").read_text("utf-8")
        facts = cast("dict[str, list[dict[str, str]]]", json.loads(text))
        config = cast("dict[str, Any]", json.loads((folder / "tokenizer_config.json").read_text("utf-8")))
        control = sorted((token["content"] for token in facts["added_tokens"]), key=len, reverse=True)
        try:
            chat = cls(Tokenizer.from_str(text), str(config["chat_template"]), control)
            chat.prompt(CompletionRequest(system="", user="Hello"))
        except (TemplateError, KeyError):
            raise SetupError("the model has no usable chat template", remedy="prepare the model again") from None
        return chat

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a prompt."""
        return len(self._encode(self._clean(text)))

    def prompt(self, request: CompletionRequest) -> Prompt:
        """Return the tokens of a request."""
        system = self._clean(request.system)
        tokens = self._encode(self._render(system, self._clean(request.user)))
        return Prompt(tokens, shared_length(tokens, self._family(system)))

    def text(self, tokens: list[int]) -> str:
        """Return the text of an answer."""
        return self._tokenizer.decode(tokens, skip_special_tokens=True)

    def stream(self) -> "TextStream":
        """Return what turns tokens into text one by one."""
        return TextStream(self._tokenizer)

    def _read_family(self, system: str) -> Ids:
        return self._encode(self._render(system, ""))

    def _render(self, system: str, user: str) -> str:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        return self._template.render(messages=messages, add_generation_prompt=True)

    def _encode(self, text: str) -> Ids:
        return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, np.int64)

    def _clean(self, text: str) -> str:
        """Normalise to NFC, and take the meaning from control tokens, so that no text can end its own turn."""
        return self._control.sub(lambda found: f"{found[0][0]} {found[0][1:]}", unicodedata.normalize("NFC", text))


class TextStream:
    """Gives text as soon as it is whole: no half of a character that takes several tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._stream = DecodeStream(skip_special_tokens=True)

    def add(self, token: int) -> str:
        """Return what can be said after this token; empty when that is nothing yet."""
        return self._stream.step(self._tokenizer, token) or ""


def _refuse(_message: str) -> None:
    raise Unanswerable("the chat template refuses such a prompt", reason="bad-prompt")
