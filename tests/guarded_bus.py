"""A bus that lets in the mesh's identities alone, as ``hybridmesh up`` starts it, and connections to it."""

import asyncio
import contextlib
import shutil
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from nats.aio.client import Client

from hybridmesh.bus.borders import PROVISIONERS, inbox_of
from hybridmesh.bus.connection import Connection
from hybridmesh.bus.identity import KeyRing, read_identity, read_seed
from hybridmesh.bus.links import Links, make_links
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.bus.topology import Account
from hybridmesh.infra.nats.access import accounts_block
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.infra.provision import create_keys, provision_bus
from short_lived import short_lived

SETTINGS = MeshSettings(bus=BusSettings(ack_wait_s=2))


@dataclass(slots=True)
class Guarded:
    """A server that lets in the identities of a folder, and the connections to it."""

    server: NatsServer
    keys: Path
    stack: contextlib.AsyncExitStack
    refused: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    async def connect(self, name: str) -> Client:
        """Connect as an identity; what the server refuses it is kept."""
        errors = self.refused.setdefault(name, [])

        async def note(error: Exception) -> None:
            errors.append(str(error))

        client = Connection()
        self.stack.push_async_callback(client.leave)  # also where it is refused: nats-py leaves such a socket open
        await client.connect(
            self.server.url,
            nkeys_seed_str=read_seed(self.keys, name),
            inbox_prefix=inbox_of(name),
            error_cb=note,
            allow_reconnect=False,
        )
        return client

    async def links(self, name: str) -> Links:
        """Return the links of an identity over a connection of its own."""
        client = await self.connect(name)
        return await make_links(client, read_identity(self.keys, name), KeyRing.read(self.keys), SETTINGS)

    async def stored(self, stream: str, account: Account = Account.LOCAL) -> int:
        """Return how many messages a stream holds."""
        (name,) = (name for name, home in PROVISIONERS.items() if home is account)
        client = await self.connect(name)
        return (await client.jetstream().stream_info(stream)).state.messages


@dataclass(frozen=True, slots=True)
class Template:
    """What a server with the accounts and permissions of the topology has at its start, provisioned."""

    folder: Path
    access: str

    @classmethod
    def make(cls, folder: Path) -> "Template":
        """Make one in a folder, by a server that runs meanwhile."""
        keys = folder / "keys"
        access = accounts_block(create_keys(keys, ("acme", "globex")))
        with NatsServer(folder / "nats", access=access) as server:
            asyncio.run(provision_bus(server.url, SETTINGS, replicas=1, keys=keys))
        return cls(folder, access)

    @contextlib.contextmanager
    def server(self, folder: Path) -> Generator[tuple[NatsServer, Path]]:
        """Run such a server in a folder; yield it with its folder of keys."""
        keys = shutil.copytree(self.folder / "keys", folder / "keys")
        with short_lived(folder / "nats", template=self.folder / "nats", access=self.access) as server:
            yield server, keys
