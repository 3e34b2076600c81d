"""Ends are heard on both sides of the border, and looked up where they may have been missed."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from guarded_bus import Guarded
from harness import eventually
from hybridmesh.bus.endings import Endings, HeardEndings
from hybridmesh.bus.topology import RESULTS, ROOT, consumers, row_of, subject_for
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Findings, Sensitivity
from hybridmesh.schemas.steps import StepClassified, StepContext, StepLocal
from hybridmesh.schemas.tasks import TaskFailed

pytestmark = pytest.mark.connected

HOUR = timedelta(hours=1)


class Counted(Endings):
    """Looks ends up, and counts how often."""

    asked = 0

    async def over(self, task_id: str) -> bool:
        self.asked += 1
        return await super().over(task_id)


async def tell_end(guarded: Guarded, task_id: str) -> None:
    """Publish a task's end as the decomposer does."""
    links = await guarded.links("decomposer")
    end = TaskFailed(task_id=task_id, outcome="cancelled", reason="cancelled", detail="", finished_at=datetime.now(UTC))
    await links.publisher.publish(end)


async def publish_step(guarded: Guarded, task_id: str) -> StepClassified:
    """Publish a step that waits for the router."""
    spec = StepSpec(id="a", title="A", instruction="Do it.")
    step = StepClassified(
        task_id=task_id,
        step_id="a",
        context=StepContext(goal="g", profile="balanced", spec=spec),
        label=Sensitivity.PUBLIC,
        findings=Findings(),
    )
    await (await guarded.links("classifier")).publisher.publish(step)
    return step


class Clock:
    """A clock that the test turns, as the server's is."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def read(self) -> datetime:
        return self.now


@pytest.mark.parametrize("name", ["worker", "consultant"])
async def test_an_end_is_heard_without_asking(guarded: Guarded, name: str) -> None:
    """Nothing is spent on a task that is over: the next message of it is dropped, at no cost to all others."""
    links, clock = await guarded.links(name), Clock()
    looked_up = Counted(links.js, links.ring, row_of(name).account)
    heard = HeardEndings(links.client, looked_up, clock.read)
    await heard.listen()
    await links.client.flush()
    ended, running = new_task_id(), new_task_id()
    assert not await heard.over(ended, clock.now)
    await tell_end(guarded, ended)
    clock.now += HOUR

    async def over() -> bool:
        return await heard.over(ended, clock.now)

    await eventually(over)
    assert not await heard.over(running, clock.now)
    assert (looked_up.asked, guarded.refused[name]) == (2, [])  # the second for the one that ended


@pytest.mark.parametrize("name", ["worker", "consultant"])
async def test_an_end_that_nobody_stored_is_not_heard(guarded: Guarded, name: str) -> None:
    """No one gets in: what the server sends to a reply subject of somebody's choice ends no task of another."""
    links, router = await guarded.links(name), await guarded.links("router")
    looked_up = Endings(links.js, links.ring, row_of(name).account)
    heard = HeardEndings(links.client, looked_up)
    hears: list[str] = []
    heard.pass_on(hears.append)
    await heard.listen()
    await links.client.flush()
    victim, witness = new_task_id(), new_task_id()
    (queue,) = (consumer for consumer in consumers() if consumer.durable == "router")
    aim = f"{ROOT}.ended.failed.default.{victim}"
    # A message that is delivered there, and an acknowledgement: told where ends are, and stored among the results.
    await publish_step(guarded, victim)
    await router.client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{queue.stream}.router", b'{"batch":1}', reply=aim)
    for place in (aim, f"{ROOT}.task.failed.default.{victim}"):
        await router.client.publish(f"{ROOT}.step.local.{victim}", b"x", reply=place)
    await router.client.flush()
    while not await guarded.stored(RESULTS.name):
        await asyncio.sleep(0.02)
    await tell_end(guarded, witness)

    async def told() -> bool:
        return witness in hears

    await eventually(told)
    assert hears == [witness]
    assert not await looked_up.over(victim)
    assert await looked_up.over(witness)


@pytest.mark.parametrize("name", ["worker", "consultant"])
async def test_an_end_stays_one_whatever_is_stored_over_it(guarded: Guarded, name: str) -> None:
    """Nothing is hidden: what the server stores for a reply subject of somebody's choice takes no end back."""
    links, router = await guarded.links(name), await guarded.links("router")
    looked_up = Endings(links.js, links.ring, row_of(name).account)
    ended = new_task_id()
    await tell_end(guarded, ended)
    for count in (2, 3):
        place = subject_for(TaskFailed, f"default.{ended}")
        await router.client.publish(subject_for(StepLocal, ended), b"x", reply=place)
        await router.client.flush()
        while await guarded.stored(RESULTS.name) < count:
            await asyncio.sleep(0.02)
    assert await looked_up.over(ended)
    assert guarded.refused[name] == []


async def test_what_may_have_been_missed_is_looked_up(guarded: Guarded) -> None:
    """Nothing is spent on a task that is over: an end before this process began to listen counts as well."""
    links = await guarded.links("worker")
    ended = new_task_id()
    await tell_end(guarded, ended)
    looked_up = Counted(links.js, links.ring)
    heard = HeardEndings(links.client, looked_up)
    await heard.listen()
    assert await heard.over(ended, datetime.now(UTC))
    assert looked_up.asked == 1


async def test_a_new_connection_is_a_new_beginning(guarded: Guarded) -> None:
    """Nothing is spent on a task that is over: what was told while the connection was away is looked up."""
    links, clock = await guarded.links("worker"), Clock()
    looked_up = Counted(links.js, links.ring)
    heard = HeardEndings(links.client, looked_up, clock.read)
    await heard.listen()
    asked: list[int] = []
    for reconnects in (0, 0, 1, 0):
        links.client.stats["reconnects"] += reconnects
        assert not await heard.over(new_task_id(), clock.now)
        asked.append(looked_up.asked)
        clock.now += HOUR
    assert asked == [1, 1, 2, 2]


async def test_a_clock_that_is_behind_hides_no_end(guarded: Guarded) -> None:
    """Nothing is spent on a task that is over: times are the server's, whatever this process' clock says."""
    links = await guarded.links("worker")
    now = datetime.now(UTC)
    looked_up = Counted(links.js, links.ring)
    heard = HeardEndings(links.client, looked_up, lambda: now - HOUR)
    await heard.listen()
    assert not await heard.over(new_task_id(), now)
    assert looked_up.asked == 1
