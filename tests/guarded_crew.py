"""The agents of a task's way, each under its own identity on a server that lets in nobody else; doubles around them."""

import asyncio
import time
from decimal import Decimal
from functools import partial

from bench.doubles import InstantCloud, InstantModel, NoTags
from empty_memory import EmptyMemory
from fixed_terms import FixedTerms
from guarded_bus import Guarded
from harness import eventually
from hybridmesh.agents.classifier.agent import ClassifierAgent
from hybridmesh.agents.classifier.detector import Detector
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.agents.consultant.agent import Consultant
from hybridmesh.agents.consultant.calls import CallRecord
from hybridmesh.agents.consultant.port import CloudRefusal, CloudReply, Gate, Question
from hybridmesh.agents.consultant.prices import price_of
from hybridmesh.agents.decomposer.agent import DecomposerAgent
from hybridmesh.agents.decomposer.task_state import TaskState
from hybridmesh.agents.decomposer.workflows import load_workflows
from hybridmesh.agents.router.agent import RouterAgent
from hybridmesh.agents.router.prices import PriceList
from hybridmesh.agents.router.record import RouteRecord
from hybridmesh.agents.verifier.agent import Verifier
from hybridmesh.agents.worker.agent import WorkerAgent
from hybridmesh.agents.worker.parked import ParkedBucket, RouteTaken
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.bodies import forget_bodies
from hybridmesh.bus.budgets import Budgets, Spending
from hybridmesh.bus.clearances import check_clearance
from hybridmesh.bus.endings import Endings
from hybridmesh.bus.links import Links
from hybridmesh.bus.settings import CloudSettings, ModelSettings, PlanSettings, ProfileSettings, default_profiles
from hybridmesh.bus.topology import Account, Bucket, consumers, consumers_of
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.approvals import ApprovalRecord
from hybridmesh.schemas.steps import StepClassified

PROFILES = {
    **default_profiles(),
    "balanced": ProfileSettings(complexity=0),
    "asking": ProfileSettings(complexity=0, approve_from_usd=Decimal(0)),
}
CLOUD = CloudSettings(provider="anthropic")
CREW = ("decomposer", "classifier", "router", "consultant", "worker", "verifier")


class CountedCloud:
    """A cloud that knows how often it was asked; one that ``declines`` answers nothing."""

    provider, simulated = InstantCloud.provider, InstantCloud.simulated

    def __init__(self, *, declines: bool = False) -> None:
        self.asked = 0
        self._cloud = InstantCloud()
        self._declines = declines

    async def ask(self, question: Question, gate: Gate) -> CloudReply | CloudRefusal:
        """Answer, and count."""
        reply = await self._cloud.ask(question, gate)
        self.asked += 1
        return CloudRefusal("cloud-declined", "", reply.input_tokens, 1, reply.model) if self._declines else reply

    async def close(self) -> None:
        """Nothing is held."""


class Crew:
    """The agents that work now; who was stopped can be started again, with nothing in memory."""

    def __init__(self, guarded: Guarded, cloud: CountedCloud) -> None:
        self._guarded = guarded
        self._cloud = cloud
        self._loops: dict[str, list[tuple[WorkLoop, asyncio.Task[None]]]] = {}

    async def start(self, *names: str) -> None:
        """Have these agents work; one that is named twice has two replicas."""
        for name in names:
            links = await self._guarded.links(name)
            agent, settings = self._build(name, links), links.settings.bus
            loops = [
                WorkLoop(links.js, consumer, agent, links.publisher, links.ring, settings, slots=2)
                for consumer in consumers_of(name)
            ]
            self._loops.setdefault(name, []).extend((loop, asyncio.create_task(loop.run())) for loop in loops)

    async def stop(self, *names: str) -> None:
        """Have them end, or all of them."""
        ending = [pair for name in names or tuple(self._loops) for pair in self._loops.pop(name)]
        for loop, _ in ending:
            loop.stop()
        await asyncio.gather(*(task for _, task in ending))

    async def rest(self) -> None:
        """Wait until no queue holds anything but timers."""
        sides = {Account.LOCAL: "provisioner", Account.CLOUD: "provisioner-cloud"}
        looking = {account: (await self._guarded.connect(name)).jetstream() for account, name in sides.items()}
        queues = {(queue.account, queue.stream) for queue in consumers() if not queue.timers}

        async def empty() -> bool:
            held = [(await looking[account].stream_info(name)).state.messages for account, name in queues]
            return not any(held)

        await eventually(empty, 60)

    def _build(self, name: str, links: Links) -> Agent:
        builders = {
            "decomposer": self._decomposer,
            "classifier": self._classifier,
            "router": self._router,
            "consultant": self._consultant,
            "worker": self._worker,
            "verifier": self._verifier,
        }
        return builders[name](links)

    def _vault(self, links: Links) -> Vault:
        return Vault(links.state(Bucket.VAULT, VaultRecord), b"k" * 32, links.clock, ttl_s=600)

    def _decomposer(self, links: Links) -> Agent:
        limits = PlanSettings()
        return DecomposerAgent(
            tasks=links.state(Bucket.TASKS, TaskState),
            workflows=load_workflows(limits),
            profiles=PROFILES.keys(),
            limits=limits,
            clock=links.clock,
            told=Endings(links.js, links.ring).over,
            clear_away=partial(forget_bodies, links.js),
        ).agent()

    def _classifier(self, links: Links) -> Agent:
        finder = Detector(
            tagger=NoTags(), terms=TermRecognizer(()), thresholds=Thresholds(0.5), max_chars=100_000, timeout_s=30,
            monotonic=time.monotonic,
        )  # fmt: skip
        return ClassifierAgent(
            finder=finder,
            terms=FixedTerms(),
            vault=self._vault(links),
            signing_key=links.identity.key,
            clock=links.clock,
            clearance_s=300,
        ).agent()

    def _router(self, links: Links) -> Agent:
        return RouterAgent(
            parked=links.state(Bucket.PARKED, StepClassified),
            routes=links.state(Bucket.PARKED, RouteRecord),
            approvals=links.state(Bucket.APPROVALS, ApprovalRecord),
            budgets=Budgets(links.state(Bucket.BUDGETS, Spending)),
            prices=PriceList(),
            profiles=PROFILES,
            cloud=CLOUD,
            over=Endings(links.js, links.ring).over,
            clock=links.clock,
        ).agent()

    def _consultant(self, links: Links) -> Agent:
        return Consultant(
            self._cloud,
            links.publisher,
            partial(check_clearance, public_key=links.ring["classifier"]),
            price_of,
            links.clock,
            links.state(Bucket.CALLS, CallRecord),
            clearance_s=300,
        ).agent()

    def _worker(self, links: Links) -> Agent:
        return WorkerAgent(
            model=InstantModel(),
            memory=EmptyMemory(),
            vault=self._vault(links),
            parked=ParkedBucket(
                links.state(Bucket.PARKED, StepClassified),
                links.state(Bucket.PARKED, RouteTaken),
                links.state(Bucket.APPROVALS, ApprovalRecord),
            ),
            ledger=Budgets(links.state(Bucket.BUDGETS, Spending)),
            models=ModelSettings(),
            cloud=CLOUD,
            clock=links.clock,
        ).agent()

    def _verifier(self, links: Links) -> Agent:
        return Verifier(InstantModel(), EmptyMemory(), links.clock).agent()
