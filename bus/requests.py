"""Request and reply between agents: signed requests, typed replies, errors that keep their kind."""

import asyncio
import base64
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel, ValidationError

from hybridmesh.bus.agent import ASKER, Clock, Service
from hybridmesh.bus.envelope import SIGNATURE, producer_of, signature_problem, signed_bytes
from hybridmesh.bus.errors import (
    InvalidMessage,
    MemoryUnavailable,
    MeshError,
    MeshUnavailable,
    ModelUnavailable,
    PermanentError,
    StoreFailed,
    TransientError,
    Unanswerable,
    UntrustedMessage,
    UsageError,
)
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.topology import Ask, askers_of
from hybridmesh.schemas.inference import Completion, CompletionRequest
from hybridmesh.schemas.memory import (
    Forget,
    ForgetReceipt,
    Hits,
    Lookup,
    Rank,
    Ranking,
    Remember,
    Remembered,
    Search,
)

R = TypeVar("R", bound=BaseModel)

ERROR_HEADER = "mesh-error"
# How far a request's time may be off: clocks that differ by a quarter of an hour must do no harm, but what was kept and
# is asked once more later is refused.
_VALID_S = 3600.0
_LOOK_S = 0.5  # between two looks whether the connection still is the one that was asked over
_LOOKED_UP_S = 20.0  # what the memory knows it tells in a fraction of a second: who is silent so long was killed
_KINDS: dict[str, type[MeshError]] = {
    kind.__name__: kind
    for kind in (
        MemoryUnavailable,
        MeshUnavailable,
        ModelUnavailable,
        PermanentError,
        StoreFailed,
        TransientError,
        Unanswerable,
        UntrustedMessage,
    )
}


class Asker:
    """Sends signed requests under one identity."""

    def __init__(self, client: Client, identity: Identity, *, timeout_s: float, clock: Clock = utc_now) -> None:
        self._client = client
        self._identity = identity
        self._timeout_s = timeout_s
        self._clock = clock

    async def ask(self, ask: Ask, request: BaseModel, reply: type[R], *, timeout_s: float | None = None) -> R:
        """Return the answer.

        Raises:
            MeshUnavailable: nobody answers, or the connection was lost meanwhile.
            MeshError: the error that the answering agent raised, of the same kind and reason.

        """
        body = request.model_dump_json().encode()
        headers = {
            "ce-source": f"/hybridmesh/{self._identity.name}",
            "ce-type": f"hybridmesh.ask.{ask}",
            "ce-time": self._clock().isoformat(),
        }
        headers[SIGNATURE] = base64.b64encode(self._identity.sign(signed_bytes(ask, headers, body))).decode()
        try:
            answer = await self._request(ask, body, headers, timeout_s or self._timeout_s)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise MeshUnavailable(f"no answer on {ask}: {type(error).__name__}") from error
        if answer.headers and (kind := answer.headers.get(ERROR_HEADER)):
            name, _, reason = kind.partition(":")
            raise _KINDS.get(name, TransientError)(reason=reason)
        try:
            return reply.model_validate_json(answer.data)
        except ValidationError:
            raise InvalidMessage(f"the answer on {ask} cannot be read") from None

    async def _request(self, ask: Ask, body: bytes, headers: dict[str, str], timeout_s: float) -> Msg:
        """Await the reply, but not on a connection that is another one by now: what was asked over it may be lost."""
        connection = self._client.stats["reconnects"]
        asking = asyncio.create_task(self._client.request(ask, body, timeout=timeout_s, headers=headers))
        try:
            while not (await asyncio.wait({asking}, timeout=_LOOK_S))[0]:
                if self._client.stats["reconnects"] != connection:
                    raise MeshUnavailable(f"the connection was lost while {ask} was asked")
            return asking.result()
        finally:
            asking.cancel()


async def answer(
    service: Service, headers: Mapping[str, str], body: bytes, ring: KeyRing, clock: Clock = utc_now
) -> tuple[bytes, dict[str, str]]:
    """Check a request, have the service answer it, and return the reply's body and headers.

    Raises:
        MemoryError: the service got no memory; its process is to end.

    """
    try:
        _trust(service, headers, body, ring, clock())
        ASKER.set(producer_of(headers))
        request = service.request.model_validate_json(body)
        return (await service.answer(request)).model_dump_json().encode(), {}
    except ValidationError:
        return b"", {ERROR_HEADER: f"{PermanentError.__name__}:invalid-request"}
    except UsageError as error:  # its words are for the person at a command line; asking again cannot help
        return b"", {ERROR_HEADER: f"{PermanentError.__name__}:{error.reason}"}
    except MeshError as error:
        return b"", {ERROR_HEADER: f"{type(error).__name__}:{error.reason}"}
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost boundary: the asker must hear that it failed
        return b"", {ERROR_HEADER: f"{TransientError.__name__}:{type(error).__name__}"}


def _trust(service: Service, headers: Mapping[str, str], body: bytes, ring: KeyRing, now: datetime) -> None:
    problem = signature_problem(service.subject, headers, body, ring)
    if problem is None and producer_of(headers) not in askers_of(Ask(service.subject)):
        problem = "the topology does not name the asker"
    if problem is None and not _is_fresh(headers.get("ce-time", ""), now):
        problem = "the request has expired"
    if problem is not None:
        raise UntrustedMessage(problem)


def _is_fresh(told: str, now: datetime) -> bool:
    try:
        return abs((now - datetime.fromisoformat(told)).total_seconds()) <= _VALID_S
    except (ValueError, TypeError):  # no time, or one without its zone
        return False


class RemoteModel:
    """The local model over the bus: the port ``LocalModel`` for agents that do not run it themselves."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer one prompt; raises ModelUnavailable when no worker answers."""
        try:
            return await self._asker.ask(Ask.COMPLETE, request, Completion, timeout_s=request.deadline_s)
        except MeshUnavailable as error:
            raise ModelUnavailable(str(error)) from error


class RemoteMemory:
    """The private memory over the bus: the port ``Memory``."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def remember(self, request: Remember) -> Remembered:
        """Store items durably."""
        return await self._ask(Ask.REMEMBER, request, Remembered)

    async def search(self, request: Search) -> Hits:
        """Find by meaning and words."""
        return await self._ask(Ask.SEARCH, request, Hits, _LOOKED_UP_S)

    async def lookup(self, request: Lookup) -> Hits:
        """Find by exact key."""
        return await self._ask(Ask.LOOKUP, request, Hits, _LOOKED_UP_S)

    async def rank(self, request: Rank) -> Ranking:
        """Compare a text with descriptions by meaning."""
        return await self._ask(Ask.RANK, request, Ranking, _LOOKED_UP_S)

    async def forget(self, request: Forget) -> ForgetReceipt:
        """Remove without a trace."""
        return await self._ask(Ask.FORGET, request, ForgetReceipt)

    async def _ask(self, ask: Ask, request: BaseModel, reply: type[R], timeout_s: float | None = None) -> R:
        try:
            return await self._asker.ask(ask, request, reply, timeout_s=timeout_s)
        except MeshUnavailable as error:
            raise MemoryUnavailable(str(error)) from error
