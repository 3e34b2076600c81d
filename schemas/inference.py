"""What is asked of the local model and what it answers: the port between agents and whatever runs the weights."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from hybridmesh.schemas.message import Frozen

Purpose = Literal["check", "draft"]
"""What an answer is for: a text to be released, or anything else (a slot, a yes or no, a plan)."""


class GuideKind(StrEnum):
    """How the output is held to a form while it is decoded."""

    REGEX = "regex"
    JSON_SCHEMA = "json_schema"
    GRAMMAR = "grammar"


class Guide(Frozen):
    """A form that the decoded text is forced into; ``pattern`` is a regex, a JSON Schema text or a Lark grammar."""

    kind: GuideKind
    pattern: str


class CompletionRequest(Frozen):
    """One prompt for the local model; texts are NFC-normalised by the adapter, lengths are in tokens."""

    system: str
    user: str
    max_tokens: int = Field(default=128, ge=1, le=2048)
    guide: Guide | None = None
    deadline_s: float | None = Field(default=None, gt=0)
    purpose: Purpose = "check"


class Completion(Frozen):
    """The local model's answer. ``finish`` is ``length`` when the limit cut it: such text is never complete."""

    text: str
    finish: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    output_tokens: int
    duration_s: float
    model: str


class ModelLoad(Frozen):
    """What a local model does right now; rates and seconds are moving averages, 0 before the first measurement.

    Rates are tokens a second over all requests together, ``latency_s`` is a whole answer's; memory is that of tokens.
    ``purposes`` are what it answers.
    """

    model: str
    purposes: tuple[Purpose, ...] = ()
    waiting: int = 0
    running: int = 0
    latency_s: float = 0.0
    read_tokens_s: float = 0.0
    write_tokens_s: float = 0.0
    kv_bytes: int = 0
    kv_limit_bytes: int = 0
