"""The record of everything that arrived at the simulated cloud, byte for byte, one JSON line a request."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "cookie"})


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as it came in; ``headers`` without those that hold a key."""

    at: datetime
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Recorder:
    """ASGI middleware: writes a request to the file before anybody answers it."""

    def __init__(self, app: ASGIApp, file: Path, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._file = file
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request after it is on record."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read_all(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        kept = {name: value for name, value in headers.items() if name not in _SECRET_HEADERS}
        self._write(Arrival(self._clock(), scope["method"], scope["path"], kept, body))
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    def _write(self, arrival: Arrival) -> None:
        line = {
            "at": arrival.at.isoformat(),
            "method": arrival.method,
            "path": arrival.path,
            "headers": dict(arrival.headers),
            # Bytes that are no UTF-8 become lone surrogates, which JSON's escapes carry: nothing is lost.
            "body": arrival.body.decode("utf-8", "surrogateescape"),
        }
        with self._file.open("a", encoding="ascii") as file:
            file.write(json.dumps(line, ensure_ascii=True) + "\n")


def read_record(file: Path) -> Iterator[Arrival]:
    """Yield what arrived, in order; the bodies are the bytes that came in."""
    if not file.exists():
        return
    for line in file.read_text("ascii").splitlines():
        entry = json.loads(line)
        yield Arrival(
            at=datetime.fromisoformat(entry["at"]),
            method=entry["method"],
            path=entry["path"],
            headers=entry["headers"],
            body=entry["body"].encode("utf-8", "surrogateescape"),
        )


async def _read_all(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return b"".join(chunks)
