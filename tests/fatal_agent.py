"""A classifier in a process of its own that one message ends each time, as a fault of a native library would.

Run as ``python fatal_agent.py URL KEYS``; it writes a line for each message that it begins.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from hybridmesh.bus.agent import Agent
from hybridmesh.bus.app import AgentApp
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.links import Links
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.steps import StepReady
from queue_bench import classified

FATAL = "FATAL"
SETTINGS = MeshSettings(bus=BusSettings(ack_wait_s=1, max_tries=4, retry_base_s=0.05, retry_cap_s=1, drain_s=5))


async def handle(ready: StepReady) -> Sequence[Message]:
    """Classify, but for the one message over which the process dies while it has others in hand as well."""
    sys.stdout.write(f"{ready.task_id}\n")
    sys.stdout.flush()
    if FATAL in ready.context.spec.instruction:
        await asyncio.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(0.2)
    return (classified(ready),)


async def build(_: Links) -> Agent:
    """Return the agent."""
    return Agent("classifier", handlers={StepReady: handle})


def main() -> None:
    """Run until a signal, or the message."""
    url, folder = sys.argv[1], Path(sys.argv[2])
    app = AgentApp(url, read_identity(folder, "classifier"), KeyRing.read(folder), SETTINGS, build)
    asyncio.run(app.run())


if __name__ == "__main__":
    main()
