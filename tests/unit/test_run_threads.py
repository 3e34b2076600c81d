"""The threads of an agent's process: all of them are there before the first message."""

import asyncio
import threading
import time

from hybridmesh.infra.run import start_threads


async def test_no_thread_is_started_later() -> None:
    """Nothing is lost: without memory the start of a thread never ends, and the agent would stand still with it."""
    start_threads()
    before = threading.active_count()
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.02) for _ in range(100)))
    assert threading.active_count() == before
