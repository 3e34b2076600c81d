"""A mesh on a bus of the test's own: each agent a process as ``hybridmesh run`` starts it, with a proxy before it."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nats.js import JetStreamContext

from chaos.frame_proxy import FrameProxy
from harness import eventually
from hybridmesh.bus.client import Mesh, connect
from hybridmesh.bus.errors import MeshError, MeshUnavailable
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.bus.topology import AGENTS, Account
from hybridmesh.infra.nats.access import accounts_block
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.infra.parent_death import die_with_parent
from hybridmesh.infra.provision import connect_provisioner, create_keys, provision_bus
from mesh_process import PROGRAM, QUICK, present

_RESTART_S = 0.5
_ELECTIONS = 4
READY_S = 90.0


@dataclass(slots=True)
class Replica:
    """One agent process that is started again when it dies, until it is retired."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    _retired: bool = False
    _keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The id of the process that runs now, or that ran last."""
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        """Start, and keep it alive."""
        await self._launch()
        self._keeper = asyncio.create_task(self._keep())

    def kill(self) -> None:
        """Kill it without a word; it is started again."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    async def retire(self) -> int:
        """Ask it to drain, wait for its end, and return its exit code."""
        self._retired = True
        assert self.process is not None
        assert self._keeper is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        await self._keeper
        return self.process.returncode or 0

    async def end(self) -> None:
        """End it now."""
        self._retired = True
        self.kill()
        if self._keeper is not None:
            await self._keeper

    async def _keep(self) -> None:
        while True:
            assert self.process is not None
            await self.process.wait()
            if self._retired:
                return
            await asyncio.sleep(_RESTART_S)
            if self._retired:
                return
            await self._launch()

    async def _launch(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=die_with_parent,
            )


@dataclass(slots=True)
class HostedMesh:
    """The processes of a mesh by name, and the bus they are on."""

    folder: Path
    url: str
    sets: Sequence[str]
    environment: Mapping[str, str]
    replicas: dict[str, Replica] = field(default_factory=dict[str, Replica])
    proxies: dict[str, FrameProxy] = field(default_factory=dict[str, FrameProxy])
    server: NatsServer | None = None

    @property
    def keys(self) -> Path:
        """The folder of every identity."""
        return self.folder / "keys"

    async def add(self, agent: str, number: int = 1, **environment: str) -> Replica:
        """Start a replica of an agent under the name ``agent`` or ``agent-N``."""
        name = agent if number == 1 else f"{agent}-{number}"
        proxy = self.proxies.get(agent)
        words = ["run", agent, "--nats", proxy.url if proxy else self.url, "--data", str(self.folder)]
        flags = [word for setting in self.sets for word in ("--set", setting)]
        log = self.folder / f"{name}.log"
        replica = Replica(name, [*PROGRAM, *words, *flags], {**self.environment, **environment}, log)
        await replica.start()
        self.replicas[name] = replica
        return replica

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncGenerator[Mesh]:
        """Connect as a publisher, past all proxies."""
        async with connect(self.url, data=self.folder, keys=self.keys) as mesh:
            yield mesh

    async def ready(self, client: Mesh, *names: str) -> None:
        """Wait until the replicas' present processes have all said to be there."""

        async def all_there() -> bool:
            with contextlib.suppress(MeshError, TimeoutError):
                there = await present(client)
                return all(self.replicas[name].pid in there for name in names or self.replicas)
            return False

        await eventually(all_there, READY_S)

    async def back(self, client: Mesh, name: str, dead: int) -> float:
        """Wait until a successor of a dead process is there; return the seconds."""
        began = time.monotonic()
        await eventually(lambda: self._succeeded(name, dead), READY_S)
        await self.ready(client, name)
        return time.monotonic() - began

    async def _succeeded(self, name: str, dead: int) -> bool:
        return self.replicas[name].pid != dead

    @contextlib.asynccontextmanager
    async def insight(self, account: Account = Account.LOCAL) -> AsyncGenerator[JetStreamContext]:
        """Connect as the one who sees everything in an account."""
        async with connect_provisioner(self.url, self.keys, account, BusSettings()) as client:
            yield client.jetstream()


@contextlib.asynccontextmanager
async def hosted_mesh(
    folder: Path, settings: Sequence[str], environment: Mapping[str, str], *, proxied: bool = True
) -> AsyncGenerator[HostedMesh]:
    """Run a mesh on an embedded server that the test holds, from readiness to the end of every process."""
    access = accounts_block(create_keys(folder / "keys"))
    async with contextlib.AsyncExitStack() as stack:
        server = stack.enter_context(NatsServer(folder / "nats", access=access))
        async with agents_on(server.url, folder, settings, environment, proxied=proxied) as mesh:
            mesh.server = server
            yield mesh


@contextlib.asynccontextmanager
async def agents_on(
    url: str,
    folder: Path,
    settings: Sequence[str],
    environment: Mapping[str, str],
    *,
    replicas: int = 1,
    proxied: bool = False,
) -> AsyncGenerator[HostedMesh]:
    """Provision the bus at ``url`` with ``replicas`` of each stream, and run every agent on it."""
    sets = (*QUICK, *settings)
    wait = next(float(word.partition("=")[2]) for word in reversed(sets) if word.startswith("bus.ack_wait_s="))
    buses = MeshSettings(bus=BusSettings(ack_wait_s=wait))
    for left in reversed(range(_ELECTIONS)):  # a cluster says nothing until its servers have elected a leader
        try:
            await provision_bus(url, buses, replicas=replicas, keys=folder / "keys")
            break
        except MeshUnavailable:
            if not left:
                raise
    mesh = HostedMesh(folder, url, sets, environment)
    async with contextlib.AsyncExitStack() as stack:
        for agent in AGENTS if proxied else ():
            mesh.proxies[agent] = proxy = FrameProxy(url)
            await stack.enter_async_context(proxy.listening())
        try:
            for agent in AGENTS:
                await mesh.add(agent)
            async with mesh.client() as client:
                await mesh.ready(client)
            yield mesh
        finally:
            await asyncio.gather(*(replica.end() for replica in mesh.replicas.values()))
