"""Five hops of the mesh's own loop and of FastStream's: what validation, signatures, state and audit cost.

Each hop has a connection of its own, as independent agents have, opened as agents open theirs. The mesh's hops are real
work loops on the queues of the table, with handlers that only pass on: envelope checked, record changed by
compare-and-swap, audit event stored, next message signed and stored. FastStream's hops parse and publish, and do
nothing else.
"""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from nats.aio.msg import Msg
from nats.js.api import AckPolicy as ServerAckPolicy
from nats.js.api import ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from pydantic import BaseModel

from bench.bare_loop import HOPS, SLOTS
from bench.measuring import Task
from bench.publishing import MESSAGE
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.connection import open_connection
from hybridmesh.bus.endings import Endings, HeardEndings
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.links import Links, make_links
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.state import State
from hybridmesh.bus.topology import Bucket, consumers_of, filter_of
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import Frozen, Message, new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Findings, Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import StepClassified, StepContext, StepDrafted, StepLocal, StepReady, StepVerified
from hybridmesh.schemas.tasks import Document, StepSummary, TaskCompleted
from hybridmesh.schemas.verdicts import Verdict

_DECISION = Decision(lane=Lane.LOCAL, reason="kept at home")
_STEP = "answer"
_CONNECT_S = 10.0


class Passage(Frozen):
    """How far a task has come."""

    stages: tuple[str, ...] = ()


class Hop:
    """One agent that passes on; ``action`` is what it tells the audit log.

    State is what it is in the mesh: the router parks the step, the decomposer changes the task's record by
    compare-and-swap, the others keep none.
    """

    def __init__(self, links: Links, action: Action) -> None:
        self._tasks: State[Passage] = links.state(Bucket.TASKS, Passage)
        self._parked: State[Message] = links.state(Bucket.PARKED, Message)
        self._name = links.identity.name
        self._action = action

    async def pass_on(self, message: Message) -> Sequence[Message]:
        """Keep what has to be kept, and return the audit event and the next message."""
        step = message.model_dump(include={"task_id", "step_id"})
        stage = type(message).NAME

        def note(found: Passage | None) -> Passage | None:
            stages = found.stages if found else ()
            return found if stage in stages else Passage(stages=(*stages, stage))

        if isinstance(message, StepClassified):
            await self._parked.put(step["task_id"], message)
        if isinstance(message, StepVerified):
            await self._tasks.change(step["task_id"], note)
        event = AuditEvent(agent=self._name, action=self._action, at=datetime.now(UTC), **step, facts={"stage": stage})
        return [event, _next(message)]


def _next(message: Message) -> Message:
    match message:
        case StepReady():
            return StepClassified(
                task_id=message.task_id,
                step_id=message.step_id,
                context=message.context,
                label=Sensitivity.PUBLIC,
                findings=Findings(),
            )
        case StepClassified():
            return StepLocal(
                task_id=message.task_id,
                step_id=message.step_id,
                context=message.context,
                label=message.label,
                decision=_DECISION,
            )
        case StepLocal():
            return StepDrafted(
                task_id=message.task_id,
                step_id=message.step_id,
                context=message.context,
                label=message.label,
                decision=message.decision,
                draft="A draft.",
                author="nobody",
            )
        case StepDrafted():
            return StepVerified(
                task_id=message.task_id,
                step_id=message.step_id,
                result=message.draft,
                label=message.label,
                lane=Lane.LOCAL,
                decision=message.decision,
                verdict=Verdict(passed=True),
            )
        case StepVerified():
            summary = StepSummary(
                step_id=message.step_id,
                title="Answer",
                result=message.result,
                lane=message.lane,
                why=message.decision.reason,
                label=message.label,
                attempts=1,
                verified=True,
                decision=message.decision,
                verdict=message.verdict,
            )
            return TaskCompleted(
                task_id=message.task_id,
                result=message.result,
                steps=(summary,),
                cost_usd=message.cost_usd,
                finished_at=datetime.now(UTC),
            )
        case _:
            raise TypeError(type(message).__name__)


_HOPS: tuple[tuple[str, type[Message], Action], ...] = (
    ("classifier", StepReady, Action.STEP_CLASSIFIED),
    ("router", StepClassified, Action.ROUTE_DECIDED),
    ("worker", StepLocal, Action.DRAFT_MADE),
    ("verifier", StepDrafted, Action.DRAFT_VERIFIED),
    ("decomposer", StepVerified, Action.TASK_ENDED),
)


@contextlib.asynccontextmanager
async def mesh_hop(url: str, hop: int, keys: Path) -> AsyncGenerator[None]:
    """Run one hop over a connection of its own."""
    name, kind, action = _HOPS[hop]
    settings, ring = MeshSettings(), KeyRing.read(keys)
    async with open_connection([url], name, None, None, within_s=_CONNECT_S) as client:
        links = await make_links(client, read_identity(keys, name), ring, settings)
        agent = Agent(name, handlers={kind: Hop(links, action).pass_on})
        # As after the first half minute, when no end can have been missed any more.
        endings = HeardEndings(client, Endings(links.js, ring), late=timedelta(0))
        await endings.listen()
        queue, bus = consumers_of(name)[0], settings.bus
        loop = WorkLoop(links.js, queue, agent, links.publisher, ring, bus, slots=SLOTS, endings=endings)
        running = asyncio.create_task(loop.run())
        try:
            yield
        finally:
            loop.stop()
            await running


@contextlib.asynccontextmanager
async def mesh_sender(url: str, keys: Path) -> AsyncGenerator[Task]:
    """Make the mesh's streams; yields what sends one step through all hops, which run elsewhere."""
    settings = MeshSettings()
    waiting: dict[str, asyncio.Future[None]] = {}

    async def arrived(message: Msg) -> None:
        waiting.pop(message.subject.rpartition(".")[2]).set_result(None)

    async with open_connection([url], "decomposer", None, None, within_s=_CONNECT_S) as client:
        await provision(client.jetstream(), settings.bus)
        first = await make_links(client, read_identity(keys, "decomposer"), KeyRing.read(keys), settings)

        async def run_one() -> None:
            task_id = new_task_id()
            ended = waiting[task_id] = asyncio.get_running_loop().create_future()
            context = StepContext(
                goal="Summarise the message.",
                profile="balanced",
                spec=StepSpec(id=_STEP, title="Answer", instruction="Summarise the message."),
                inputs=(Document(name="message", text=MESSAGE),),
            )
            await first.publisher.publish(StepReady(task_id=task_id, step_id=_STEP, context=context))
            await ended

        await client.subscribe(filter_of(TaskCompleted), cb=arrived)
        await client.flush()
        yield run_one


class Parcel(BaseModel):
    """What FastStream's hops pass on."""

    number: str
    text: str = MESSAGE


@contextlib.asynccontextmanager
async def faststream_sender(url: str) -> AsyncGenerator[Task]:
    """Make the streams; yields what sends one message through all hops, which run elsewhere."""
    client = await nats.connect(url)
    js = client.jetstream()
    for hop in range(HOPS + 1):
        retention = RetentionPolicy.WORK_QUEUE if hop < HOPS else RetentionPolicy.LIMITS
        await js.add_stream(
            StreamConfig(name=f"FAST_{hop}", subjects=[f"fast.{hop}"], retention=retention, storage=StorageType.FILE)
        )
    waiting: dict[str, asyncio.Future[None]] = {}
    run, numbers = secrets.token_hex(4), itertools.count()  # another run's ids would be taken for repeats

    async def arrived(message: Msg) -> None:
        waiting.pop((message.headers or {})["Nats-Msg-Id"].partition("/")[0]).set_result(None)

    async def run_one() -> None:
        parcel = Parcel(number=f"{run}.{next(numbers)}")
        ended = waiting[parcel.number] = asyncio.get_running_loop().create_future()
        headers = {"Nats-Msg-Id": f"{parcel.number}/0", "content-type": "application/json"}
        await js.publish("fast.0", parcel.model_dump_json().encode(), headers=headers)
        await ended

    await client.subscribe(f"fast.{HOPS}", cb=arrived)
    await client.flush()
    try:
        yield run_one
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def faststream_hop(url: str, hop: int) -> AsyncGenerator[None]:
    """Run one hop as FastStream's JetStream subscriber, over a connection of its own."""
    broker = _broker(url, hop)
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()


def _broker(url: str, hop: int) -> NatsBroker:
    broker = NatsBroker(url, logger=None)
    config = ConsumerConfig(ack_policy=ServerAckPolicy.EXPLICIT, ack_wait=30)

    @broker.subscriber(
        f"fast.{hop}",
        stream=JStream(f"FAST_{hop}", declare=False),
        pull_sub=PullSub(batch_size=SLOTS, timeout=1),
        durable="hop",
        config=config,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        max_workers=SLOTS,
    )
    async def pass_on(parcel: Parcel) -> None:  # pyright: ignore[reportUnusedFunction] # the broker calls it
        headers = {"Nats-Msg-Id": f"{parcel.number}/{hop + 1}"}
        await broker.publish(parcel, f"fast.{hop + 1}", stream=f"FAST_{hop + 1}", headers=headers, timeout=5)

    return broker
