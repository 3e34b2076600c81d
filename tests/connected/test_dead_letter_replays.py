"""Dead letters that are not sent again, as nobody would do anything with them, and what is: said before it is tried."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from command_line import run_command
from guarded_bus import Guarded
from harness import Bus, eventually
from hybridmesh.agents.decomposer.agent import DecomposerAgent
from hybridmesh.agents.decomposer.task_state import TaskState
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.envelope import Envelope, seal
from hybridmesh.bus.errors import Unanswerable
from hybridmesh.bus.graveyard import DIED_ON
from hybridmesh.bus.identity import read_identity
from hybridmesh.bus.message_ids import MESSAGE_ID
from hybridmesh.bus.settings import PlanSettings, default_profiles
from hybridmesh.bus.topology import (
    DEAD,
    RESULTS,
    Bucket,
    bucket_subject,
    consumers,
    dead_subject,
    lanes_stream,
    queue_stream,
    subject_of,
)
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.audits import Action
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.steps import StepReady
from hybridmesh.schemas.tasks import TaskFailed, TaskSubmitted
from letter_bench import SECRET, actions, bury, letters, make_ready

pytestmark = pytest.mark.connected


class DecomposerDouble:
    """A decomposer that can take nothing on."""

    def agent(self) -> Agent:
        return Agent("decomposer", handlers={TaskSubmitted: self._plan})

    async def _plan(self, _: TaskSubmitted) -> Sequence[Message]:
        raise Unanswerable("cannot")


@contextlib.asynccontextmanager
async def admitting(bus: Bus, decomposer: DecomposerDouble | DecomposerAgent) -> AsyncGenerator[None]:
    """A decomposer at work on what is submitted."""
    links = await bus.links("decomposer")
    first, *beside = (queue for queue in consumers() if queue.admits)
    loop = WorkLoop(
        bus.js, first, decomposer.agent(), links.publisher, links.ring, bus.settings.bus, slots=2, beside=beside
    )
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        loop.stop()
        await task


async def _empty(bus: Bus, stream: str) -> bool:
    return await bus.count(stream) == 0


async def test_a_step_of_a_task_that_is_over_is_not_sent_again(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: its agent would drop it unread, so nobody is told that it was replayed."""
    step = make_ready()
    await bury(bus, step)
    decomposer = await bus.links("decomposer")
    end = TaskFailed(task_id=step.task_id, outcome="failed", reason="r", detail="", finished_at=datetime.now(UTC))
    await decomposer.publisher.publish(end)
    ran = await letters(bus, tmp_path, "replay", "1")
    assert (ran.code, "is over" in ran.err, "remedy: submit the task again" in ran.err) == (2, True, True)
    assert await bus.count(queue_stream("classifier")) == 0
    assert await actions(bus, Action.DEAD_LETTER_REPLAYED) == []


async def test_a_submission_whose_task_failed_with_it_is_not_sent_again(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: its burial told the task's end, so a replay would begin a task that nobody goes on with."""
    task = TaskSubmitted(task_id=new_task_id(), goal=SECRET, submitted_at=datetime.now(UTC))
    await (await bus.links("publisher")).publisher.publish(task)
    async with admitting(bus, DecomposerDouble()):
        (end,) = await bus.collect(TaskFailed, 1)
        await eventually(lambda: _empty(bus, lanes_stream("decomposer")))
    assert TaskFailed.model_validate_json(end).reason == "buried:unanswerable"
    ran = await letters(bus, tmp_path, "replay", "1")
    assert (ran.code, "is over" in ran.err, "remedy: submit the task again" in ran.err) == (2, True, True)
    assert await bus.count(lanes_stream("decomposer")) == 0
    assert await actions(bus, Action.DEAD_LETTER_REPLAYED) == []


async def test_a_submission_that_had_no_end_is_begun_anew(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: the burial of an unsigned one ends nothing, so its replay takes the task on, whole."""
    task = TaskSubmitted(task_id=new_task_id(), goal=SECRET, submitted_at=datetime.now(UTC))
    headers = {"ce-type": task.event_type(), "ce-id": task.identity()}
    await bus.js.publish(subject_of(task), task.model_dump_json().encode(), headers=headers)
    async with admitting(bus, DecomposerDouble()):
        await eventually(lambda: _empty(bus, lanes_stream("decomposer")))
    assert (await bus.count(DEAD.name), await bus.count(RESULTS.name)) == (1, 0)
    assert (await letters(bus, tmp_path, "replay", "1", "--json")).json == {"replayed": [1]}
    agent = DecomposerAgent(
        tasks=bus.state(Bucket.TASKS, TaskState),
        workflows={},
        profiles=default_profiles(),
        limits=PlanSettings(),
        clock=lambda: datetime.now(UTC),
    )
    async with admitting(bus, agent):
        (ready,) = await bus.collect(StepReady, 1)
    assert StepReady.model_validate_json(ready).task_id == task.task_id


async def test_a_letter_with_an_old_signature_is_not_sent_again(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: its agent would refuse it, so that is said before anything is sent."""
    step = make_ready()
    decomposer = await bus.links("decomposer")
    signed = datetime.now(UTC) - timedelta(days=8)
    sealed = seal(step, read_identity(bus.keys, "decomposer"), signed)
    await decomposer.publisher.send(
        Envelope(dead_subject(sealed.subject), {**sealed.headers, DIED_ON: sealed.subject}, sealed.body)
    )
    ran = await letters(bus, tmp_path, "replay", "1")
    assert (ran.code, "too old" in ran.err, "remedy: submit its task again" in ran.err) == (2, True, True)
    assert await bus.count(queue_stream("classifier")) == 0
    assert await actions(bus, Action.DEAD_LETTER_REPLAYED) == []


@pytest.mark.parametrize(
    "place", [bucket_subject(Bucket.POLICY, "terms.7"), "mesh.memory.forget", "", "mesh.step.ready.a b"]
)
async def test_a_letter_is_sent_to_queues_alone(bus: Bus, tmp_path: Path, place: str) -> None:
    """No one gets in: an agent that buries what it likes has no person write the organisation's terms for it."""
    router = await bus.links("router")
    await bus.js.publish(bucket_subject(Bucket.POLICY, "terms.7"), b"kept")
    forged = Envelope(dead_subject("mesh.step.ready.x"), {DIED_ON: place, "KV-Operation": "DEL"}, b"")
    await router.publisher.send(forged)
    ran = await letters(bus, tmp_path, "replay", "--all")
    assert (ran.code, "names no queue" in ran.err, "dead-letters drop 1" in ran.err) == (2, True, True)
    assert (await (await bus.js.key_value(Bucket.POLICY)).get("terms.7")).value == b"kept"


async def test_a_letter_of_the_cloud_is_not_sent_there(guarded: Guarded, tmp_path: Path) -> None:
    """Nothing private leaves by a person's hand, and one such letter keeps no other from being sent."""
    consultant, classifier = await guarded.links("consultant"), await guarded.links("classifier")
    step = make_ready()
    for links, subject in ((consultant, f"mesh.consult.requested.{step.task_id}"), (classifier, subject_of(step))):
        headers = {"ce-id": step.identity(), "ce-type": step.event_type(), DIED_ON: subject, MESSAGE_ID: subject}
        await links.publisher.send(Envelope(dead_subject(subject), headers, b"{}"))
    place = ["--nats", guarded.server.url, "--keys", str(guarded.keys), "--data", str(tmp_path)]
    ran = await asyncio.to_thread(run_command, "dead-letters", ["replay", "--all", "--json"], place)
    assert (ran.code, ran.json, "on its way to the cloud" in ran.err) == (2, {"replayed": [2]}, True)
