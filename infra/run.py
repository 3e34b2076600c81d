"""Runs one agent, in this process or as several replicas."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hybridmesh.bus.app import AgentApp
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.topology import AGENTS
from hybridmesh.infra.composition import builder_of
from hybridmesh.infra.fleet import Child, Fleet, Tell, python_command
from hybridmesh.infra.ready_file import told_by_file
from hybridmesh.infra.settings import child_environment, settings_of

_THREADS = min(32, (os.cpu_count() or 1) + 4)  # as asyncio has by default


def check_agent(agent: str) -> None:
    """Raise UsageError when there is no such agent."""
    if agent not in AGENTS:
        raise UsageError(f"there is no agent {agent!r}", remedy=f"choose one of {', '.join(AGENTS)}")


async def run_agent(
    agent: str, settings: MeshSettings, *, url: str | None, keys: Path | None, ready_file: Path | None = None
) -> None:
    """Run one agent until SIGTERM or Ctrl-C, then drain; ``ready_file`` is there while it is at work.

    Raises:
        UsageError: there is no such agent.
        MeshUnavailable: no mesh runs on the data folder.
        SetupError: keys or models are missing.

    """
    check_agent(agent)
    start_threads()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("nats").setLevel(logging.CRITICAL)  # its lines may hold parts of a message
    where = url or settings.nats_url or Endpoint.read(settings.data).url
    folder = keys or settings.data / "keys"
    own = settings_of(agent, settings)
    app = AgentApp(where, read_identity(folder, agent), KeyRing.read(folder), own, builder_of(agent, folder))
    async with told_by_file(app.ready, ready_file):
        await app.run()


def start_threads() -> None:
    """Start the threads that the event loop may want: a start that fails for want of memory is waited for in vain.

    The whole process would stand still then, and seem to be alive (CPython's ``Thread.start``).
    """
    pool, together = ThreadPoolExecutor(_THREADS), threading.Barrier(_THREADS)
    for _ in range(_THREADS):
        pool.submit(together.wait)
    asyncio.get_running_loop().set_default_executor(pool)


async def run_replicas(agent: str, count: int, words: Sequence[str], settings: MeshSettings, tell: Tell) -> None:
    """Run several replicas of one agent as processes that share its queue; ``words`` are the flags they inherit."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    fleet = Fleet(tell, grace_s=settings.bus.drain_s + 5)
    environment = child_environment(agent)
    for replica in range(1, count + 1):
        name = f"{agent}-{replica}"
        log = settings.data.resolve() / "logs" / f"replica-{name}.log"
        fleet.add(Child(name, python_command("run", agent, *words), environment, log))
        tell(f"{name} started")
    await stop.wait()
    await fleet.stop()
