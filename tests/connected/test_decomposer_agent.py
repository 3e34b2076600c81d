"""The decomposer on real state: one plan, each step once, one end, with two replicas at work."""

import asyncio
import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from harness import Bus
from hybridmesh.agents.decomposer.agent import DecomposerAgent
from hybridmesh.agents.decomposer.task_state import TaskState
from hybridmesh.agents.decomposer.workflows import Workflow, load_workflows
from hybridmesh.bus.errors import Deferred, ModelUnavailable
from hybridmesh.bus.ports import LocalModel
from hybridmesh.bus.settings import PlanSettings, default_profiles
from hybridmesh.bus.topology import Bucket, consumers
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.inference import Completion, CompletionRequest
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.plans import Plan, StepSpec
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import StepFailed, StepReady, StepVerified
from hybridmesh.schemas.tasks import CancelTask, Document, TaskCompleted, TaskExpiring, TaskFailed, TaskSubmitted
from hybridmesh.schemas.verdicts import Verdict

pytestmark = pytest.mark.connected

START = datetime(2026, 3, 1, tzinfo=UTC)
SENTENCE = "Read the whole of the notes with great care. "
LONG_GOAL = SENTENCE * 6


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = START

    def read(self) -> datetime:
        return self.now


class Scripted:
    """A model port that says one thing, or is not there."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked = 0

    async def complete(self, request: CompletionRequest) -> Completion:
        assert request.guide is not None
        self.asked += 1
        if self.text is None:
            raise ModelUnavailable("no model")
        return Completion(
            text=self.text, finish="stop", prompt_tokens=1, output_tokens=1, duration_s=0.1, model="scripted"
        )


def diamond() -> Workflow:
    steps = tuple(
        StepSpec(id=name, title=name, instruction="do", uses=uses)
        for name, uses in (("top", ()), ("left", ("top",)), ("right", ("top",)), ("end", ("left", "right")))
    )
    plan = Plan(source="workflow", workflow="diamond", steps=steps, results=("end",))
    return Workflow("diamond", "Diamond", "", plan)


async def decomposer(
    bus: Bus,
    clock: Clock,
    model: LocalModel | None = None,
    cleared: list[str] | None = None,
    planner: str | None = None,
    told: Collection[str] = (),
) -> DecomposerAgent:
    async def clear_away(task_id: str) -> None:
        if cleared is not None:
            cleared.append(task_id)

    async def was_told(task_id: str) -> bool:
        return task_id in told

    limits = PlanSettings()
    return DecomposerAgent(
        tasks=bus.state(Bucket.TASKS, TaskState),
        workflows={**load_workflows(limits), "diamond": diamond()},
        profiles=default_profiles(),
        limits=limits,
        clock=clock.read,
        model=model,
        planner=lambda: planner,
        told=was_told,
        clear_away=clear_away,
    )


def submitted(goal: str = "What is this?", **fields: object) -> TaskSubmitted:
    body = {"task_id": new_task_id(), "goal": goal, "submitted_at": START, **fields}
    return TaskSubmitted.model_validate(body)


def verified(task: TaskSubmitted, name: str, label: Sensitivity = Sensitivity.PUBLIC, result: str = "") -> StepVerified:
    return StepVerified(
        task_id=task.task_id,
        step_id=name,
        result=result or f"result of {name}",
        label=label,
        lane=Lane.LOCAL,
        decision=Decision(lane=Lane.LOCAL, reason="r"),
        verdict=Verdict(passed=True),
        cost_usd=Decimal("0.01"),
    )


def steps_of(messages: Sequence[Message]) -> list[str]:
    return [message.step_id for message in messages if isinstance(message, StepReady)]


def ends_of(messages: Sequence[Message]) -> list[TaskCompleted | TaskFailed]:
    return [message for message in messages if isinstance(message, TaskCompleted | TaskFailed)]


def actions(messages: Sequence[Message]) -> list[Action]:
    return [message.action for message in messages if isinstance(message, AuditEvent)]


def identities(messages: Sequence[Message]) -> list[str]:
    return [message.identity() for message in messages]


async def test_a_workflow_runs_from_its_first_step_to_its_end(bus: Bus) -> None:
    """Nothing is lost: a ticket is sorted, understood and answered, and all results come back in one end."""
    agent = await decomposer(bus, Clock())
    task = submitted("Handle this ticket.", workflow="support-triage", inputs=(Document(name="ticket", text="t"),))
    first = await agent.plan(task)
    assert steps_of(first) == ["categorise", "request"]
    assert actions(first) == [Action.TASK_ACCEPTED, Action.STEP_PLANNED]
    assert await agent.advance(verified(task, "request", result="They ask for money.")) == []
    then = await agent.advance(verified(task, "categorise", Sensitivity.PERSONAL, "billing"))
    (ready,) = then
    assert isinstance(ready, StepReady)
    assert ready.context.spec.framework == "support-triage/reply/billing"
    assert ready.context.label_floor is Sensitivity.PERSONAL
    assert [document.name for document in ready.context.inputs] == ["ticket", "result:categorise"]
    last = await agent.advance(verified(task, "reply", result="Dear customer"))
    (end,) = ends_of(last)
    assert isinstance(end, TaskCompleted)
    assert end.result == "## Category\n\nbilling\n\n## Request\n\nThey ask for money.\n\n## Reply\n\nDear customer"
    assert end.cost_usd == Decimal("0.03")
    assert actions(last) == [Action.TASK_ENDED]


async def test_two_replicas_and_every_message_twice_make_one_task(bus: Bus) -> None:
    """Nothing is lost: two decomposers handle everything at the same time; each step and the end come out once."""
    clock = Clock()
    one, other = await decomposer(bus, clock), await decomposer(bus, clock)
    task = submitted(workflow="diamond")
    told: list[Message] = []
    for messages in await asyncio.gather(one.plan(task), other.plan(task), other.plan(task)):
        told += messages
    await asyncio.gather(one.advance(verified(task, "top")), other.advance(verified(task, "top")))
    for messages in await asyncio.gather(
        one.advance(verified(task, "left")),
        other.advance(verified(task, "right")),
        other.advance(verified(task, "left")),
        one.advance(verified(task, "right")),
    ):
        told += messages
    for messages in await asyncio.gather(one.advance(verified(task, "end")), other.advance(verified(task, "end"))):
        told += messages
    ready = {message.identity() for message in told if isinstance(message, StepReady)}
    assert {identity.split("/")[1] for identity in ready} == {"top", "end"}
    assert len({end.model_dump_json() for end in ends_of(told)}) == 1


async def test_a_replayed_message_says_the_same_and_changes_nothing(bus: Bus) -> None:
    """Nothing is lost: a crash between the state and the publication heals when the message comes again."""
    clock = Clock()
    agent = await decomposer(bus, clock)
    task = submitted(workflow="diamond", deadline=START + timedelta(minutes=5))
    causes: list[tuple[Message, Sequence[Message]]] = [(task, await agent.plan(task))]
    for name in ("top", "left", "right", "end"):
        message = verified(task, name)
        causes.append((message, await agent.advance(message)))
        clock.now += timedelta(seconds=1)
        replayed = await (await decomposer(bus, clock)).advance(message)
        assert identities(replayed) == identities(causes[-1][1])
    assert ends_of(await agent.plan(task)) == []
    assert await agent.cancel(CancelTask(task_id=task.task_id)) == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"workflow": "nope"}, "unknown-workflow"),
        ({"profile": "nope"}, "unknown-profile"),
        ({"deadline": START - timedelta(seconds=1)}, "past-deadline"),
        ({"goal": "  "}, "empty-goal"),
    ],
)
async def test_a_refused_task_has_its_end_at_once(bus: Bus, fields: dict[str, object], reason: str) -> None:
    """Nothing is lost: what cannot begin ends as refused, and is told so again when it is asked again."""
    agent = await decomposer(bus, Clock())
    task = submitted(**fields)  # type: ignore[arg-type]  # the goal is among the fields
    told = await agent.plan(task)
    (end,) = ends_of(told)
    assert isinstance(end, TaskFailed)
    assert (end.outcome, end.reason) == ("refused", reason)
    assert actions(told) == [Action.TASK_ENDED]
    assert identities(await agent.plan(task)) == identities(told)


async def test_a_task_ends_at_its_deadline_and_the_timer_waits_for_it(bus: Bus) -> None:
    """Nothing is lost: a task whose agents are silent ends all the same, once."""
    clock, cleared, known = Clock(), list[str](), set[str]()
    agent = await decomposer(bus, clock, cleared=cleared, told=known)
    task = submitted(deadline=START + timedelta(seconds=90))
    timer = next(message for message in await agent.plan(task) if isinstance(message, TaskExpiring))
    assert timer.due_at == task.deadline
    waits: list[float] = []
    told: Sequence[Message] = ()
    for _ in range(20):
        try:
            told = await agent.expire(timer)
        except Deferred as later:
            waits.append(later.delay_s)
            clock.now += timedelta(seconds=later.delay_s)
            continue
        break
    (end,) = ends_of(told)
    assert isinstance(end, TaskFailed)
    assert end.reason == "deadline"
    assert clock.now == timer.due_at
    assert 2 < len(waits) < 12
    assert waits[0] == 2
    assert ends_of(await agent.advance(verified(task, "s1"))) == []
    over = submitted()
    timer = next(message for message in await agent.plan(over) if isinstance(message, TaskExpiring))
    await agent.advance(verified(over, "s1"))
    with pytest.raises(Deferred):
        await agent.expire(timer)
    assert cleared == [], "until the end is told, the message that brought it may come back"
    known.add(over.task_id)
    with pytest.raises(Deferred) as late:
        await agent.expire(timer)
    assert cleared == [over.task_id], "what was stored for a task on its way goes when it is over"
    clock.now += timedelta(seconds=late.value.delay_s)
    assert list(await agent.expire(timer)) == []
    assert cleared == [over.task_id] * 2, "and again when nobody can have a step of it in hand any more"


async def test_what_was_stored_of_a_refused_task_goes_too(bus: Bus) -> None:
    """Nothing private stays behind: a task that never began has a timer as well, which is due at once."""
    clock, cleared, known = Clock(), list[str](), set[str]()
    agent = await decomposer(bus, clock, cleared=cleared, told=known)
    refused = submitted(profile="no-such")
    timer = next(message for message in await agent.plan(refused) if isinstance(message, TaskExpiring))
    with pytest.raises(Deferred):
        await agent.expire(timer)
    known.add(refused.task_id)
    assert (list(await agent.expire(timer)), cleared) == ([], [refused.task_id])


async def test_an_end_that_was_told_is_not_told_again(bus: Bus) -> None:
    """Nothing is lost: a submission that comes again when the stream has forgotten its id brings no second end."""
    told: set[str] = set()
    clock = Clock()
    agent = await decomposer(bus, clock, told=told)
    refused, late = submitted(workflow="no-such"), submitted()
    timer = next(message for message in await agent.plan(late) if isinstance(message, TaskExpiring))
    clock.now = timer.due_at
    for _ in range(2):  # as long as it may not have arrived
        assert len(ends_of(await agent.plan(refused))) == 1
        assert len(ends_of(await agent.expire(timer))) == 1
    told |= {refused.task_id, late.task_id}
    assert ends_of(await agent.plan(refused)) == []
    with pytest.raises(Deferred):
        await agent.expire(timer)


async def test_a_failed_step_and_a_cancellation_end_the_task_once(bus: Bus) -> None:
    """Nothing is lost: of a failure, a cancellation and a result that race, one is the end."""
    clock = Clock()
    one, other = await decomposer(bus, clock), await decomposer(bus, clock)
    for _ in range(5):
        task = submitted()
        await one.plan(task)
        told = await asyncio.gather(
            one.give_up(StepFailed(task_id=task.task_id, step_id="s1", reason="verification")),
            other.cancel(CancelTask(task_id=task.task_id)),
            other.advance(verified(task, "s1")),
        )
        assert sum(len(ends_of(messages)) for messages in told) == 1


async def test_a_cancellation_before_its_task_holds(bus: Bus) -> None:
    """Nothing is lost: the queue gives no order, and a task cancelled early never starts."""
    agent = await decomposer(bus, Clock())
    task = submitted()
    assert list(await agent.cancel(CancelTask(task_id=task.task_id))) == []
    told = await agent.plan(task)
    assert steps_of(told) == []
    (end,) = ends_of(told)
    assert isinstance(end, TaskFailed)
    assert end.outcome == "cancelled"


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (
            json.dumps({"steps": [1, 1, 1, 1, 2, 2]}),
            [(SENTENCE * 4).strip(), (SENTENCE * 2).strip()],
        ),
        ("{", [LONG_GOAL]),
        (None, [LONG_GOAL]),
    ],
)
async def test_a_model_may_plan_and_may_fail_to(bus: Bus, text: str | None, steps: list[str]) -> None:
    """It runs on what you have: a plan comes from the model once, and without one the goal is a single step."""
    model = Scripted(text)
    agent = await decomposer(bus, Clock(), model)
    task = submitted(LONG_GOAL)
    await agent.plan(task)
    model.text = "changed its mind"
    await agent.plan(task)
    assert model.asked == 1
    state = await bus.state(Bucket.TASKS, TaskState).get(task.task_id)
    assert state is not None
    assert state.plan is not None
    assert [step.instruction for step in state.plan.steps] == steps


async def test_a_model_that_cuts_wrongly_is_not_asked(bus: Bus) -> None:
    """Nothing is lost: a goal stays whole rather than being cut by a model that was measured to cut wrongly."""
    model = Scripted(json.dumps({"steps": [1, 1, 1, 1, 2, 2]}))
    agent = await decomposer(bus, Clock(), model, planner="qwen2.5-coder-0.5b")
    task = submitted(LONG_GOAL)
    await agent.plan(task)
    state = await bus.state(Bucket.TASKS, TaskState).get(task.task_id)
    assert state is not None
    assert state.plan is not None
    assert (model.asked, len(state.plan.steps)) == (0, 1)


async def test_the_decomposer_works_on_its_queues(bus: Bus) -> None:
    """Nothing is lost: from a submission to its end over the real bus, and nothing private in the audit log."""
    clock = Clock()
    clock.now = datetime.now(UTC)
    agent = await decomposer(bus, clock)
    links = await bus.links("decomposer")
    loops = [
        WorkLoop(bus.js, consumer, agent.agent(), links.publisher, links.ring, bus.settings.bus, slots=4)
        for consumer in consumers()
        if consumer.durable.startswith("decomposer")
    ]
    running = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        task = submitted("Tell me about Erika Mustermann.")
        publisher, verifier = await bus.links("publisher"), await bus.links("verifier")
        await publisher.publisher.publish(task)
        (ready,) = await bus.collect(StepReady, 1)
        assert StepReady.model_validate_json(ready).context.goal == task.goal
        await verifier.publisher.publish(verified(task, "s1", result="She waits."))
        (end,) = await bus.collect(TaskCompleted, 1)
        assert TaskCompleted.model_validate_json(end).result == "She waits."
        audits = await bus.collect(AuditEvent, 3)
        assert b"Erika" not in b"".join(audits)
    finally:
        for loop in loops:
            loop.stop()
        await asyncio.gather(*running)
