"""Cancelling: a task ends, whatever comes between."""

import asyncio
import contextlib

import pytest

from hybridmesh.bus import cancellation
from hybridmesh.bus.cancellation import CancellationWatch, end_tasks


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


async def test_a_loop_notices_the_cancellation_that_an_answer_has_hidden() -> None:
    """Nothing is lost: who bounds the time of a loop of requests is heard, from within and from without."""

    async def ask_again_and_again() -> None:
        cancellation = CancellationWatch()
        while True:
            cancellation.check()
            await answer_as_if_not_cancelled()

    async def answer_as_if_not_cancelled() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await ask_again_and_again()
    task = asyncio.create_task(ask_again_and_again())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait((task,), timeout=0.5)
    assert task.cancelled()


async def test_what_a_task_raised_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is hidden, nothing private leaves: the type is in the log, the words are with the task alone."""

    async def fail() -> None:
        raise ValueError("the customer's words")

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end_tasks({task})
    assert isinstance(task.exception(), ValueError)
    assert "ValueError" in caplog.text
    assert "customer" not in caplog.text
