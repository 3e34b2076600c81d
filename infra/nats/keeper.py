"""Keeps the embedded server at work: started again when it died or its disk was full, and made ready each time."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from hybridmesh.bus.errors import MeshError
from hybridmesh.infra.disk import free_bytes
from hybridmesh.infra.fleet import Tell
from hybridmesh.infra.nats.server import NatsServer

_LOOK_S = 0.5
_FULL_BYTES = 4 * 1024**2
_ROOM_BYTES = 16 * 1024**2


class Keeper:
    """Watches one server and the disk of its ``store``; ``prepare`` makes what is missing on it, as after a wipe.

    A nats-server whose disk was full once refuses to write to the streams that met it, with room or without, until it
    is started again.
    """

    def __init__(self, server: NatsServer, store: Path, prepare: Callable[[], Awaitable[None]], tell: Tell) -> None:
        self._server = server
        self._store = store
        self._prepare = prepare
        self._tell = tell
        self._told = ""
        self._full = False
        self._ready = True

    async def watch(self) -> None:
        """Look every half second, for ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await self.look()
            except (MeshError, OSError) as error:  # a full disk takes no configuration either
                self._say(f"nats-server is not ready, trying again: {error}")

    async def look(self) -> None:
        """Do what is needed now; raises MeshError or OSError when that fails."""
        free = free_bytes(self._store)
        if not self._server.alive():
            await self._start_again("nats-server died; starting it again on the same store and port")
        elif self._full and free >= _ROOM_BYTES:
            await self._start_again("there is room on the disk; starting nats-server again, so that it writes")
            self._full = False
        elif not self._full and free < _FULL_BYTES:
            self._full = True
            self._say("the disk is full: nothing new is taken until there is room")
        if not self._ready:
            await self._prepare()
            self._ready = True
            self._told = ""

    async def _start_again(self, why: str) -> None:
        self._say(why)
        self._ready = False
        await asyncio.to_thread(self._server.restart)

    def _say(self, text: str) -> None:
        """Tell people once, however often it is tried."""
        if text != self._told:
            self._told = text
            self._tell(text)
