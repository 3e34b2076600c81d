"""The Messages API in data: what is asked, what is answered, errors and server-sent events; pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_NAME = "simulated"


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class TextBlock(_Wire):
    """A piece of text; other kinds of content are not simulated."""

    type: Literal["text"]
    text: str


Content = str | tuple[TextBlock, ...]


class Turn(_Wire):
    """One side's words."""

    role: Literal["user", "assistant"]
    content: Content


class JsonFormat(_Wire):
    """Hold the answer to a JSON schema."""

    type: Literal["json_schema"]
    json_schema: dict[str, Any] = Field(alias="schema")


class OutputConfig(_Wire):
    """How the answer is to look; the effort is taken note of and nothing more."""

    format: JsonFormat | None = None
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None


class Countable(_Wire):
    """What makes up a prompt. Parameters that the API does not know are errors, sampling parameters among them."""

    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[tuple[Turn, ...], Field(min_length=1)]
    system: Content = ""
    output_config: OutputConfig = OutputConfig()
    inference_geo: str | None = None
    metadata: dict[str, Any] | None = None

    @property
    def user_text(self) -> str:
        """All turns as one text; a single one as it is."""
        if len(self.messages) == 1:
            return text_of(self.messages[0].content)
        return "\n\n".join(f"{turn.role}: {text_of(turn.content)}" for turn in self.messages)


class MessageRequest(Countable):
    """A question."""

    max_tokens: Annotated[int, Field(ge=1)]
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the local model said, in the API's terms."""

    id: str
    text: str
    model: str
    stop: Literal["end_turn", "max_tokens"]
    input_tokens: int
    output_tokens: int


def text_of(content: Content) -> str:
    """Return the text of a content."""
    return content if isinstance(content, str) else "\n".join(block.text for block in content)


def simulated_name(model: str) -> str:
    """Return the name under which a model answers here."""
    return model if model.startswith(_NAME) else f"{_NAME}-{model}"


def as_message(answer: Answer) -> dict[str, Any]:
    """Return the answer as the body of a response."""
    return {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [{"type": "text", "text": answer.text, "citations": None}],
        "stop_reason": answer.stop,
        "stop_sequence": None,
        "usage": {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens},
    }


def as_error(kind: str, text: str) -> dict[str, Any]:
    """Return the body of an error."""
    return {"type": "error", "error": {"type": kind, "message": text}}


def as_model(name: str) -> dict[str, Any]:
    """Return an entry of the list of models."""
    return {
        "type": "model",
        "id": name,
        "display_name": f"{name} (simulated)",
        "created_at": "1970-01-01T00:00:00Z",  # the API's own value for an unknown date
        "lifecycle": "active",
    }


def as_events(answer: Answer) -> Iterator[bytes]:
    """Yield the answer as server-sent events, a word a piece."""
    whole = as_message(answer)
    usage = {"input_tokens": answer.input_tokens, "output_tokens": 0}
    yield _event("message_start", {"message": {**whole, "content": [], "stop_reason": None, "usage": usage}})
    block = {"type": "text", "text": "", "citations": None}
    yield _event("content_block_start", {"index": 0, "content_block": block})
    yield _event("ping", {})
    for piece in re.findall(r"\s*\S+\s*", answer.text) or [answer.text]:
        yield _event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": piece}})
    yield _event("content_block_stop", {"index": 0})
    ending = {"stop_reason": answer.stop, "stop_sequence": None}
    yield _event("message_delta", {"delta": ending, "usage": {"output_tokens": answer.output_tokens}})
    yield _event("message_stop", {})


def _event(name: str, fields: Mapping[str, object]) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


def complaint(problems: Sequence[Mapping[str, Any]]) -> str:
    """Return what is wrong with a request: the places, never the values."""
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in problems)
