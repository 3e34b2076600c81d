"""Makes a bus ready for agents anywhere: its streams, consumers and buckets, and the keys of all who use it.

``hybridmesh up`` needs none of it: it does the same for its own server.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError

from hybridmesh.bus.borders import PROVISIONERS
from hybridmesh.bus.claimed_files import sole_writer
from hybridmesh.bus.connection import open_connection
from hybridmesh.bus.errors import MeshUnavailable, SetupError, UsageError
from hybridmesh.bus.identity import create_identities, create_users, read_seed, rotate_identity
from hybridmesh.bus.provisioner import part, provision
from hybridmesh.bus.seats import bound_seats, seats_of
from hybridmesh.bus.secret_files import copy_secret, write_secret
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.bus.tls import make_context, servers_of
from hybridmesh.bus.topology import TOPOLOGY, Account

_CONNECT_TIMEOUT_S = 10.0  # a server or cluster may be starting up
_KEYS_TIMEOUT_S = 10.0  # another command may be making keys, in a tenth of a second


async def provision_bus(url: str, settings: MeshSettings, *, replicas: int, keys: Path | None) -> None:
    """Bring the bus at ``url`` in line with the topology; ``keys`` is a folder to complete with missing keys.

    Safe to run again and while agents work. ``replicas`` is how many servers hold each stream (1, or 3 in a cluster).

    Raises:
        MeshUnavailable: no server answers, or none that lets these keys in.
        SetupError: the server has no JetStream, or too few servers for ``replicas``.

    """
    try:
        async with contextlib.AsyncExitStack() as stack:
            sides: dict[Account, JetStreamContext] = {}
            for account in Account:
                client = await stack.enter_async_context(connect_provisioner(url, keys, account, settings.bus))
                if keys is not None:
                    await asyncio.to_thread(create_keys, keys)
                sides[account] = client.jetstream()
                await provision(sides[account], settings.bus, replicas=replicas, accounts=(account,))
            await part(sides)
    except APIError as error:
        raise SetupError(
            f"the server refused: {error.description or 'it has no JetStream'}",
            remedy="start it with JetStream, in a cluster of as many servers as a stream has replicas",
        ) from error
    except (NatsError, OSError, TimeoutError) as error:
        raise MeshUnavailable("the server stopped answering; run it again, what is made stays") from error


def create_keys(folder: Path, tenants: Sequence[str] = ()) -> dict[str, str]:
    """Create what is missing in the folder, and return the public nkey of each identity.

    ``tenants`` get identities of their own; those that have them keep them for as long as their files are there.

    That is each identity with its nkey, their ring, the vault key, and the cloud's own folder: ``cloud/`` holds the
    ring and the keys of the agents in the account CLOUD and nothing else, so that a host or container with a way out
    needs to see neither the vault key nor anybody's identity but its own.

    Raises:
        UsageError: another command is changing the folder and does not end.

    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with sole_writer(folder, within_s=_KEYS_TIMEOUT_S):
        return _complete(folder, tenants)


def _complete(folder: Path, tenants: Sequence[str]) -> dict[str, str]:
    there = bound_seats(path.stem for path in folder.glob("*.nk"))
    asked = (name for tenant in tenants for name in seats_of(tenant))
    names = tuple(dict.fromkeys((*(row.agent for row in TOPOLOGY), *there, *asked)))
    create_identities(folder, names)
    users = create_users(folder, (*names, *PROVISIONERS))
    write_secret(folder / "vault.kek", secrets.token_bytes(32))
    cloud = folder / Account.CLOUD.lower()
    cloud.mkdir(mode=0o700, exist_ok=True)
    for row in TOPOLOGY:
        if row.account is Account.CLOUD:
            for file in (f"{row.agent}.key", f"{row.agent}.nk"):
                copy_secret(folder / file, cloud / file)
    draft = cloud / ".ring.json"
    draft.write_bytes((folder / "ring.json").read_bytes())
    draft.replace(cloud / "ring.json")
    return users


def rotate_keys(folder: Path, names: Sequence[str]) -> None:
    """Give identities new keys; the ring keeps the one before beside the new one, as messages of it are under way.

    It does not wait for another rotation: of two in a row, the key that agents run with would be the one to end.

    Raises:
        UsageError: there is no such identity, or another command is changing the folder.
        SetupError: a key or the ring is damaged.

    """
    bound = bound_seats(path.stem for path in folder.glob("*.nk"))
    known = (*(row.agent for row in TOPOLOGY), *PROVISIONERS, *bound)
    for name in names:
        if name not in known:
            raise UsageError(f"there is no identity {name!r}", remedy=f"choose one of {', '.join(known)}")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with sole_writer(folder, within_s=0):
        for name in names:
            rotate_identity(folder, name)
        _complete(folder, ())


def write_public(path: Path, text: str) -> None:
    """Write a file that anybody may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, "utf-8")
    draft.replace(path)


@contextlib.asynccontextmanager
async def connect_provisioner(
    url: str, keys: Path | None, account: Account, settings: BusSettings
) -> AsyncGenerator[Client]:
    """Connect as the one who may make the streams of an account; raises MeshUnavailable."""
    servers = servers_of(url, settings)
    (name,) = (name for name, home in PROVISIONERS.items() if home is account)
    seed = None if keys is None else read_seed(keys, name)
    async with open_connection(servers, name, seed, make_context(settings), within_s=_CONNECT_TIMEOUT_S) as client:
        yield client
