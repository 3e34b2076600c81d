"""Dead letters on a real server: seen without their bodies, read and sent again with a note in the audit log."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from command_line import Ran, run_command
from harness import Bus, eventually
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.errors import Unanswerable
from hybridmesh.bus.topology import consumers
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.steps import StepContext, StepReady

pytestmark = pytest.mark.connected

SECRET = "Dana Whitfield"


def make_ready(text: str = SECRET) -> StepReady:
    """A step with private text."""
    context = StepContext(goal="g", profile="balanced", spec=StepSpec(id="a", title="A", instruction=text))
    return StepReady(task_id=new_task_id(), step_id="a", context=context)


class Classifier:
    """A classifier that refuses until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.handled: list[StepReady] = []

    async def handle(self, message: StepReady) -> Sequence[Message]:
        if not self.mended:
            raise Unanswerable("cannot")
        self.handled.append(message)
        return ()


@contextlib.asynccontextmanager
async def at_work(bus: Bus, classifier: Classifier) -> AsyncGenerator[None]:
    """The real work loop around it."""
    links = await bus.links("classifier")
    consumer = next(item for item in consumers() if item.durable == "classifier")
    agent = Agent("classifier", handlers={StepReady: classifier.handle})
    loop = WorkLoop(bus.js, consumer, agent, links.publisher, links.ring, bus.settings.bus, slots=2)
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        loop.stop()
        await task


async def bury(bus: Bus, *steps: StepReady) -> None:
    """Let steps die."""
    decomposer = await bus.links("decomposer")
    for step in steps:
        await decomposer.publisher.publish(step)

    async def dead() -> bool:
        return await bus.count("DEAD") == len(steps)

    async with at_work(bus, Classifier()):
        await eventually(dead)


async def letters(bus: Bus, data: Path, *words: str) -> Ran:
    """Run ``dead-letters``."""
    place = ["--nats", bus.url, "--keys", str(bus.keys), "--data", str(data)]
    return await asyncio.to_thread(run_command, "dead-letters", words, place)


async def actions(bus: Bus, action: Action) -> list[AuditEvent]:
    """The publisher's audit events of a kind."""
    count = await bus.count("AUDIT")
    events = [AuditEvent.model_validate_json(body) for body in await bus.collect(AuditEvent, count)]
    return [event for event in events if event.action is action and event.agent == "publisher"]


async def test_letters_are_listed_without_their_bodies(bus: Bus, tmp_path: Path) -> None:
    """Nothing private leaves: not even to a terminal, unless somebody asks for it."""
    step = make_ready()
    await bury(bus, step)
    listed, shown = await letters(bus, tmp_path, "ls", "--json"), await letters(bus, tmp_path, "show", "1")
    (facts,) = listed.json["dead_letters"]
    assert (facts["number"], facts["reason"], facts["buried_by"]) == (1, "unanswerable", "classifier")
    assert facts["id"] == step.identity()
    assert (listed.code, shown.code) == (0, 0)
    assert SECRET not in listed.out + listed.err + shown.out + shown.err
    assert await actions(bus, Action.DEAD_LETTER_READ) == []
    assert "unanswerable" in (await letters(bus, tmp_path, "ls")).out


async def test_reading_a_body_is_in_the_audit_log(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: who looks into a letter leaves a trace, and the trace holds no text."""
    step = make_ready()
    await bury(bus, step)
    ran = await letters(bus, tmp_path, "show", "1", "--raw", "--json")
    assert StepReady.model_validate_json(ran.json["body"]) == step
    (event,) = await actions(bus, Action.DEAD_LETTER_READ)
    assert (event.task_id, event.facts["number"]) == (step.task_id, 1)
    assert SECRET not in event.model_dump_json()


async def test_a_replayed_letter_is_handled_as_it_was_and_stays(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: once the fault is mended, the very message is handled, signature and all."""
    step = make_ready("x" * 300_000)  # its body lies in the object store
    await bury(bus, step)
    classifier = Classifier()
    classifier.mended = True
    async with at_work(bus, classifier):
        for _ in range(2):
            assert (await letters(bus, tmp_path, "replay", "1", "--json")).json == {"replayed": [1]}

        async def twice() -> bool:
            return len(classifier.handled) == 2

        await eventually(twice)
    assert classifier.handled == [step, step]
    assert await bus.count("DEAD") == 1
    assert len(await actions(bus, Action.DEAD_LETTER_REPLAYED)) == 2
    assert (await letters(bus, tmp_path, "ls", "--json")).json["dead_letters"][0]["replays"] == 2


async def test_a_dropped_letter_is_gone_and_the_log_knows_of_it(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: what is erased has been, and says so; one that is not there erases no other."""
    await bury(bus, make_ready(), make_ready())
    assert (await letters(bus, tmp_path, "drop", "1", "7")).code == 2
    assert await bus.count("DEAD") == 2
    assert (await letters(bus, tmp_path, "drop", "1", "--json")).json == {"dropped": [1]}
    assert [row["number"] for row in (await letters(bus, tmp_path, "ls", "--json")).json["dead_letters"]] == [2]
    (event,) = await actions(bus, Action.DEAD_LETTER_DROPPED)
    assert event.facts["number"] == 1
    assert SECRET not in event.model_dump_json()


async def test_all_that_were_not_replayed_are(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost."""
    await bury(bus, make_ready(), make_ready())
    assert (await letters(bus, tmp_path, "replay", "2", "--json")).json == {"replayed": [2]}
    assert (await letters(bus, tmp_path, "replay", "--all", "--json")).json == {"replayed": [1]}
    assert (await letters(bus, tmp_path, "replay", "--all", "--json")).json == {"replayed": []}
    assert await bus.count("WORK_CLASSIFIER") == 2


@pytest.mark.parametrize("words", [["show", "9"], ["show", "0"], ["replay"], ["replay", "1", "--all"], ["replay", "9"]])
async def test_a_letter_that_is_not_there_is_said(bus: Bus, tmp_path: Path, words: list[str]) -> None:
    """Nothing is half done."""
    ran = await letters(bus, tmp_path, *words)
    assert ran.code == 2
    assert not ran.out
    assert await bus.count("AUDIT") == 0
