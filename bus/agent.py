"""What an agent is to the bus: a name, a handler for each message type it consumes, and the requests it serves.

An agent's handler takes one message and returns the messages that follow from it. It is called at least once a
message; what it returns is published, audit events first, and only then is its message acknowledged.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel

from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.inference import ModelLoad
from hybridmesh.schemas.message import Message

Handler = Callable[[Any], Awaitable[Sequence[Message]]]
Clock = Callable[[], datetime]
ASKER: ContextVar[str | None] = ContextVar("asker", default=None)
"""Whose signature the request bears that is being answered, once it was found to hold."""


@dataclass(frozen=True, slots=True)
class Service:
    """A request that an agent answers; ``subject`` is one of the topology's request subjects."""

    subject: str
    request: type[BaseModel]
    answer: Callable[[Any], Awaitable[BaseModel]]


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent, wired: what the application shell runs.

    ``watches`` are loops that run beside the handlers for as long as the agent lives; ``close`` releases what
    the agent holds after its last message; ``loads`` says how busy its models are, ``note`` what people should know of
    the replica; ``tenant_of`` whose a task is, for who ends tasks.
    """

    name: str
    handlers: Mapping[type[Message], Handler] = field(default_factory=dict[type[Message], Handler])
    services: tuple[Service, ...] = ()
    watches: tuple[Callable[[], Coroutine[None, None, None]], ...] = ()
    close: Callable[[], Awaitable[None]] | None = None
    loads: Callable[[], Sequence[ModelLoad]] = tuple
    note: Callable[[], str] = str
    tenant_of: Callable[[str], Awaitable[str]] | None = None


class AuditLog(Protocol):
    """Where an agent writes an audit event that must be on disk before it goes on (an egress, above all)."""

    async def record(self, event: AuditEvent) -> None:
        """Return when the event is stored; raises MeshUnavailable when it is not."""
        ...
