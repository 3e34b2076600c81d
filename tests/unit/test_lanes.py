"""Which lane a task waits in, whose turn it is, and how many are under way."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from hybridmesh.bus.admission import Admission
from hybridmesh.bus.lanes import Lanes
from hybridmesh.bus.settings import default_profiles
from hybridmesh.schemas.lanes import LANES, OF_A_TENANT, in_turn, lane_of


@given(tenant=st.from_regex("[a-z0-9]{1,10}", fullmatch=True), profiles=st.lists(st.text(), max_size=60))
def test_a_tenant_reaches_few_lanes_whatever_profiles_it_makes_up(tenant: str, profiles: list[str]) -> None:
    """Nothing is lost: who names a thousand profiles stands before no more of the others than with four."""
    lanes = {lane_of(tenant, profile) for profile in profiles}
    assert len(lanes) <= OF_A_TENANT
    assert lanes <= set(range(LANES))


def test_the_profiles_that_ship_have_lanes_of_their_own() -> None:
    """Nothing is lost: a flood under one of them delays no task under another."""
    assert len({lane_of("acme", profile) for profile in default_profiles()}) == len(default_profiles())


def test_lanes_are_what_any_language_computes() -> None:
    """It runs on what you have: the lane is a contract, and these are its values."""
    assert [lane_of(*flow) for flow in (("default", "balanced"), ("acme", "secure-research"))] == [15, 1]


def test_many_tenants_are_spread_over_all_lanes() -> None:
    """Nothing is lost: no lane takes much more than its part of the tenants."""
    counts = [0] * LANES
    for number in range(1600):
        counts[lane_of(f"tenant-{number}", "balanced")] += 1
    assert min(counts) > 60
    assert max(counts) < 150


@pytest.mark.parametrize(
    ("last", "ready", "most", "expected"),
    [
        (-1, {3, 0, 9}, 2, [0, 3]),
        (3, {3, 0, 9}, 2, [9, 0]),
        (9, {3, 0, 9}, 9, [0, 3, 9]),
        (15, {15}, 4, [15]),
        (2, set[int](), 4, []),
    ],
)
def test_lanes_are_served_going_round(last: int, ready: set[int], most: int, expected: list[int]) -> None:
    """Nothing is lost: each lane that has something is served before any is served again."""
    assert list(in_turn(last, ready, LANES, most)) == expected


def test_a_flood_in_one_lane_gives_every_other_its_turn() -> None:
    """Nothing is lost: with one task in another lane, at most one of the flood goes before it."""
    waiting, last, order = {4: 500, 11: 1}, 4, list[int]()
    while waiting and len(order) < 10:
        (last,) = in_turn(last, waiting, LANES, 1)
        order.append(last)
        waiting[last] -= 1
        if not waiting[last]:
            del waiting[last]
    assert order.index(11) <= 1


def _admission(most: int, over: set[str], asked: set[str]) -> Admission:
    async def is_over(task_id: str) -> bool:
        return task_id in over

    async def are_asked() -> set[str]:
        return asked

    return Admission(most, is_over, are_asked)


def _says(value: int) -> Callable[[], int]:
    return lambda: value


async def test_there_is_room_for_so_many_and_again_when_one_ends() -> None:
    """Nothing is lost: who waits for room has it with the next end that is told."""
    admission = _admission(3, set(), set())
    admission.began(["a", "b"])
    assert await admission.room(_says(0), lambda: False) == 1
    waiting = asyncio.create_task(admission.room(_says(1), lambda: False))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    admission.ended("a")
    assert await asyncio.wait_for(waiting, 1) == 1


@pytest.mark.parametrize("kind", ["over", "asked"])
async def test_an_end_that_was_missed_and_a_question_make_room(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: neither a lost connection nor a person who does not answer closes the intake for ever."""
    monkeypatch.setattr("hybridmesh.bus.admission._LOOK_AGAIN_S", 0.01)
    admission = _admission(1, {"a"} if kind == "over" else set(), {"a"} if kind == "asked" else set())
    admission.began(["a"])
    assert await asyncio.wait_for(admission.room(_says(0), lambda: False), 2) == 1


async def test_a_missed_end_is_found_while_others_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: a replica that works on with what room is left gets back what an end it did not hear took."""
    monkeypatch.setattr("hybridmesh.bus.admission._LOOK_AGAIN_S", 0.1)
    admission = _admission(2, {"missed"}, set())
    admission.began(["missed"])

    under_way: set[str] = set()

    def end(task_id: str) -> None:
        under_way.discard(task_id)
        admission.ended(task_id)

    async with asyncio.timeout(2):
        for number in count():
            await admission.room(_says(0), lambda: False)
            if under_way:  # there is room for two
                break
            under_way.add(f"t{number}")
            admission.began(under_way)
            asyncio.get_running_loop().call_later(0.03, end, f"t{number}")


class Broken:
    """A queue whose client fails as nobody foresaw."""

    pending_msgs = 0

    async def fetch(self, batch: int = 1, timeout: float = 5) -> list[Msg]:
        raise RuntimeError


class Empty(Broken):
    """A queue that has nothing."""

    async def fetch(self, batch: int = 1, timeout: float = 5) -> list[Msg]:
        await asyncio.sleep(timeout)
        raise TimeoutError


async def test_a_lane_that_cannot_be_served_is_an_error() -> None:
    """Nothing hangs: what waits in it would wait for ever, and all others would go on as if nothing were."""
    queues = [cast("JetStreamContext.PullSubscription", queue) for queue in (Empty(), Broken())]
    lanes = Lanes(queues, lambda _: None)
    try:
        with pytest.raises(RuntimeError):
            await asyncio.wait_for(lanes.fetch(1), 1)
    finally:
        assert await lanes.close() == []


async def test_who_stops_does_not_wait_for_room() -> None:
    """Nothing is lost: a full mesh drains as soon as an empty one."""
    admission = _admission(1, set(), set())
    admission.began(["a"])
    stopping = asyncio.Event()
    waiting = asyncio.create_task(admission.room(_says(0), stopping.is_set))
    await asyncio.sleep(0.01)
    stopping.set()
    admission.wake()
    assert await asyncio.wait_for(waiting, 1) == 0
