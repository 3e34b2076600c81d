"""What an agent or a client is built from: its connection, its identity, and ways to publish, ask and keep state."""

from dataclasses import dataclass

from nats.aio.client import Client
from nats.js import JetStreamContext

from hybridmesh.bus.agent import Clock
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.publisher import Publisher, utc_now
from hybridmesh.bus.requests import Asker
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.state import State, T
from hybridmesh.bus.topology import Bucket


@dataclass(frozen=True, slots=True)
class Links:
    """What an agent is built from: its connection, its identity, and ways to publish, ask and keep state."""

    client: Client
    js: JetStreamContext
    identity: Identity
    ring: KeyRing
    publisher: Publisher
    asker: Asker
    settings: MeshSettings
    clock: Clock

    def state(self, bucket: Bucket, model: type[T]) -> State[T]:
        """Return a typed view of a bucket."""
        return State[T](self.js, bucket, model)


async def make_links(client: Client, identity: Identity, ring: KeyRing, settings: MeshSettings) -> Links:
    """Return the links of one identity over an open connection."""
    js = client.jetstream()
    return Links(
        client=client,
        js=js,
        identity=identity,
        ring=ring,
        publisher=Publisher(js, identity, max_body_bytes=settings.bus.max_body_bytes),
        asker=Asker(client, identity, timeout_s=settings.models.request_timeout_s),
        settings=settings,
        clock=utc_now,
    )
