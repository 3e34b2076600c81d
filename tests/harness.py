"""What connected tests share: the provisioned bus, and ways to wait for what happens on it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.links import Links, make_links
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.state import State, T
from hybridmesh.bus.topology import Bucket, filter_of, streams
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.schemas.message import Message


@dataclass(frozen=True, slots=True)
class Bus:
    """A running, provisioned bus."""

    server: NatsServer
    client: Client
    js: JetStreamContext
    keys: Path
    settings: MeshSettings

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    def state(self, bucket: Bucket, model: type[T]) -> State[T]:
        """Return a typed view of a bucket."""
        return State[T](self.js, bucket, model)

    async def links(self, agent: str) -> Links:
        """Return the links of one agent's identity over the shared connection."""
        return await make_links(self.client, read_identity(self.keys, agent), self.ring, self.settings)

    @property
    def ring(self) -> KeyRing:
        """Everybody's public keys."""
        return KeyRing.read(self.keys)

    async def collect(self, kind: type[Message], count: int, timeout: float = 10) -> list[bytes]:
        """Return the bodies of the first messages of a type, read without taking them from their queue."""
        prefix = filter_of(kind).removesuffix(">")
        # The last one: of what people submit the one with the lanes.
        stream = [place.name for place in streams() if any(kept.startswith(prefix) for kept in place.subjects)][-1]
        found: list[bytes] = []
        after = 1
        async with asyncio.timeout(timeout):
            while len(found) < count:
                try:
                    message = await self.js.get_msg(stream, seq=after, subject=filter_of(kind), direct=True, next=True)
                except NotFoundError:
                    await asyncio.sleep(0.02)
                    continue
                found.append(message.data or b"")
                after = (message.seq or after) + 1
        return found

    async def count(self, stream: str) -> int:
        """Return how many messages a stream holds."""
        return (await self.js.stream_info(stream)).state.messages


async def eventually(condition: Callable[[], Awaitable[bool]], timeout: float = 10) -> None:
    """Wait for a condition; raises TimeoutError."""
    async with asyncio.timeout(timeout):
        while not await condition():
            await asyncio.sleep(0.02)
