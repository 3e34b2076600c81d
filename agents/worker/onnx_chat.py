"""Between texts and tokens: the model's own tokenizer and chat template, and no text that can pose as a turn."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NoReturn, Self, cast

import numpy as np
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import DecodeStream

from hybridmesh.agents.worker.onnx_prefixes import Ids, shared_length
from hybridmesh.bus.errors import SetupError, Unanswerable
from hybridmesh.schemas.inference import CompletionRequest

KNOWN_FAMILIES: Final = 64
# What a template may raise, which is a program of the model's makers.
UNFIT: Final = (TemplateError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """The tokens of a prompt; the first ``family`` of them are the same whatever the user's part says."""

    tokens: Ids
    family: int


class Chat:
    """Reads prompts and writes answers; all of it may be called from any thread."""

    def __init__(self, tokenizer: Tokenizer, template: str, control: list[str], bounds: Mapping[str, str]) -> None:
        self._tokenizer = tokenizer
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        # As transformers has it; thoughts before an answer would be taken for the answer.
        known = {"raise_exception": _refuse, "enable_thinking": False, **bounds}
        self._template = environment.from_string(template, globals=known)
        self._control = re.compile("|".join(map(re.escape, control)) or r"(?!)")
        self._longest = max(map(len, tokenizer.get_vocab()))  # a character of a token stands for a byte, or for itself
        self._family = lru_cache(KNOWN_FAMILIES)(self._read_family)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read ``tokenizer.json`` and ``tokenizer_config.json``; raises OSError, ValueError or SetupError."""
        config, limits = _read_json(folder / "tokenizer_config.json"), _read_json(folder / "genai_config.json")
        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception:  # noqa: BLE001 - the library's errors have no class of their own
            raise SetupError("the model's tokenizer cannot be read", remedy="prepare the model again") from None
        try:
            added = tokenizer.get_added_tokens_decoder().values()
            control = sorted(filter(str.strip, _control_tokens(added)), key=len, reverse=True)
            chat = cls(tokenizer, str(config["chat_template"]), control, _bounds(limits, tokenizer))
            chat.prompt(CompletionRequest(system="", user="Hello"))
        except (*UNFIT, Unanswerable):
            raise SetupError("the model has no usable chat template", remedy="prepare the model again") from None
        return chat

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a prompt."""
        return len(self._encode(self._clean(text)))

    def prompt(self, request: CompletionRequest, most: int | None = None) -> Prompt:
        """Return the tokens of a request; raises Unanswerable at once where they are surely more than ``most``.

        Tokens of megabytes take seconds and hundreds of megabytes.
        """
        system, user = self._clean(request.system), self._clean(request.user)
        if most is not None and (least := (len(system) + len(user)) // self._longest) > most:
            raise Unanswerable(f"the prompt has {least} tokens or more, the limit is {most}", reason="prompt-too-long")
        tokens = self._encode(self._render(system, user))
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
        try:
            return self._template.render(messages=messages, add_generation_prompt=True)
        except UNFIT:  # its text may tell of the prompt
            _refuse()

    def _encode(self, text: str) -> Ids:
        return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, np.int64)

    def _clean(self, text: str) -> str:
        """Normalise to NFC, and take the meaning from control tokens, so that no text can end its own turn.

        One of a single character has none without itself, and is left out.
        """
        plain = unicodedata.normalize("NFC", text)
        return self._control.sub(lambda found: f"{found[0][0]} {found[0][1:]}" if found[0][1:] else "", plain)


class TextStream:
    """Gives text as soon as it is whole: no half of a character that takes several tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._stream = DecodeStream(skip_special_tokens=True)

    def add(self, token: int) -> str:
        """Return what can be said after this token; empty when that is nothing yet."""
        return self._stream.step(self._tokenizer, token) or ""


def _read_json(path: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(path.read_text("utf-8")))


def _control_tokens(added: Iterable[AddedToken]) -> Iterator[str]:
    """Give the tokens that may mean something to the model: all that are special, and others that are no mere sign."""
    for token in added:
        if token.special or len(token.content) > 1:
            yield token.content


def _bounds(config: dict[str, Any], tokenizer: Tokenizer) -> dict[str, str]:
    """Return the tokens around a conversation, by the names that templates have for them."""
    facts = cast("dict[str, int | list[int]]", config["model"])
    ids = {"bos_token": facts["bos_token_id"], "eos_token": facts["eos_token_id"]}
    first = {name: number[0] if isinstance(number, list) else number for name, number in ids.items()}
    return {name: tokenizer.id_to_token(number) or "" for name, number in first.items()}


def _refuse(_message: str = "") -> NoReturn:
    raise Unanswerable("the chat template refuses such a prompt", reason="bad-prompt") from None
