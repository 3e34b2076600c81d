"""Has a mesh that runs take keys that were rotated, and tenants that came or went, without a restart of the whole."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

from hybridmesh.bus.borders import PROVISIONERS
from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.identity import read_users
from hybridmesh.bus.topology import TOPOLOGY
from hybridmesh.infra.fleet import Tell
from hybridmesh.infra.nats.access import accounts_block

_LOOK_S = 0.5
_NEEDED = {*(row.agent for row in TOPOLOGY), *PROVISIONERS}

Stamp = frozenset[tuple[str, int, int]]
LetIn = Callable[[str], None]
Renew = Callable[[Collection[str], Callable[[], Awaitable[None]]], Awaitable[None]]


class KeyWatch:
    """Watches a folder of keys; ``users`` are the public nkeys that the server knows.

    ``renew`` drains the agents of these names, makes a change and starts them again: what they have in hand is done
    under the key that it was begun by. ``let_in`` gives the server its accounts. Of a folder where a key is missing
    nothing is taken: the server goes on with what it has.
    """

    def __init__(self, folder: Path, users: Mapping[str, str], renew: Renew, let_in: LetIn, tell: Tell) -> None:
        self._folder = folder
        self._users = dict(users)
        self._renew = renew
        self._let_in = let_in
        self._tell = tell
        self._seen: Stamp | None = None

    async def watch(self) -> None:
        """Look every half second, for ever."""
        while True:
            try:
                await self.look()
            except (SetupError, OSError) as error:
                self._tell(f"keys that changed are not taken: {error}")
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Take what has changed since the last look; raises SetupError or OSError where a key cannot be read."""
        seen = _stamp(self._folder)
        if seen == self._seen:
            return
        self._seen = seen
        users = read_users(self._folder)
        changed = {name for name in {*users, *self._users} if users.get(name) != self._users.get(name)}
        if not changed:
            return
        if missing := sorted(_NEEDED - users.keys()):
            raise SetupError(f"{', '.join(missing)} not in {self._folder}", remedy="put them there again")

        async def let_in() -> None:
            await asyncio.to_thread(self._let_in, accounts_block(users))

        await self._renew(changed & self._users.keys(), let_in)
        self._users = users
        self._tell(f"new keys taken: {', '.join(sorted(changed))}")


def _stamp(folder: Path) -> Stamp:
    """Return what tells one set of key files from the next: none is written in place."""
    found: set[tuple[str, int, int]] = set()
    for path in folder.glob("[!.]*.nk"):
        try:
            about = path.stat()
        except FileNotFoundError:
            continue
        found.add((path.name, about.st_mtime_ns, about.st_ino))
    return frozenset(found)
