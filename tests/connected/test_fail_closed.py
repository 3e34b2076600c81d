"""Every fault of the table, injected into the real agents on a real server: the lane it takes, and its audit event."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from bench.doubles import NoTags
from cloud_double import CloudDouble, answer
from harness import Bus, eventually
from hybridmesh.agents.classifier.agent import ClassifierAgent, Finder, Policy
from hybridmesh.agents.classifier.detector import Detector, Tagger
from hybridmesh.agents.classifier.live_terms import LiveTerms
from hybridmesh.agents.classifier.tags import Tag
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.agents.classifier.token_classifier import TokenClassifier
from hybridmesh.agents.consultant.agent import Consultant
from hybridmesh.agents.consultant.claude import ClaudeModel
from hybridmesh.agents.consultant.prices import price_of
from hybridmesh.agents.decomposer.agent import DecomposerAgent
from hybridmesh.agents.decomposer.task_state import TaskState
from hybridmesh.agents.decomposer.workflows import load_workflows
from hybridmesh.agents.router.agent import RouterAgent
from hybridmesh.agents.router.prices import PriceList
from hybridmesh.agents.router.record import RouteRecord
from hybridmesh.bus.agent import Agent, Handler
from hybridmesh.bus.budgets import Budgets, Spending
from hybridmesh.bus.clearances import check_clearance
from hybridmesh.bus.endings import Endings
from hybridmesh.bus.followed import Followed
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.settings import CloudSettings, PlanSettings, ProfileSettings, default_profiles
from hybridmesh.bus.topology import AUDIT, Bucket, bucket_stream, consumers, queue_stream
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.bus.work import WorkLoop
from hybridmesh.infra.fail_closed import FAULTS, TEST, Fault, matrix
from hybridmesh.schemas.approvals import ApprovalRecord
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import ConsultProposed, ConsultRequested
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.policies import TermShard
from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.steps import StepClassified, StepLocal
from hybridmesh.schemas.tasks import Document, TaskFailed, TaskSubmitted

pytestmark = [pytest.mark.connected, pytest.mark.timeout(90)]

CHECKOUT = Path(__file__).resolve().parents[2]
MAIL = "Please write to maria.keller@example.org, and to nobody else.\n"
GOAL = "Write a careful reply to this mail, and give the reasons for each step that we take."
PROFILES = {
    **default_profiles(),
    "balanced": ProfileSettings(complexity=0),
    "strict": ProfileSettings(complexity=0, on_doubt="stop"),
}


class Blind:
    """A detector that finds nothing."""

    async def find(self, texts: Sequence[str], known: Mapping[str, str] | None = None) -> list[list[Span]]:
        return [[] for _ in texts]

    def close(self) -> None:
        """Nothing is held."""


class Failing(Blind):
    """A detector that raises from its ``first`` call on."""

    def __init__(self, error: Exception, *, first: int = 1) -> None:
        self._error = error
        self._left = first - 1

    async def find(self, texts: Sequence[str], known: Mapping[str, str] | None = None) -> list[list[Span]]:
        if self._left <= 0:
            raise self._error
        self._left -= 1
        return await super().find(texts, known)


class BrokenTags:
    """A token classifier that fails as nobody foresaw."""

    def tag(self, text: str, threshold: float, tick: Callable[[], None]) -> list[Tag]:
        raise ZeroDivisionError(text)


class SlowTags:
    """A token classifier that comes to no end."""

    def tag(self, text: str, threshold: float, tick: Callable[[], None]) -> list[Tag]:
        while True:
            tick()
            time.sleep(0.01)


def detector(tagger: Tagger | None = None, *, max_chars: int = 100_000, timeout_s: float = 30) -> Detector:
    return Detector(
        tagger=tagger or NoTags(), terms=TermRecognizer(()), thresholds=Thresholds(0.5), max_chars=max_chars,
        timeout_s=timeout_s, monotonic=time.monotonic,
    )  # fmt: skip


class Mesh:
    """The agents of a prompt's way, each with its own identity and queue; no worker takes what comes home.

    A subclass is a fault: it replaces a part, changes a message on its way, or does something in between: once there
    is work for the agent ``held``, which is started after ``between``.
    """

    held = "consultant"
    mail = MAIL
    clearance_s = 300.0
    patience_s = 60.0

    def __init__(self, bus: Bus, cloud: CloudDouble, folder: Path) -> None:
        self.bus, self.cloud, self.folder = bus, cloud, folder
        self.task_id = new_task_id()
        self._loops: list[tuple[WorkLoop, asyncio.Task[None]]] = []

    def finder(self) -> Finder:
        return detector()

    async def vault(self) -> Vault:
        return await self.vault_with()

    def change(self, message: Message) -> Message:
        return message

    async def between(self) -> None:
        """Nothing happens."""

    async def run(self, profile: str) -> None:
        """Put a task in, and start the agents; they go on until :meth:`stop`."""
        built = {
            "decomposer": await self._decomposer(),
            "classifier": await self._classifier(),
            "router": await self._router(),
            "consultant": await self._consultant(),
        }
        for name in built.keys() - {self.held}:
            await self._start(built[name])
        publisher = (await self.bus.links("publisher")).publisher
        inputs = (Document(name="mail", text=self.mail),)
        await publisher.publish(
            TaskSubmitted(task_id=self.task_id, goal=GOAL, inputs=inputs, profile=profile, submitted_at=utc_now())
        )
        held = asyncio.create_task(self._start_held(built[self.held]))
        self._held = held

    async def stop(self) -> None:
        self._held.cancel()
        await asyncio.gather(self._held, return_exceptions=True)
        for loop, _ in self._loops:
            loop.stop()
        await asyncio.gather(*(task for _, task in self._loops))

    async def holds(self, agent: str) -> bool:
        return await self.bus.count(queue_stream(agent)) > 0

    async def vault_with(self, key: bytes = b"k" * 32, most_bytes: int = 900_000) -> Vault:
        records = await self.bus.state(Bucket.VAULT, VaultRecord)
        return Vault(records, key, utc_now, ttl_s=600, most_bytes=most_bytes)

    async def audited(self) -> list[AuditEvent]:
        bodies = await self.bus.collect(AuditEvent, await self.bus.count(AUDIT.name))
        found = [AuditEvent.model_validate_json(body) for body in bodies]
        return [event for event in found if event.task_id == self.task_id]

    async def _start_held(self, agent: Agent) -> None:
        await eventually(lambda: self.holds(self.held))
        await self.between()
        await self._start(agent)

    async def _start(self, agent: Agent) -> None:
        links = await self.bus.links(agent.name)
        changed = Agent(agent.name, {kind: self._changing(handler) for kind, handler in agent.handlers.items()})
        for consumer in consumers():
            if consumer.durable in (agent.name, f"{agent.name}-timers"):
                loop = WorkLoop(
                    self.bus.js, consumer, changed, links.publisher, links.ring, self.bus.settings.bus, slots=2
                )
                self._loops.append((loop, asyncio.create_task(loop.run())))

    def _changing(self, handler: Handler) -> Handler:
        async def handle(message: Message) -> Sequence[Message]:
            return [self.change(item) for item in await handler(message)]

        return handle

    async def terms(self) -> Policy:
        return LiveTerms(Followed(self.bus.js, Bucket.POLICY, TermShard), TermRecognizer(()), time.monotonic)

    async def _decomposer(self) -> Agent:
        plans = PlanSettings()
        return DecomposerAgent(
            tasks=await self.bus.state(Bucket.TASKS, TaskState),
            workflows=load_workflows(plans),
            profiles=PROFILES.keys(),
            limits=plans,
            clock=utc_now,
            model=None,
        ).agent()

    async def _classifier(self) -> Agent:
        return ClassifierAgent(
            finder=self.finder(),
            terms=await self.terms(),
            vault=await self.vault(),
            signing_key=(await self.bus.links("classifier")).identity.key,
            clock=utc_now,
            clearance_s=self.clearance_s,
        ).agent()

    async def _router(self) -> Agent:
        return RouterAgent(
            parked=await self.bus.state(Bucket.PARKED, StepClassified),
            routes=await self.bus.state(Bucket.PARKED, RouteRecord),
            approvals=await self.bus.state(Bucket.APPROVALS, ApprovalRecord),
            budgets=Budgets(await self.bus.state(Bucket.BUDGETS, Spending)),
            prices=PriceList(),
            profiles=PROFILES,
            cloud=CloudSettings(provider="anthropic"),
            over=Endings(self.bus.js).over,
            clock=utc_now,
        ).agent()

    async def _consultant(self) -> Agent:
        links = await self.bus.links("consultant")
        model = ClaudeModel(api_key=SecretStr("sk-test"), clock=utc_now, base_url=self.cloud.url)
        check = partial(check_clearance, public_key=links.ring["classifier"])
        return Consultant(
            model, links.publisher, check, price_of, utc_now, clearance_s=self.clearance_s, patience_s=self.patience_s
        ).agent()


class DetectorError(Mesh):
    def finder(self) -> Finder:
        return detector(BrokenTags())


class DetectorTimeout(Mesh):
    def finder(self) -> Finder:
        return detector(SlowTags(), timeout_s=0.2)


class ModelMissing(Mesh):
    def finder(self) -> Finder:
        return detector(TokenClassifier(self.folder / "no-model"))


class UnknownLanguage(Mesh):
    mail = "Меня зовут Иван Петров, я живу в Москве на улице Ленина, дом пять, и жду ответа. " * 3


class TextTooLong(Mesh):
    def finder(self) -> Finder:
        return detector(max_chars=50)


class PolicyUnreadable(Mesh):
    async def terms(self) -> Policy:
        await self.bus.js.delete_key_value(Bucket.POLICY)
        return await super().terms()


class VaultWriteFailed(Mesh):
    async def vault(self) -> Vault:
        vault = await self.vault_with()
        await self.bus.js.delete_stream(bucket_stream(Bucket.VAULT))
        return vault


class VaultFull(Mesh):
    async def vault(self) -> Vault:
        return await self.vault_with(most_bytes=100)


class VaultKeyWrong(Mesh):
    async def vault(self) -> Vault:
        await (await self.vault_with(b"x" * 32)).open(self.task_id)
        return await self.vault_with()


class VaultForgotten(Mesh):
    held = "router"

    async def between(self) -> None:
        vault = await self.vault_with()
        await vault.forget(self.task_id)
        await vault.erase(self.task_id)


class DetectorLost(Mesh):
    def finder(self) -> Finder:
        return Failing(RuntimeError(MAIL), first=3)  # a step is read twice


class ValueInPrompt(Mesh):
    def change(self, message: Message) -> Message:
        if not isinstance(message, ConsultProposed):
            return message
        return message.model_copy(update={"prompt": message.prompt.model_copy(update={"user": self.mail})})


class ClearanceMissing(Mesh):
    def change(self, message: Message) -> Message:
        return with_clearance(message, signature="")


class ClearanceAltered(Mesh):
    def change(self, message: Message) -> Message:
        return with_clearance(message, counts={"PERSON": 9})


class ClearanceExpired(Mesh):
    clearance_s = 0.3

    async def between(self) -> None:
        await asyncio.sleep(0.5)


class PromptAltered(Mesh):
    def change(self, message: Message) -> Message:
        if not isinstance(message, ConsultRequested):
            return message
        return message.model_copy(update={"prompt": message.prompt.model_copy(update={"user": "Something else."})})


class SecondScan(Mesh):
    def finder(self) -> Finder:
        return Blind()


class AuditDown(Mesh):
    """The stream is gone when the consultant starts, and comes back after it has given up."""

    patience_s = 0.0

    async def between(self) -> None:
        await self.bus.js.delete_stream(AUDIT.name)
        self.returning = asyncio.create_task(self._give_back())

    async def _give_back(self) -> None:
        await asyncio.sleep(9)
        await provision(self.bus.js, self.bus.settings.bus)


INJECTED: dict[str, type[Mesh]] = {
    re.sub(r"(?<!^)(?=[A-Z])", "-", fault.__name__).lower(): fault for fault in Mesh.__subclasses__()
}


def with_clearance(message: Message, **changes: object) -> Message:
    if not isinstance(message, ConsultRequested):
        return message
    return message.model_copy(update={"clearance": message.clearance.model_copy(update=changes)})


@contextlib.asynccontextmanager
async def mesh_with(bus: Bus, folder: Path, kind: type[Mesh], profile: str) -> AsyncGenerator[Mesh]:
    async with CloudDouble(answer("Thank you.")) as cloud:
        mesh = kind(bus, cloud, folder)
        await mesh.run(profile)
        try:
            yield mesh
        finally:
            await mesh.stop()


def assert_told(fault: Fault, events: Sequence[AuditEvent]) -> None:
    (told,) = [event for event in events if event.action is fault.action]
    name = "doubt" if fault.action is Action.STEP_CLASSIFIED else "reason"
    assert (told.agent, told.facts[name]) == (fault.agent, fault.reason)
    assert not any(word in event.model_dump_json() for event in events for word in ("maria", "keller", "Петров"))


def test_every_fault_of_the_table_is_injected_here() -> None:
    """Nothing is hidden: the page that people read has no row without a test, and no test without a row."""
    assert {fault.key for fault in FAULTS} == INJECTED.keys()
    assert Path(__file__).relative_to(CHECKOUT).as_posix() == TEST
    page = (CHECKOUT / "infra" / "fail-closed.md").read_text("utf-8")
    assert page == matrix(), "run: make documents"
    assert all(f"`{fault.key}`" in page and f"`{fault.reason}`" in page for fault in FAULTS)


async def test_without_a_fault_the_prompt_leaves(bus: Bus, tmp_path: Path) -> None:
    """It runs on what you have: what the faults below keep back would leave without them, as pseudonyms."""
    async with mesh_with(bus, tmp_path, Mesh, "balanced") as mesh:
        await eventually(lambda: mesh.holds("worker"))
        (body,) = mesh.cloud.bodies
    assert b"[EMAIL_" in body
    assert b"keller" not in body


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.key)
async def test_a_fault_takes_the_local_lane(bus: Bus, tmp_path: Path, fault: Fault) -> None:
    """Nothing private leaves, nothing is hidden: the step goes on at home, not a byte left, and the log says why."""
    async with mesh_with(bus, tmp_path, INJECTED[fault.key], "balanced") as mesh:
        (body,) = await bus.collect(StepLocal, 1, timeout=60)
        step = StepLocal.model_validate_json(body)
        events = await mesh.audited()
    assert (step.task_id, step.mode, step.decision.lane) == (mesh.task_id, "answer", Lane.LOCAL)
    assert (mesh.cloud.received, mesh.cloud.connections) == (b"", 0)
    assert_told(fault, events)
    assert [event.facts["lane"] for event in events if event.action is Action.ROUTE_DECIDED][-1] == "local"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.key)
async def test_a_fault_stops_where_the_profile_says_so(bus: Bus, tmp_path: Path, fault: Fault) -> None:
    """Nothing private leaves, nothing is hidden: under secure-research, and under any profile that stops in doubt."""
    profile = "strict" if fault.of_prompt else "secure-research"
    async with mesh_with(bus, tmp_path, INJECTED[fault.key], profile) as mesh:
        (body,) = await bus.collect(TaskFailed, 1, timeout=60)
        events = await mesh.audited()
        assert not await mesh.holds("worker")
    failed = TaskFailed.model_validate_json(body)
    assert (failed.task_id, failed.outcome, failed.reason) == (mesh.task_id, "failed", "in-doubt")
    assert fault.reason in failed.detail
    assert (mesh.cloud.received, mesh.cloud.connections) == (b"", 0)
    assert_told(fault, events)
