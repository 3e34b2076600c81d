"""Fair shares on a real server: who comes after a flood is served among its first, and what is full is so for one."""

import asyncio
import time

import pytest
from nats.js.errors import NoStreamResponseError

from fair_bus import deciding, flood, submission
from harness import Bus, eventually
from hybridmesh.bus.errors import MeshBusy
from hybridmesh.bus.topology import intake_stream, lanes_stream, subject_for
from hybridmesh.schemas.tasks import TaskSubmitted

LANES = lanes_stream("decomposer")


@pytest.mark.parametrize(
    ("many", "one"),
    [
        (("acme", "balanced"), ("globex", "balanced")),
        (("default", "balanced"), ("default", "creative-strategy")),
    ],
)
async def test_one_task_does_not_wait_for_another_tenants_or_profiles_five_hundred(
    bus: Bus, many: tuple[str, str], one: tuple[str, str]
) -> None:
    """Nothing is lost: at most as many go before it as the mesh has under way, and each lane's next."""
    publisher = await bus.links("publisher")
    await flood(publisher, many[0], 500, many[1])
    single = submission(*one)
    async with deciding(bus, work_s=0.01) as desk:
        await eventually(lambda: _reached(desk.order, 80))
        await publisher.publisher.publish(single)
        before = len(desk.order)
        await eventually(lambda: _reached(desk.order, 200), timeout=30)
        place = next(place for place, task in enumerate(desk.order) if task.task_id == single.task_id)
        assert place - before <= 10
        await eventually(lambda: _reached(desk.order, 501), timeout=30)
        assert desk.most_open <= bus.settings.plans.under_way
    assert len({task.task_id for task in desk.order}) == 501
    assert await bus.count(LANES) == 0


async def _reached(order: list[TaskSubmitted], count: int) -> bool:
    return len(order) >= count


async def test_a_full_lane_is_full_for_its_tenant_alone(bus: Bus) -> None:
    """Nothing is lost: who floods hears MeshBusy, and others are taken in."""
    config = (await bus.js.stream_info(LANES)).config
    await bus.js.update_stream(config.evolve(max_msgs_per_subject=3))
    publisher = (await bus.links("publisher")).publisher
    for _ in range(3):
        await publisher.publish(submission("acme"))
    with pytest.raises(MeshBusy) as caught:
        await publisher.publish(submission("acme"))
    assert caught.value.retry_after_s > 0
    await publisher.publish(submission("acme", "secure-research"))
    await publisher.publish(submission("globex"))
    assert await bus.count(LANES) == 5


async def test_what_comes_by_no_lane_has_its_turn_too(bus: Bus) -> None:
    """It runs on what you have: a program that knows of no lanes is served in a lane of its own."""
    publisher = await bus.links("publisher")
    await flood(publisher, "acme", 100)
    plain = submission("default")
    headers = {"ce-type": plain.event_type(), "ce-id": plain.identity()}
    await bus.js.publish(subject_for(TaskSubmitted, plain.task_id), plain.model_dump_json().encode(), headers=headers)
    assert await bus.count(intake_stream("decomposer")) == 1
    async with deciding(bus) as desk:
        await eventually(lambda: _reached(desk.order, 101), timeout=20)
    assert [task.task_id for task in desk.order].index(plain.task_id) <= 16


async def test_a_lane_that_nobody_serves_takes_nothing(bus: Bus) -> None:
    """Nothing is lost: a lane that is none is refused at once, and not kept for ever."""
    task = submission("acme")
    for lane in ("16", "x", "0.0"):
        with pytest.raises(NoStreamResponseError):
            await bus.js.publish(subject_for(TaskSubmitted, f"acme.{lane}"), task.model_dump_json().encode())


async def test_who_is_stopped_hands_back_what_it_had_not_begun(bus: Bus) -> None:
    """Nothing is lost, and nothing waits for the ack wait: a drained replica's lanes are another's at once."""
    publisher = await bus.links("publisher")
    async with deciding(bus, work_s=60) as desk:
        for number in range(90):
            await publisher.publisher.publish(submission(f"tenant-{number}"))
        await eventually(lambda: _reached(desk.order, bus.settings.plans.under_way))
        await asyncio.sleep(0.2)
        assert len(desk.order) == bus.settings.plans.under_way
    begun = time.perf_counter()
    async with deciding(bus) as other:
        await eventually(lambda: _reached(other.order, 90 - len(desk.order)))
    assert time.perf_counter() - begun < bus.settings.bus.ack_wait_s
    assert not {task.task_id for task in desk.order} & {task.task_id for task in other.order}


async def test_replicas_share_the_lanes(bus: Bus) -> None:
    """It runs on what you have: each task is taken by one of them, and none waits for the other."""
    publisher = await bus.links("publisher")
    await flood(publisher, "acme", 200)
    async with deciding(bus, replicas=2) as desk:
        await eventually(lambda: _reached(desk.order, 200), timeout=20)
    assert len({task.task_id for task in desk.order}) == len(desk.order) == 200
