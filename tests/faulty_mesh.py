"""The agents of a prompt's way on a real server, with places to put a fault in; tests subclass :class:`Mesh`."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from bench.doubles import NoTags
from cloud_double import CloudDouble
from harness import Bus, eventually
from hybridmesh.agents.classifier.agent import ClassifierAgent, Finder, Policy
from hybridmesh.agents.classifier.detector import Detector, Tagger
from hybridmesh.agents.classifier.live_terms import LiveTerms
from hybridmesh.agents.classifier.tags import Tag
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.agents.consultant.agent import Consultant
from hybridmesh.agents.consultant.calls import CallRecord
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
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.settings import CloudSettings, PlanSettings, ProfileSettings, default_profiles
from hybridmesh.bus.terms import KEYS
from hybridmesh.bus.topology import AUDIT, Bucket, consumers_of, queue_stream
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.approvals import ApprovalRecord
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.policies import TermShard
from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.steps import StepClassified
from hybridmesh.schemas.tasks import Document, TaskSubmitted

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
        records = self.bus.state(Bucket.VAULT, VaultRecord)
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
        for consumer in consumers_of(agent.name):
            loop = WorkLoop(self.bus.js, consumer, changed, links.publisher, links.ring, self.bus.settings.bus, slots=2)
            self._loops.append((loop, asyncio.create_task(loop.run())))

    def _changing(self, handler: Handler) -> Handler:
        async def handle(message: Message) -> Sequence[Message]:
            return [self.change(item) for item in await handler(message)]

        return handle

    async def terms(self) -> Policy:
        return LiveTerms(Followed(self.bus.js, Bucket.POLICY, TermShard, KEYS), TermRecognizer(()), time.monotonic)

    async def _decomposer(self) -> Agent:
        plans = PlanSettings()
        return DecomposerAgent(
            tasks=self.bus.state(Bucket.TASKS, TaskState),
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
            parked=self.bus.state(Bucket.PARKED, StepClassified),
            routes=self.bus.state(Bucket.PARKED, RouteRecord),
            approvals=self.bus.state(Bucket.APPROVALS, ApprovalRecord),
            budgets=Budgets(self.bus.state(Bucket.BUDGETS, Spending)),
            prices=PriceList(),
            profiles=PROFILES,
            cloud=CloudSettings(provider="anthropic"),
            over=Endings(self.bus.js, self.bus.ring).over,
            clock=utc_now,
        ).agent()

    async def _consultant(self) -> Agent:
        links = await self.bus.links("consultant")
        model = ClaudeModel(api_key=SecretStr("sk-test"), clock=utc_now, base_url=self.cloud.url)
        check = partial(check_clearance, public_key=links.ring["classifier"])
        return Consultant(
            model,
            links.publisher,
            check,
            price_of,
            utc_now,
            links.state(Bucket.CALLS, CallRecord),
            clearance_s=self.clearance_s,
            patience_s=self.patience_s,
        ).agent()
