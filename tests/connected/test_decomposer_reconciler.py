"""Tasks that nobody goes on with are taken up again: a queue or a timer that was wiped, an end that was not told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from harness import Bus, eventually
from hybridmesh.agents.decomposer.agent import DecomposerAgent
from hybridmesh.agents.decomposer.reconciler import TAKES, Reconciler
from hybridmesh.agents.decomposer.task_state import TaskState
from hybridmesh.bus.endings import Endings
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.bus.identity import read_identity
from hybridmesh.bus.message_ids import MESSAGE_ID
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.queues import Queues
from hybridmesh.bus.settings import PlanSettings, default_profiles
from hybridmesh.bus.topology import AUDIT, RESULTS, Bucket, bucket_stream, queue_stream, timer_stream
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.steps import StepReady
from hybridmesh.schemas.tasks import CancelTask, TaskExpiring, TaskFailed, TaskSubmitted
from queue_bench import working

pytestmark = pytest.mark.connected

STALL_S = 600.0


class Desk:
    """One decomposer and its reconciler on a real bus, under a clock that the test turns."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.now = datetime.now(UTC)
        self.deaf = False
        self.looked_up = 0
        limits = PlanSettings()
        tasks = bus.state(Bucket.TASKS, TaskState)
        self.agent = DecomposerAgent(
            tasks=tasks, workflows={}, profiles=default_profiles(), limits=limits, clock=lambda: self.now
        )
        self.reconciler = Reconciler(
            tasks=tasks,
            survey=Queues(bus.js, "decomposer").survey,
            told=self.told,
            publish=self.publish,
            clock=lambda: self.now,
            stall_s=STALL_S,
            told_s=RESULTS.max_age_s,
        )

    async def told(self, task_id: str) -> bool:
        self.looked_up += 1
        if self.deaf:
            raise MeshUnavailable("no answer")
        return await Endings(self.bus.js, self.bus.ring).over(task_id)

    async def publish(self, message: Message) -> None:
        await (await self.bus.links("decomposer")).publisher.publish(message)

    async def take_on(self) -> TaskSubmitted:
        """Plan a task of one step, and publish what follows."""
        task = TaskSubmitted(task_id=new_task_id(), goal="What is this?", submitted_at=self.now)
        await self.tell(await self.agent.plan(task))
        return task

    async def tell(self, messages: Sequence[Message]) -> None:
        for message in messages:
            await self.publish(message)

    async def wipe(self, stream: str) -> None:
        """Lose a stream with everything in it, and make it anew."""
        await self.bus.js.delete_stream(stream)
        await provision(self.bus.js, self.bus.settings.bus)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def resumptions(self) -> list[AuditEvent]:
        bodies = await self.bus.collect(AuditEvent, await self.bus.count(AUDIT.name))
        events = [AuditEvent.model_validate_json(body) for body in bodies]
        return [event for event in events if event.action is Action.TASK_RESUMED]


async def test_a_step_whose_queue_was_wiped_is_released_again(bus: Bus) -> None:
    """Nothing is lost: the hop goes out again under its own id, after the time in which it would be dropped."""
    desk = Desk(bus)
    task = await desk.take_on()
    (before,) = await bus.collect(StepReady, 1)
    assert await desk.reconciler.sweep() == 0
    await desk.wipe(queue_stream("classifier"))
    assert await desk.reconciler.sweep() == 0
    desk.wait(STALL_S + 1)
    assert await desk.reconciler.sweep() == 1
    (after,) = await bus.collect(StepReady, 1)
    assert after == before
    (event,) = await desk.resumptions()
    assert (event.task_id, event.facts) == (task.task_id, {"steps": 1, "take": 1})


async def test_what_waits_in_a_queue_is_left_alone(bus: Bus) -> None:
    """Nothing is done twice: a backlog of a day is no standstill."""
    desk = Desk(bus)
    await desk.take_on()
    for _ in range(3):
        desk.wait(86_400)
        assert await desk.reconciler.sweep() == 0
    assert await bus.count(queue_stream("classifier")) == 1
    assert await desk.resumptions() == []


async def test_a_lost_timer_is_set_again(bus: Bus) -> None:
    """Nothing is lost: a task whose timer was wiped still has its deadline."""
    desk = Desk(bus)
    task = await desk.take_on()
    await desk.wipe(timer_stream("decomposer"))
    assert await desk.reconciler.sweep() == 0
    (timer,) = await bus.collect(TaskExpiring, 1)
    assert TaskExpiring.model_validate_json(timer).task_id == task.task_id


async def test_a_task_that_its_timer_ended_gets_one_more_to_be_cleared_away(bus: Bus) -> None:
    """Nothing private stays behind: the timer that says the end is used up by it, and another one clears away."""
    desk = Desk(bus)
    task = await desk.take_on()
    (raw,) = await bus.collect(TaskExpiring, 1)
    timer = TaskExpiring.model_validate_json(raw)
    desk.now = timer.due_at
    await desk.tell(await desk.agent.expire(timer))
    await desk.bus.js.purge_stream(timer_stream("decomposer"))
    for _ in range(2):  # the stream knows the id yet, and drops it
        assert await desk.reconciler.sweep() == 0
        assert await bus.count(timer_stream("decomposer")) == 0
    await desk.wipe(timer_stream("decomposer"))
    assert await desk.reconciler.sweep() == 0
    (again,) = await bus.collect(TaskExpiring, 1)
    assert TaskExpiring.model_validate_json(again).task_id == task.task_id
    assert await desk.reconciler.sweep() == 0
    looked_up = desk.looked_up
    await desk.wipe(timer_stream("decomposer"))
    desk.wait(900)
    assert await desk.reconciler.sweep() == 0
    assert (desk.looked_up, await bus.count(timer_stream("decomposer"))) == (looked_up, 0)


async def test_an_end_that_was_not_told_is_told_once(bus: Bus) -> None:
    """Nothing is lost: whoever awaits a result gets it, also when the message that made the end is gone."""
    desk = Desk(bus)
    task = await desk.take_on()
    end = await desk.agent.cancel(CancelTask(task_id=task.task_id))  # the decomposer dies here
    await desk.wipe(queue_stream("classifier"))
    assert await desk.reconciler.sweep() == 1
    (told,) = await bus.collect(TaskFailed, 1)
    assert [TaskFailed.model_validate_json(told)] == [item for item in end if isinstance(item, TaskFailed)]
    desk.wait(STALL_S + 1)
    assert await desk.reconciler.sweep() == 0
    assert await bus.count(RESULTS.name) == 1


async def test_an_end_that_could_not_be_looked_up_is_not_forgotten(bus: Bus) -> None:
    """Nothing is lost: a bus that fails in the middle of a look costs the rest of it a pause, and no task its end."""
    desk = Desk(bus)
    task = await desk.take_on()
    await desk.agent.cancel(CancelTask(task_id=task.task_id))
    await desk.wipe(queue_stream("classifier"))
    desk.deaf = True
    with pytest.raises(MeshUnavailable):
        await desk.reconciler.sweep()
    desk.deaf = False
    assert await desk.reconciler.sweep() == 1
    assert await bus.count(RESULTS.name) == 1


async def test_what_has_ended_is_looked_at_once(bus: Bus) -> None:
    """It runs on what you have: a month of ended tasks costs a look nothing."""
    desk = Desk(bus)
    for _ in range(5):
        task = await desk.take_on()
        await desk.tell(await desk.agent.cancel(CancelTask(task_id=task.task_id)))
    await desk.wipe(queue_stream("classifier"))
    for _ in range(3):
        assert await desk.reconciler.sweep() == 0
        assert desk.looked_up == 5


async def test_tasks_of_a_bucket_that_was_made_anew_are_seen(bus: Bus) -> None:
    """Nothing is lost: who has followed the bucket up to some place begins at its start when it is another one."""
    desk = Desk(bus)
    for _ in range(3):
        await desk.take_on()
    await desk.reconciler.sweep()
    await desk.wipe(bucket_stream(Bucket.TASKS))
    await desk.wipe(queue_stream("classifier"))
    await desk.take_on()
    await desk.wipe(queue_stream("classifier"))
    assert await desk.reconciler.sweep() == 0
    desk.wait(STALL_S + 1)
    assert await desk.reconciler.sweep() == 1
    assert len(await desk.resumptions()) == 1


async def test_a_task_that_cannot_be_moved_ends_with_the_reason(bus: Bus) -> None:
    """Nothing is lost: a task that stands still after every new start fails, once, and says why."""
    desk = Desk(bus)
    await desk.take_on()
    for _ in range(TAKES + 2):
        await desk.wipe(queue_stream("classifier"))
        await desk.reconciler.sweep()
        desk.wait(STALL_S + 1)
    assert len(await desk.resumptions()) == TAKES
    (end,) = await bus.collect(TaskFailed, 1)
    assert TaskFailed.model_validate_json(end).reason == "standstill"
    assert await bus.count(RESULTS.name) == 1


async def test_a_hop_that_was_refused_as_expired_is_made_anew(bus: Bus) -> None:
    """Nothing is lost: a message whose signature had grown too old on its way stops no task."""
    desk = Desk(bus)
    task = TaskSubmitted(task_id=new_task_id(), goal="What is this?", submitted_at=desk.now)
    (ready,) = (item for item in await desk.agent.plan(task) if isinstance(item, StepReady))
    links = await bus.links("decomposer")
    old = seal(ready, read_identity(bus.keys, "decomposer"), desk.now - timedelta(days=8))
    del old.headers[MESSAGE_ID]  # which the stream would know for ten minutes, by a clock that the test does not turn
    await links.publisher.send(old)
    seen: list[StepReady] = []

    async def handle(step: StepReady) -> Sequence[Message]:
        seen.append(step)
        return ()

    async def refused() -> bool:
        return await bus.count("DEAD") == 1 and await bus.count(queue_stream("classifier")) == 0

    async def taken_up() -> bool:
        return bool(seen)

    async with working(bus, handle):
        await eventually(refused)
        assert await desk.reconciler.sweep() == 0
        desk.wait(STALL_S + 1)
        assert await desk.reconciler.sweep() == 1
        await eventually(taken_up)
    assert (seen, await bus.count(RESULTS.name)) == ([ready], 0)


async def test_a_task_whose_end_was_told_with_a_burial_is_not_taken_up(bus: Bus) -> None:
    """Nothing is done twice: who buries a submission tells the task's end, of which its record knows nothing."""
    desk = Desk(bus)
    task = await desk.take_on()
    await desk.wipe(queue_stream("classifier"))
    told = TaskFailed(
        task_id=task.task_id, outcome="failed", reason="buried:unanswerable", detail="", finished_at=desk.now
    )
    await desk.publish(told)
    assert await desk.reconciler.sweep() == 0
    for _ in range(TAKES + 2):
        desk.wait(STALL_S + 1)
        assert await desk.reconciler.sweep() == 0
    assert (await desk.resumptions(), await bus.count(queue_stream("classifier"))) == ([], 0)
    state = await bus.state(Bucket.TASKS, TaskState).get(task.task_id)
    assert state is not None
    assert state.end is not None
    assert await bus.count(RESULTS.name) == 1


async def test_an_end_past_its_retention_is_not_told_again(bus: Bus) -> None:
    """Nothing is told twice: a result that is gone by its age is no result that was lost."""
    desk = Desk(bus)
    task = await desk.take_on()
    await desk.tell(await desk.agent.cancel(CancelTask(task_id=task.task_id)))
    for stream in (queue_stream("classifier"), RESULTS.name):
        await desk.wipe(stream)
    desk.wait(RESULTS.max_age_s + 1)
    assert await desk.reconciler.sweep() == 0
    assert await bus.count(RESULTS.name) == 0
