"""The simulated cloud as an ASGI application: the Messages API in front of the local model."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, TypeVar

import uuid_utils
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from hybridmesh.bus.agent import Clock
from hybridmesh.bus.errors import MeshError, ModelUnavailable
from hybridmesh.bus.ports import LocalModel
from hybridmesh.infra.simulated_cloud.fitting import fit
from hybridmesh.infra.simulated_cloud.record import Recorder
from hybridmesh.infra.simulated_cloud.wire import (
    Answer,
    Countable,
    MessageRequest,
    as_error,
    as_events,
    as_message,
    as_model,
    complaint,
    simulated_name,
    text_of,
)
from hybridmesh.schemas.inference import CompletionRequest, Guide, GuideKind

T = TypeVar("T", bound=Countable)

_KINDS = {401: "authentication_error", 404: "not_found_error"}
_MARK = {"x-simulated": "true"}
# A small model that has not ended a text by then goes round in circles, and it writes 20 to 40 tokens a second.
_MOST_TEXT = 100
_MOST_JSON = 1024
_TEMPLATE_TOKENS = 64  # what a chat template puts around a prompt, generously


class CountingModel(LocalModel, Protocol):
    """A local model that also knows how long a text is to it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return the tokens of a text."""
        ...


class SimulatedCloud:
    """Answers the routes; ``max_prompt_tokens`` is the model's limit, ``deadline_s`` that of one answer."""

    def __init__(self, model: CountingModel, *, max_prompt_tokens: int, deadline_s: float) -> None:
        self._model = model
        self._room = max_prompt_tokens - _TEMPLATE_TOKENS
        self._deadline_s = deadline_s

    async def create(self, request: Request) -> Response:
        """POST /v1/messages."""
        asked = await _parse(request, MessageRequest)
        answer, cut = await self._answer(asked)
        headers = {**_ids(), "x-simulated-cut": str(cut)}
        if asked.stream:
            return StreamingResponse(as_events(answer), media_type="text/event-stream", headers=headers)
        return JSONResponse(as_message(answer), headers=headers)

    async def count(self, request: Request) -> Response:
        """POST /v1/messages/count_tokens."""
        asked = await _parse(request, Countable)
        tokens = self._model.count_tokens(text_of(asked.system)) + self._model.count_tokens(asked.user_text)
        return JSONResponse({"input_tokens": tokens}, headers=_ids())

    async def models(self, request: Request) -> Response:
        """GET /v1/models."""
        _require_key(request)
        name = simulated_name(self._model.name)
        listed = {"data": [as_model(name)], "has_more": False, "first_id": name, "last_id": name}
        return JSONResponse(listed, headers=_ids())

    async def _answer(self, asked: MessageRequest) -> tuple[Answer, int]:
        """Ask the model what fits into its context; also return how many characters did not."""
        system, user, cut = await asyncio.to_thread(self._fit, asked)
        form = asked.output_config.format
        completion = await self._model.complete(
            CompletionRequest(
                system=system,
                user=user,
                max_tokens=min(asked.max_tokens, _MOST_TEXT if form is None else _MOST_JSON),
                guide=None if form is None else Guide(kind=GuideKind.JSON_SCHEMA, pattern=json.dumps(form.json_schema)),
                deadline_s=self._deadline_s,
            )
        )
        answer = Answer(
            id=f"msg_simulated_{uuid_utils.uuid7().hex}",
            text=completion.text,
            model=simulated_name(asked.model),
            stop="end_turn" if completion.finish == "stop" else "max_tokens",
            input_tokens=completion.prompt_tokens,
            output_tokens=completion.output_tokens,
        )
        return answer, cut

    def _fit(self, asked: MessageRequest) -> tuple[str, str, int]:
        size_of = self._model.count_tokens
        system, cut_system = fit(text_of(asked.system), self._room // 2, size_of)
        user, cut_user = fit(asked.user_text, self._room - size_of(system), size_of)
        return system, user, cut_system + cut_user


def build_app(
    model: CountingModel, record: Path, clock: Clock, *, max_prompt_tokens: int = 1536, deadline_s: float = 120.0
) -> Starlette:
    """Return the application; every request is in the record before it is answered."""
    cloud = SimulatedCloud(model, max_prompt_tokens=max_prompt_tokens, deadline_s=deadline_s)
    return Starlette(
        routes=[
            Route("/v1/messages", cloud.create, methods=["POST"]),
            Route("/v1/messages/count_tokens", cloud.count, methods=["POST"]),
            Route("/v1/models", cloud.models, methods=["GET"]),
        ],
        middleware=[Middleware(Recorder, file=record, clock=clock)],
        exception_handlers={HTTPException: _show_refusal, MeshError: _show_failure},
    )


async def _parse(request: Request, kind: type[T]) -> T:
    _require_key(request)
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        raise HTTPException(400, complaint(problems)) from None


def _require_key(request: Request) -> None:
    """Any key will do: the real one is never sent here."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not bearer and not request.headers.get("x-api-key"):
        raise HTTPException(401, "a key is needed; any will do here")


def _ids() -> dict[str, str]:
    return {**_MARK, "request-id": f"req_simulated_{uuid_utils.uuid7().hex}"}


def _error(status: int, kind: str, text: str, more: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(as_error(kind, text), status_code=status, headers={**_ids(), **(more or {})})


async def _show_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's signature knows only Exception
    return _error(error.status_code, _KINDS.get(error.status_code, "invalid_request_error"), error.detail)


async def _show_failure(_: Request, error: Exception) -> Response:
    """A busy or slow model is an overloaded cloud; a prompt or schema that it cannot take is a bad request."""
    assert isinstance(error, MeshError)  # noqa: S101 - Starlette's signature knows only Exception
    if isinstance(error, ModelUnavailable):
        wait = {} if error.retry_after_s is None else {"retry-after": str(error.retry_after_s)}
        return _error(529, "overloaded_error", error.reason, wait)
    return _error(400, "invalid_request_error", error.reason)
