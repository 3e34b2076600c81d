"""A cloud that does what a test tells it: the Messages API over a real socket, which keeps every byte it gets.

``async with CloudDouble([rate_limited(1), answer("yes")]) as cloud`` plays one part a request; the last part is
played for all that follow. ``cloud.received`` is the oracle of every test that says "nothing left".
"""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

_HEAD_END = b"\r\n\r\n"
_PATHS = ("/v1/messages", "/v1/messages/count_tokens", "/v1/models")


@dataclass(frozen=True, slots=True)
class Received:
    """One request, taken apart; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as JSON."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


@dataclass(frozen=True, slots=True)
class Part:
    """What is sent back. ``then`` says what follows the last byte: a proper end, an early one, or silence."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    promised: int | None = None  # a Content-Length other than the truth
    then: Literal["end", "hang", "reset"] = "end"
    silent: bool = False  # not even a head


Script = Part | Callable[[Received], Part]


def message(text: str, *, stop: str = "end_turn", model: str = "claude-sonnet-5-5") -> dict[str, Any]:
    """Return a well-formed message of the Messages API."""
    return {
        "id": "msg_01DoubleDoubleDoubleDo",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text, "citations": None}] if text else [],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 7},
    }


def answer(text: str, *, stop: str = "end_turn", model: str = "claude-sonnet-5-5") -> Part:
    """A good answer, or one that ``stop`` says is none."""
    return as_json(message(text, stop=stop, model=model))


def as_json(value: object, status: int = 200, **headers: str) -> Part:
    """Any JSON value."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Part(status, json.dumps(value).encode(), {"content-type": "application/json", **named})


def failure(status: int, kind: str = "api_error", *, code: str | None = None, **headers: str) -> Part:
    """An error in the API's own form."""
    details = {} if code is None else {"details": {"error_code": code}}
    return as_json({"type": "error", "error": {"type": kind, "message": "no", **details}}, status, **headers)


def rate_limited(retry_after: str | None = None, *, code: str | None = None) -> Part:
    """Status 429, with or without a wish how long to wait."""
    headers = {} if retry_after is None else {"retry_after": retry_after}
    return failure(429, "rate_limit_error", code=code, **headers)


def web_page(status: int = 200) -> Part:
    """What a proxy in between says."""
    return Part(status, b"<html><body>Bad Gateway</body></html>", {"content-type": "text/html"})


def cut_short(part: Part, keep: int) -> Part:
    """The first bytes of an answer whose head promises all of it, then an end of the connection."""
    return Part(part.status, part.body[:keep], part.headers, promised=len(part.body))


def truncated_json(part: Part, keep: int) -> Part:
    """The first bytes of an answer, properly delivered."""
    return Part(part.status, part.body[:keep], part.headers)


def silence() -> Part:
    """Nothing at all, for as long as the other side waits."""
    return Part(silent=True, then="hang")


def reset() -> Part:
    """The connection breaks before the head."""
    return Part(silent=True, then="reset")


def stream(text: str, *, events: int | None = None) -> Part:
    """An answer as server-sent events; ``events`` cuts it after so many."""
    begin = message("", stop="end_turn") | {"stop_reason": None}
    sequence: list[dict[str, Any]] = [
        {"type": "message_start", "message": begin},
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "", "citations": None}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": w}}
            for w in text.split()
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in sequence[:events])
    return Part(200, body.encode(), {"content-type": "text/event-stream"})


def echo(request: Received) -> Part:
    """Say back all that was said: a leak shows up at home as well."""
    return answer(request.body.decode())


def mangle(how: Callable[[str], str]) -> Callable[[Received], Part]:
    """Answer with the user's text, changed: surrogates lost, renamed, split or made up."""
    return lambda request: answer(how(request.json["messages"][0]["content"]))


class CloudDouble:
    """The server; in the test's own event loop, on a port of its own."""

    def __init__(self, script: Sequence[Script] | Script | None = None) -> None:
        script = answer("a good answer") if script is None else script
        self._script: tuple[Script, ...] = (script,) if isinstance(script, Part) or callable(script) else tuple(script)
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self.received = b""
        self.connections = 0
        self.requests: list[Received] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def bodies(self) -> list[bytes]:
        """The body of each request."""
        return [request.body for request in self.requests]

    async def __aenter__(self) -> Self:
        await self.open_door(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close_door()

    async def open_door(self, port: int) -> None:
        """Listen, on the port that it had before or on any (0)."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", port)

    async def close_door(self) -> None:
        """End all connections and take no more."""
        assert self._server is not None
        self._server.close()
        for task in self._talks:
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        self.connections += 1
        try:
            request = await self._read(reader)
            if request is not None:
                await self._play(self._part_for(request), writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._talks.discard(task)
            with contextlib.suppress(ConnectionError):
                writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        try:
            head = await reader.readuntil(_HEAD_END)
        except asyncio.IncompleteReadError as error:
            self.received += error.partial
            return None
        self.received += head
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.received += body
        request = Received(method, path, headers, body)
        self.requests.append(request)
        return request

    def _part_for(self, request: Received) -> Part:
        """Refuse what the real API refuses; otherwise play the next part of the script."""
        if "authorization" not in request.headers and "x-api-key" not in request.headers:
            return failure(401, "authentication_error")
        if request.path.partition("?")[0] not in _PATHS:
            return failure(404, "not_found_error")
        if request.method == "POST":
            said = request.json
            if said.keys() & {"temperature", "top_p", "top_k"} or not isinstance(said.get("max_tokens"), int):
                return failure(400, "invalid_request_error")
        part = self._script[min(len(self.requests), len(self._script)) - 1]
        return part if isinstance(part, Part) else part(request)

    async def _play(self, part: Part, writer: asyncio.StreamWriter) -> None:
        if not part.silent:
            length = len(part.body) if part.promised is None else part.promised
            headers = {"request-id": "req_double", "content-length": str(length), "connection": "close", **part.headers}
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(f"HTTP/1.1 {part.status} Scripted\r\n{lines}\r\n".encode("latin-1") + part.body)
            await writer.drain()
        if part.then == "hang":
            await asyncio.Event().wait()
        if part.then == "reset":
            writer.transport.abort()


@contextlib.contextmanager
def walled(port: int = 0) -> Generator[int]:
    """Hold a port whose connections are never taken, nor refused: as behind a firewall that says nothing."""
    with contextlib.ExitStack() as stack:
        wall = stack.enter_context(socket.socket())
        wall.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wall.bind(("127.0.0.1", port))
        wall.listen(0)
        for _ in range(4):  # the queue of a listener who never accepts is full after one or two
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(wall.getsockname())
        time.sleep(0.1)
        yield wall.getsockname()[1]
