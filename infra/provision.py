"""Makes a bus ready for agents anywhere: its streams, consumers and buckets, and the keys of all who use it.

``hybridmesh up`` needs none of it: it does the same for its own server.
"""

import asyncio
import secrets
from pathlib import Path

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from hybridmesh.bus.errors import MeshUnavailable, SetupError
from hybridmesh.bus.identity import create_identities, read_identity, write_secret
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.topology import TOPOLOGY, Account

_CONNECT_TRIES = 5


async def provision_bus(url: str, settings: MeshSettings, *, replicas: int, keys: Path | None) -> None:
    """Bring the bus at ``url`` in line with the topology; ``keys`` is a folder to complete with missing keys.

    Safe to run again and while agents work. ``replicas`` is how many servers hold each stream (1, or 3 in a cluster).

    Raises:
        MeshUnavailable: no server answers.
        SetupError: the server has no JetStream, or too few servers for ``replicas``.

    """
    client = await _connect(url)
    try:
        if keys is not None:
            await asyncio.to_thread(create_keys, keys)
        await provision(client.jetstream(), settings.bus, replicas=replicas)
    except APIError as error:
        raise SetupError(
            f"the server refused: {error.description or 'it has no JetStream'}",
            remedy="start it with JetStream, in a cluster of as many servers as a stream has replicas",
        ) from error
    except (NatsError, OSError, TimeoutError) as error:
        raise MeshUnavailable("the server stopped answering; run it again, what is made stays") from error
    finally:
        await client.close()


def create_keys(folder: Path) -> None:
    """Create what is missing in the folder: each identity, their ring, the vault key, and the cloud's own folder.

    ``cloud/`` holds the ring and the keys of the agents in the account CLOUD and nothing else, so that a host or
    container with a way out needs to see neither the vault key nor anybody's identity but its own.
    """
    create_identities(folder, tuple(row.agent for row in TOPOLOGY))
    write_secret(folder / "vault.kek", secrets.token_bytes(32))
    cloud = folder / Account.CLOUD.lower()
    cloud.mkdir(mode=0o700, exist_ok=True)
    for row in TOPOLOGY:
        if row.account is Account.CLOUD:
            write_secret(cloud / f"{row.agent}.key", read_identity(folder, row.agent).key.private_bytes_raw())
    draft = cloud / ".ring.json"
    draft.write_bytes((folder / "ring.json").read_bytes())
    draft.replace(cloud / "ring.json")


async def _connect(url: str) -> Client:
    try:
        return await nats.connect(
            url,
            name="hybridmesh-provision",
            connect_timeout=3,
            reconnect_time_wait=1,
            max_reconnect_attempts=_CONNECT_TRIES,
            error_cb=_ignore,
        )
    except (NatsError, OSError, TimeoutError) as error:
        raise MeshUnavailable("no NATS server answers there") from error


async def _ignore(_: Exception) -> None:
    """The calls themselves raise; the library's own log lines would be noise."""
