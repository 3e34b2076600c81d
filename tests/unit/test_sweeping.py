"""The loop that clears away what is over."""

import asyncio
import logging

import pytest

from hybridmesh.bus.errors import MemoryUnavailable
from hybridmesh.bus.sweeping import keep_swept


async def test_a_failed_sweep_is_told_by_its_code_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing private leaves: a store that was away for a while does not end the sweeping, nor its words the log."""
    calls = 0
    third = asyncio.Event()

    async def sweep() -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise MemoryUnavailable("Dana Whitfield")
        if calls == 3:
            third.set()
        return calls

    with caplog.at_level(logging.INFO, "hybridmesh"):
        running = asyncio.create_task(keep_swept("memory", sweep, 0.01))
        await asyncio.wait_for(third.wait(), 5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert caplog.messages[:2] == ["memory: sweep failed: memory-unavailable", "memory: 2 swept"]


async def test_the_first_sweep_does_not_wait() -> None:
    """Nothing private leaves: an agent that is started often sweeps as well."""
    swept = asyncio.Event()

    async def sweep() -> int:
        swept.set()
        return 0

    running = asyncio.create_task(keep_swept("memory", sweep, 3600))
    await asyncio.wait_for(swept.wait(), 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_unforeseen_fault_ends_the_loop() -> None:
    """Nothing is hidden: a bug is not swept under the carpet; the supervisor starts the agent afresh."""

    async def sweep() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        await keep_swept("memory", sweep, 0.01)
