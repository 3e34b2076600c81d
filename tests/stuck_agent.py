"""An agent in a process of its own whose loop ends by itself, and whose event loop then stands still.

Run as ``python stuck_agent.py URL KEYS``.
"""

import asyncio
import sys
import time
from pathlib import Path

from hybridmesh.bus import app as shell
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.errors import ModelUnavailable
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.links import Links
from hybridmesh.bus.settings import BusSettings, MeshSettings

SETTINGS = MeshSettings(bus=BusSettings(drain_s=1))


async def end() -> None:
    """End as a watch does whose model has ended."""
    raise ModelUnavailable("the model ended", reason="model-ended")


async def stand_still() -> None:
    """Keep the event loop from going on once this is told to end, as the start of a thread does without memory."""
    try:
        await asyncio.Event().wait()
    finally:
        time.sleep(600)  # noqa: ASYNC251 - to block is what it is for


async def build(_: Links) -> Agent:
    """Return the agent."""
    return Agent("auditor", watches=(stand_still, end))


def main() -> None:
    """Run until the system ends it."""
    url, folder = sys.argv[1], Path(sys.argv[2])
    shell.TO_LEAVE_S = 1
    app = shell.AgentApp(url, read_identity(folder, "auditor"), KeyRing.read(folder), SETTINGS, build)
    asyncio.run(app.run())


if __name__ == "__main__":
    main()
