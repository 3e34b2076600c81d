"""Runs a whole mesh on this machine: server, simulated cloud where there is no key, and each agent a process."""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from nats.js import JetStreamContext

from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.errors import MeshError, SetupError
from hybridmesh.bus.presence import Presence
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.state import State
from hybridmesh.bus.topology import AGENTS, Account, Bucket
from hybridmesh.infra.disk import check_room
from hybridmesh.infra.fleet import Child, Fleet, Tell, python_command
from hybridmesh.infra.key_watch import KeyWatch
from hybridmesh.infra.model_setup import ensure_models
from hybridmesh.infra.nats.access import accounts_block
from hybridmesh.infra.nats.keeper import Keeper
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.infra.own_figures import read_figures
from hybridmesh.infra.provision import connect_provisioner, create_keys, provision_bus
from hybridmesh.infra.settings import child_environment
from hybridmesh.infra.simulation import CloudChoice, SimulatedCloud, choose_cloud
from hybridmesh.infra.workflows import usable_workflows

_READY_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to run it: the settings flags that children inherit, and how many replicas of which agent."""

    flags: Sequence[str] = ()
    replicas: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Running:
    """A mesh that is up."""

    url: str
    cloud: CloudChoice
    fleet: Fleet
    server: NatsServer
    record: Path | None

    def pids(self) -> dict[str, int]:
        """Return the process id of the server and of each agent."""
        return {"nats": self.server.pid, **self.fleet.pids()}


@contextlib.asynccontextmanager
async def mesh_up(settings: MeshSettings, options: Options, tell: Tell) -> AsyncGenerator[Running]:
    """Start everything, yield when every agent is ready, and drain at the end.

    Raises:
        UsageError: the data folder is in use, or a workflow of the user's own cannot be run.
        SetupError: something is missing, with its remedy.

    """
    data = settings.data.resolve()
    check_room(data)
    # What is wrong with one is said here, not in the log of an agent that cannot start.
    usable_workflows(settings.plans)
    read_figures(settings)
    async with contextlib.AsyncExitStack() as stack:
        keys = data / "keys"
        users = create_keys(keys)
        binary = settings.bus.server_binary
        server = NatsServer(data / "nats", port=settings.bus.port, binary=binary, access=accounts_block(users))
        await asyncio.to_thread(server.start)
        stack.callback(server.stop)
        await _run_detached(partial(ensure_models, settings, tell))
        prepare = partial(provision_bus, server.url, settings, replicas=1, keys=keys)
        await prepare()
        cloud = choose_cloud(settings)
        record: Path | None = None
        extra: list[str] = []
        if cloud is CloudChoice.SIMULATED:
            record = data / "cloud" / "received.jsonl"
            simulated = await stack.enter_async_context(SimulatedCloud.start(settings, record))
            extra = _simulated_flags(simulated.url)
            tell(f"simulated cloud at {simulated.url} (no cloud key: the local model answers in its place)")
        fleet = Fleet(tell, grace_s=settings.bus.drain_s + 5)
        stack.push_async_callback(fleet.stop)
        children = _children(settings, options, server.url, cloud, extra)
        for child in children:
            fleet.add(child)
        watching = asyncio.create_task(Keeper(server, data / "nats" / "jetstream", prepare, tell).watch())
        stack.push_async_callback(end_tasks, {watching})
        async with connect_provisioner(server.url, keys, Account.LOCAL, settings.bus) as client:
            await _await_ready(client.jetstream(), fleet, {child.name for child in children}, tell)
        key_watch = KeyWatch(keys, users, partial(_renew, fleet, children), server.let_in, tell)
        following = asyncio.create_task(key_watch.watch())
        stack.push_async_callback(end_tasks, {following})
        Endpoint(url=server.url, pid=server.pid, cloud=cloud).write(data)
        stack.callback(Endpoint.remove, data)
        yield Running(server.url, cloud, fleet, server, record)


async def _run_detached(work: Callable[[], None]) -> None:
    """Run what blocks in a thread that a stop does not wait for: half a model is gone on with at the next start."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        problem: Exception | None = None
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits gets it
            problem = error
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, problem)

    threading.Thread(target=run, name="models", daemon=True).start()
    await done


def _simulated_flags(url: str) -> list[str]:
    """Return what turns the consultant to the simulated cloud, which answers one at a time and has its patience."""
    patience = {"cloud.timeout_s": "600", "cloud.clearance_s": "1200"}
    values = {"cloud.base_url": url, "cloud.provider": "simulated", **patience}
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


def _children(
    settings: MeshSettings, options: Options, url: str, cloud: CloudChoice, extra: Sequence[str]
) -> list[Child]:
    data = settings.data.resolve()
    children: list[Child] = []
    for agent in AGENTS:
        if agent == "consultant" and cloud is CloudChoice.NONE:
            continue  # it would have nobody to ask
        flags = [*options.flags, *extra]
        command = python_command("run", agent, "--nats", url, "--data", str(data), *flags)
        environment = child_environment(agent)
        for number in range(options.replicas.get(agent, 1)):
            name = agent if number == 0 else f"{agent}-{number + 1}"
            children.append(Child(name, command, environment, data / "logs" / f"{name}.log"))
    return children


async def _renew(
    fleet: Fleet, children: Sequence[Child], agents: Collection[str], change: Callable[[], Awaitable[None]]
) -> None:
    """Make a change while no replica of these agents runs."""
    await fleet.renew([child.name for child in children if child.name.partition("-")[0] in agents], change)


async def _await_ready(js: JetStreamContext, fleet: Fleet, names: Set[str], tell: Tell) -> None:
    """Wait until each child has said on the bus that it is there; a line for each."""
    records = State[Presence](js, Bucket.AGENTS, Presence)
    began = time.monotonic()
    seen: set[int] = set()
    while True:
        wanted = {pid: name for name, pid in fleet.pids().items()}
        for presence in (await records.records()).values():
            if presence.pid in wanted and presence.pid not in seen:
                seen.add(presence.pid)
                took = time.monotonic() - began
                tell(f"{wanted[presence.pid]:<12} ready   pid {presence.pid:<7} {took:4.1f} s")
        # By name: a child that has just died has no process id, and is not ready either.
        late = ", ".join(sorted(names - {name for pid, name in wanted.items() if pid in seen}))
        if not late:
            return
        if time.monotonic() - began > _READY_TIMEOUT_S:
            raise SetupError(f"not ready in time: {late}", remedy="see the logs folder in the data folder")
        await asyncio.sleep(0.1)


async def serve_until_stopped(
    settings: MeshSettings, options: Options, tell: Tell, came_up: Callable[[Running], None]
) -> bool:
    """Run a mesh until Ctrl-C or SIGTERM, and say whether it was up before; ``came_up`` hears when it is."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        starting = asyncio.create_task(stack.enter_async_context(mesh_up(settings, options, tell)))
        stopping = asyncio.create_task(stop.wait())
        stack.push_async_callback(end_tasks, {stopping})
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        up = starting.done()
        if up:
            mesh = starting.result()
            tell(f"bus    {mesh.url}")
            tell(f"data   {settings.data.resolve()}")
            tell(f"cloud  {mesh.cloud.describe(settings)}")
            came_up(mesh)
            tell('up. Submit with `hybridmesh submit "..."` in another shell; Ctrl-C drains and stops.')
            await stopping
            tell("draining…")
        else:
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError, MeshError):
                await starting
    tell("stopped" if up else "stopped before it was up")
    return up
