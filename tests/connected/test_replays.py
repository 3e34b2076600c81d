"""What was stored once is sent again, byte for byte and by who sent it: no effect happens a second time."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from nats.aio.msg import Msg

from guarded_bus import Guarded
from guarded_crew import CREW, CountedCloud, Crew
from harness import eventually
from hybridmesh.bus.borders import PROVISIONERS
from hybridmesh.bus.budgets import Spending
from hybridmesh.bus.client import Mesh, connect
from hybridmesh.bus.envelope import producer_of
from hybridmesh.bus.message_ids import MESSAGE_ID
from hybridmesh.bus.state import State
from hybridmesh.bus.topology import ROOT, Bucket, bucket_stream, streams
from hybridmesh.infra.audit_check import verify_log
from hybridmesh.infra.explanation import Explanation, explain
from hybridmesh.schemas.approvals import ApprovalRecord
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed

pytestmark = pytest.mark.timeout(120)

GOAL = "Write a careful reply to this mail, and give the reasons for each step that we take."
MAIL = {"mail": "Please write to maria.keller@example.org, and to nobody else.\n"}
_WINDOW_S = 0.1  # the shortest that the server takes
_AUDIT = f"{ROOT}.audit."
# What is kept and set nothing going: a copy of it is kept as well, and is to count for nothing.
_RECORDS = (_AUDIT, f"{ROOT}.egress.", f"{ROOT}.task.completed.", f"{ROOT}.task.failed.")
_ECHOES = f"{ROOT}.ended."  # said by the server
_COPY = "copy"
# Nothing is written to these when all that a task was made of comes once more.
_LEDGERS = (Bucket.TASKS, Bucket.PARKED, Bucket.APPROVALS, Bucket.BUDGETS, Bucket.VAULT)


@dataclass(frozen=True, slots=True)
class Effects:
    """What a task has done, as far as anybody can count it."""

    calls: int
    written: dict[str, int]
    kept: tuple[int, int]
    said: frozenset[str]
    told: Explanation


@dataclass(slots=True)
class Scene:
    """A mesh of guarded agents, and all that was said in it."""

    guarded: Guarded
    cloud: CountedCloud
    crew: Crew
    mesh: Mesh
    heard: list[Msg] = field(default_factory=list[Msg])

    async def listen(self, *, as_it_comes: bool = False) -> None:
        """Keep what is said in either account; ``as_it_comes`` sends each message again at once, under another id."""
        told: set[tuple[str, str]] = set()

        async def hear(message: Msg) -> None:
            headers = message.headers or {}
            about = (headers.get("ce-id", ""), headers.get("ce-source", ""))
            if message.subject.startswith(_ECHOES) or _COPY in headers or about in told:
                return
            told.add(about)
            self.heard.append(message)
            if as_it_comes and not message.subject.startswith(_RECORDS):
                await self._send(message, f"other-{len(told)}")

        for name in PROVISIONERS:
            await (await self.guarded.connect(name)).subscribe(f"{ROOT}.>", cb=hear)

    async def forget_soon(self) -> None:
        """Have each stream forget the ids of its messages at once."""
        for stream in streams():
            (name,) = (name for name, home in PROVISIONERS.items() if home is stream.account)
            js = (await self.guarded.connect(name)).jetstream()
            config = (await js.stream_info(stream.name)).config
            await js.update_stream(config.evolve(duplicate_window=_WINDOW_S))

    async def through(self, profile: str) -> str:
        """See a task to its end, by a person's consent where one is asked; return its id."""
        questions = self.mesh.links.state(Bucket.APPROVALS, ApprovalRecord)
        task_id = await self.mesh.submit(GOAL, inputs=MAIL, profile=profile)

        async def ended() -> bool:
            for asked in (await questions.records()).values():
                await self.mesh.answer(asked.request, approved=True, by="anna")
            return await self.mesh.ended(task_id) is not None

        await eventually(ended, 60)
        await self.crew.rest()
        return task_id

    async def replay(self, *, records: bool = False, other_ids: bool = False) -> int:
        """Send all that was heard once more, hops or ``records``; return how much that was."""
        wanted = [message for message in self.heard if message.subject.startswith(_RECORDS) is records]
        for number, message in enumerate(wanted):
            await self._send(message, f"other-{number}" if other_ids else None)
            await self.crew.rest()  # each by itself: an end that comes again is not to hide what comes again after it
        return len(wanted)

    async def _send(self, message: Msg, other_id: str | None) -> None:
        headers = {**(message.headers or {}), _COPY: "1"}
        if other_id is not None:
            headers[MESSAGE_ID] = other_id
        sender = await self.guarded.connect(producer_of(headers))
        await sender.jetstream().publish(message.subject, message.data, headers=headers)

    async def effects(self, task_id: str) -> Effects:
        """Count."""
        js = (await self.guarded.connect("provisioner")).jetstream()
        written = {name: (await js.stream_info(bucket_stream(name))).state.last_seq for name in _LEDGERS}
        events = await self.mesh.history(AuditEvent, f"*.{task_id}")
        records = await self.mesh.history(EgressRecorded, task_id)
        ends = [
            end for kind in (TaskCompleted, TaskFailed) for end in await self.mesh.history(kind, f"default.{task_id}")
        ]
        told = explain(task_id, await self.mesh.ended(task_id), records, events)
        return Effects(
            self.cloud.asked,
            {str(name): last for name, last in written.items()},
            (len(ends), len(records)),
            frozenset(event.identity() for event in events),
            told.model_copy(update={"timeline": ()}),
        )

    async def problems(self) -> list[str]:
        """Return what the check of the log says; no auditor signs checkpoints here."""
        found = (await verify_log(self.mesh.links.js, self.mesh.links.ring)).findings
        return [finding.problem for finding in found if not finding.problem.startswith("no checkpoint")]


@contextlib.asynccontextmanager
async def scene(guarded: Guarded, *, declines: bool = False, replicas: int = 1) -> AsyncGenerator[Scene]:
    """Have all agents work."""
    cloud = CountedCloud(declines=declines)
    crew = Crew(guarded, cloud)
    async with connect(guarded.server.url, keys=guarded.keys) as mesh:
        await crew.start(*replicas * CREW)
        try:
            yield Scene(guarded, cloud, crew, mesh)
        finally:
            await crew.stop()


async def _wait(it: Scene) -> None:
    await it.forget_soon()
    await asyncio.sleep(2 * _WINDOW_S)


async def _restart_server(it: Scene) -> None:
    """Queues forget what was taken out of them, and its ids."""
    await it.crew.stop()
    await asyncio.to_thread(it.guarded.server.restart)
    await it.crew.start(*CREW)


async def _restart_agents(it: Scene) -> None:
    await _wait(it)
    await it.crew.stop()
    await it.crew.start(*CREW)


async def _nothing(_: Scene) -> None:
    """Only the ids are others."""


ANEW = "under other ids"
WAYS: dict[str, tuple[Callable[[Scene], Awaitable[None]], bool]] = {
    "after the window": (_wait, False),
    "after the server's restart": (_restart_server, False),
    "after the agents' restart": (_restart_agents, False),
    ANEW: (_nothing, True),
}


@pytest.mark.parametrize(
    ("way", "profile", "declines"),
    [*((way, "balanced", False) for way in WAYS), ("after the window", "balanced", True), (ANEW, "asking", False)],
)
async def test_a_task_whose_messages_all_come_again_has_done_nothing_twice(
    guarded: Guarded, way: str, profile: str, declines: bool
) -> None:
    """Nothing is lost, nothing done twice: no call, no spend, no record, no end, and nothing new in the log."""
    before_it, other_ids = WAYS[way]
    async with scene(guarded, declines=declines) as it:
        await it.listen()
        task_id = await it.through(profile)
        before = await it.effects(task_id)
        assert before.calls == 1
        assert before.told.cost_usd > Decimal(0)
        await before_it(it)
        assert await it.replay(other_ids=other_ids) > 7
        assert await it.effects(task_id) == before
        assert await it.problems() == []


async def test_copies_of_records_count_for_nothing(guarded: Guarded) -> None:
    """Nothing is hidden: what was sent, spent and ended is told as before, and each copy in the log is found."""
    async with scene(guarded) as it:
        await it.listen()
        task_id = await it.through("balanced")
        before = await it.effects(task_id)
        entries = sum(message.subject.startswith(_AUDIT) for message in it.heard)
        assert await it.replay(records=True, other_ids=True) == entries + 2
        after = await it.effects(task_id)
        assert after.kept == (2, 2)
        assert replace(after, kept=before.kept) == before
        assert [problem.partition(" again")[2] for problem in await it.problems()] == [
            ": a copy of it, to the moment"
        ] * entries


@pytest.mark.parametrize("profile", ["balanced", "asking"])
async def test_a_task_each_of_whose_messages_comes_twice_at_once(guarded: Guarded, profile: str) -> None:
    """Nothing is lost, nothing done twice: also while it is under way, and two replicas meet at one record."""
    async with scene(guarded, replicas=2) as it:
        await it.listen(as_it_comes=True)
        task_id = await it.through(profile)
        after = await it.effects(task_id)
        assert (after.calls, after.kept) == (1, (1, 1))
        assert [sent.proof for sent in after.told.sent] == ["agrees"]
        js = (await guarded.connect("provisioner")).jetstream()
        spending = await State(js, Bucket.BUDGETS, Spending).get(task_id)
        assert spending is not None
        assert [entry.settled for entry in spending.entries.values()] == [after.told.cost_usd]
        assert await it.problems() == []
