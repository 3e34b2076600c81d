"""The last door before the network: an httpx2 transport that sends nothing its gate has not read.

It works on what is really sent: whatever an SDK adds to a request has been added by then. Only the headers that
the API needs pass, so no machine fingerprint, trace context or header from the environment leaves.
"""

import hashlib
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast

import httpx2

from hybridmesh.agents.consultant.port import Gate
from hybridmesh.bus.errors import PermanentError

SENT_SHA256 = "hybridmesh.sent_sha256"  # the response extension that holds the hash of the request's body

ALLOWED_HEADERS = frozenset(
    {"accept", "anthropic-version", "authorization", "connection", "content-length", "content-type", "host"}
)
_FIXED_HEADERS = {"accept-encoding": "identity", "user-agent": "hybridmesh"}

_gate: ContextVar[Gate | None] = ContextVar("hybridmesh_gate", default=None)


@contextmanager
def gated(gate: Gate) -> Generator[None]:
    """Let requests of this context through ``gate``; outside of it nothing is sent."""
    token = _gate.set(gate)
    try:
        yield
    finally:
        _gate.reset(token)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Passes a request's body through the gate, thins its headers, and limits the answer's size in bytes."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, *, max_answer_bytes: int) -> None:
        self._inner = inner
        self._max_answer_bytes = max_answer_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request; raises what the gate raises, and PermanentError where there is no gate."""
        gate = _gate.get()
        if gate is None:
            raise PermanentError("a request outside of any gate", reason="ungated-egress")
        body = await request.aread()
        await gate(body)
        kept = {name: value for name, value in request.headers.items() if name.lower() in ALLOWED_HEADERS}
        outgoing = httpx2.Request(
            request.method,
            request.url,
            headers={**kept, **_FIXED_HEADERS},
            content=body,
            extensions=request.extensions,
        )
        response = await self._inner.handle_async_request(outgoing)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise PermanentError("a compressed answer that nobody asked for", reason="cloud-bad-encoding")
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_LimitedStream(cast("httpx2.AsyncByteStream", response.stream), self._max_answer_bytes),
            extensions={**response.extensions, SENT_SHA256: hashlib.sha256(body).hexdigest()},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _LimitedStream(httpx2.AsyncByteStream):
    """An answer's bytes, up to a limit."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for chunk in self._stream:
            seen += len(chunk)
            if seen > self._limit:
                raise PermanentError("the answer is too large", reason="cloud-answer-too-large")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
