"""Cancelling: a task ends, whatever comes between."""

import asyncio

import pytest

from hybridmesh.bus import cancellation
from hybridmesh.bus.cancellation import end_tasks


async def answered_as_it_is_cancelled(ends: list[str]) -> None:
    """Ask and ask again; the first cancellation finds the answer already there, and is lost in ``wait_for``."""
    loop = asyncio.get_running_loop()
    try:
        while True:
            answer = loop.create_future()
            if not ends:
                ends.append("asked")
                loop.call_soon(answer.set_result, None)
            await asyncio.wait_for(answer, 60)
    finally:
        ends.append("ended")


async def test_a_task_whose_cancellation_is_lost_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: an agent that is asked to stop does not hang on a loop of requests."""
    monkeypatch.setattr(cancellation, "_AGAIN_S", 0.01)
    ends: list[str] = []
    task = asyncio.create_task(answered_as_it_is_cancelled(ends))
    while not ends:
        await asyncio.sleep(0)
    await asyncio.wait_for(end_tasks({task}), 5)
    assert task.cancelled()
    assert ends == ["asked", "ended"]


async def test_a_task_that_cleans_up_is_given_the_time() -> None:
    """Nothing is lost: one that ends in its own time is cancelled once."""
    cleaned: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            cleaned.append(True)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await end_tasks({task})
    assert cleaned == [True]


async def test_what_a_task_raised_stays_with_it() -> None:
    """Nothing is hidden: it can still be asked, and nothing is said of an error that nobody fetched."""

    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end_tasks({task})
    assert isinstance(task.exception(), ValueError)
