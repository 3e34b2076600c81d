"""Makes a bus ready for agents anywhere: its streams, consumers and buckets, and the keys of all who use it.

``hybridmesh up`` needs none of it: it does the same for its own server.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from hybridmesh.bus.errors import MeshUnavailable, SetupError
from hybridmesh.bus.identity import create_identities, create_users, read_seed, write_secret
from hybridmesh.bus.permissions import PROVISIONERS, inbox_of
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.topology import TOPOLOGY, Account

_CONNECT_TRIES = 5


async def provision_bus(url: str, settings: MeshSettings, *, replicas: int, keys: Path | None) -> None:
    """Bring the bus at ``url`` in line with the topology; ``keys`` is a folder to complete with missing keys.

    Safe to run again and while agents work. ``replicas`` is how many servers hold each stream (1, or 3 in a cluster).

    Raises:
        MeshUnavailable: no server answers, or none that lets these keys in.
        SetupError: the server has no JetStream, or too few servers for ``replicas``.

    """
    if keys is not None:
        await asyncio.to_thread(create_keys, keys)
    try:
        for account in Account:
            async with connect_provisioner(url, keys, account) as client:
                await provision(client.jetstream(), settings.bus, replicas=replicas, accounts=(account,))
    except APIError as error:
        raise SetupError(
            f"the server refused: {error.description or 'it has no JetStream'}",
            remedy="start it with JetStream, in a cluster of as many servers as a stream has replicas",
        ) from error
    except (NatsError, OSError, TimeoutError) as error:
        raise MeshUnavailable("the server stopped answering; run it again, what is made stays") from error


def create_keys(folder: Path) -> dict[str, str]:
    """Create what is missing in the folder, and return the public nkey of each identity.

    That is each identity with its nkey, their ring, the vault key, and the cloud's own folder: ``cloud/`` holds the
    ring and the keys of the agents in the account CLOUD and nothing else, so that a host or container with a way out
    needs to see neither the vault key nor anybody's identity but its own.
    """
    names = tuple(row.agent for row in TOPOLOGY)
    create_identities(folder, names)
    users = create_users(folder, (*names, *PROVISIONERS))
    write_secret(folder / "vault.kek", secrets.token_bytes(32))
    cloud = folder / Account.CLOUD.lower()
    cloud.mkdir(mode=0o700, exist_ok=True)
    for row in TOPOLOGY:
        if row.account is Account.CLOUD:
            for file in (f"{row.agent}.key", f"{row.agent}.nk"):
                write_secret(cloud / file, (folder / file).read_bytes())
    draft = cloud / ".ring.json"
    draft.write_bytes((folder / "ring.json").read_bytes())
    draft.replace(cloud / "ring.json")
    return users


@contextlib.asynccontextmanager
async def connect_provisioner(url: str, keys: Path | None, account: Account) -> AsyncGenerator[Client]:
    """Connect as the one who may make the streams of an account; raises MeshUnavailable."""
    (name,) = (name for name, home in PROVISIONERS.items() if home is account)
    client = await _connect(url, name, None if keys is None else read_seed(keys, name))
    try:
        yield client
    finally:
        await client.close()


async def _connect(url: str, name: str, seed: str | None) -> Client:
    client = Client()
    try:
        await client.connect(
            url,
            name=f"hybridmesh-{name}",
            nkeys_seed_str=seed,
            inbox_prefix=inbox_of(name),
            connect_timeout=3,
            reconnect_time_wait=1,
            max_reconnect_attempts=_CONNECT_TRIES,
            error_cb=_ignore,
        )
    except (NatsError, OSError, TimeoutError) as error:
        await client.close()  # a connection that was refused is still open on this side
        raise MeshUnavailable("no NATS server answers there, or it does not know these keys") from error
    return client


async def _ignore(_: Exception) -> None:
    """The calls themselves raise; the library's own log lines would be noise."""
