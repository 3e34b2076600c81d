"""How often a message is tried: failures count, waiting does not, and what is used up or hopeless is buried."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import nats.errors
import pytest
from nats.aio.msg import Msg

from harness import Bus, eventually
from hybridmesh.bus.bodies import forget_bodies
from hybridmesh.bus.errors import CloudUnavailable, MeshBusy, MeshError, StoreFailed
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.steps import StepClassified, StepFailed, StepReady
from hybridmesh.schemas.tasks import TaskFailed
from queue_bench import classified, make_ready, working


async def test_a_transient_failure_is_tried_again_later(bus: Bus) -> None:
    """Nothing is lost."""
    tries: list[float] = []

    async def handle(ready: StepReady) -> Sequence[Message]:
        tries.append(asyncio.get_running_loop().time())
        if len(tries) < 3:
            raise CloudUnavailable
        return (classified(ready),)

    decomposer = await bus.links("decomposer")
    async with working(bus, handle):
        await decomposer.publisher.publish(make_ready())
        await bus.collect(StepClassified, 1)
    assert len(tries) == 3
    assert tries[2] - tries[1] > (tries[1] - tries[0]) * 0.75


@pytest.mark.parametrize("full", [MeshBusy("full", retry_after_s=0.02), StoreFailed("full", retry_after_s=0.02)])
async def test_waiting_for_room_is_no_try(bus: Bus, full: MeshError) -> None:
    """Nothing is lost: a full queue further on, or a full disk, does not use up the tries that a failure needs."""
    runs = 0

    async def handle(ready: StepReady) -> Sequence[Message]:
        nonlocal runs
        runs += 1
        if runs <= bus.settings.bus.max_tries:
            raise full
        if runs == bus.settings.bus.max_tries + 1:
            raise CloudUnavailable
        return (classified(ready),)

    decomposer = await bus.links("decomposer")
    async with working(bus, handle):
        await decomposer.publisher.publish(make_ready())
        await bus.collect(StepClassified, 1)
    assert await bus.count("DEAD") == 0


async def test_what_was_handed_out_to_others_is_no_try(bus: Bus) -> None:
    """Nothing is lost: whoever takes up a message that waited, or died, with others has all tries for it."""
    runs = 0

    async def wait(_: StepReady) -> Sequence[Message]:
        nonlocal runs
        runs += 1
        raise MeshBusy("full", retry_after_s=0.02)

    async def handle(ready: StepReady) -> Sequence[Message]:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise CloudUnavailable
        return (classified(ready),)

    decomposer = await bus.links("decomposer")
    async with working(bus, wait):
        await decomposer.publisher.publish(make_ready())
        while runs <= bus.settings.bus.max_tries:
            await asyncio.sleep(0.02)
    runs = 0
    async with working(bus, handle):
        await bus.collect(StepClassified, 1)
    assert (runs, await bus.count("DEAD")) == (2, 0)


async def test_used_up_tries_bury_the_message_and_fail_its_step(bus: Bus) -> None:
    """Nothing is lost: a step that cannot be done ends its task with the reason."""

    async def handle(_: StepReady) -> Sequence[Message]:
        raise CloudUnavailable

    decomposer = await bus.links("decomposer")
    ready = make_ready()
    async with working(bus, handle):
        await decomposer.publisher.publish(ready)
        failed = StepFailed.model_validate_json((await bus.collect(StepFailed, 1))[0])
    assert (failed.task_id, failed.step_id, failed.reason) == (ready.task_id, "a", "buried:cloud-unavailable")
    assert await bus.count("DEAD") == 1


async def test_an_acknowledgement_that_is_lost_is_no_failure(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: what was handled each time, and could not be acknowledged, neither dies nor fails its step."""
    acknowledge, runs, lost = Msg.ack_sync, 0, bus.settings.bus.max_tries

    async def lose(message: Msg, timeout: float = 1.0) -> Msg:
        nonlocal lost
        if lost:
            lost -= 1
            raise nats.errors.TimeoutError
        return await acknowledge(message, timeout)

    async def handle(ready: StepReady) -> Sequence[Message]:
        nonlocal runs
        runs += 1
        return (classified(ready),)

    monkeypatch.setattr(Msg, "ack_sync", lose)
    quick = bus.settings.bus.model_copy(update={"ack_wait_s": 0.1})
    decomposer = await bus.links("decomposer")
    async with working(replace(bus, settings=bus.settings.model_copy(update={"bus": quick})), handle) as loop:
        await decomposer.publisher.publish(make_ready())

        async def done() -> bool:
            return loop.handled == 1 or await bus.count("DEAD") > 0

        await eventually(done)
    assert runs == bus.settings.bus.max_tries + 1
    assert (await bus.count("DEAD"), await bus.count("WORK_DECOMPOSER")) == (0, 0)


async def test_a_message_whose_body_is_gone_is_given_up_at_once(bus: Bus) -> None:
    """Nothing is lost: it is a dead letter, or nothing at all when it was forgotten with its task."""

    async def handle(_: StepReady) -> Sequence[Message]:
        raise AssertionError

    decomposer = await bus.links("decomposer")
    of_none, of_one_over = (make_ready(text="x" * bus.settings.bus.max_body_bytes) for _ in range(2))
    end = TaskFailed(
        task_id=of_one_over.task_id, outcome="cancelled", reason="cancelled", detail="", finished_at=datetime.now(UTC)
    )
    await decomposer.publisher.publish(end)
    for ready in (of_none, of_one_over):
        await decomposer.publisher.publish(ready)
        assert await forget_bodies(decomposer.js, ready.task_id) == 1

    async def done() -> bool:
        return await bus.count("WORK_CLASSIFIER") == 0

    async with working(bus, handle):
        await eventually(done)
    letter = await bus.js.get_msg("DEAD", seq=1)
    assert await bus.count("DEAD") == 1
    headers = cast("dict[str, str]", letter.headers)
    assert (headers["ce-subject"], headers["mesh-dead-reason"]) == (of_none.task_id, "body-missing")
