"""The agents of the simulated mesh: their real classes and work loops, each replica in a process that can be killed."""

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import cache, partial
from typing import cast

from nats.aio.client import Client
from nats.aio.msg import Msg

from fixed_terms import FixedTerms
from hybridmesh.agents.classifier.agent import ClassifierAgent
from hybridmesh.agents.consultant.agent import Consultant
from hybridmesh.agents.consultant.calls import CallRecord
from hybridmesh.agents.decomposer.agent import DecomposerAgent
from hybridmesh.agents.decomposer.reconciler import Reconciler
from hybridmesh.agents.decomposer.task_state import TaskState
from hybridmesh.agents.decomposer.workflows import Workflow, load_workflows, parse_workflow
from hybridmesh.agents.router.agent import RouterAgent
from hybridmesh.agents.router.prices import PerMillion, PriceList
from hybridmesh.agents.router.record import RouteRecord
from hybridmesh.agents.verifier.agent import Verifier
from hybridmesh.agents.worker.agent import WorkerAgent
from hybridmesh.agents.worker.parked import ParkedBucket, RouteTaken
from hybridmesh.agents.worker.shipped import shipped_frameworks
from hybridmesh.bus.admission import Admission
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.bodies import forget_bodies
from hybridmesh.bus.borders import begun_subject
from hybridmesh.bus.budgets import Budgets, Spending
from hybridmesh.bus.clearances import check_clearance
from hybridmesh.bus.endings import Endings, HeardEndings
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.publisher import Publisher
from hybridmesh.bus.queues import Queues
from hybridmesh.bus.settings import MeshSettings, PlanSettings
from hybridmesh.bus.state import State
from hybridmesh.bus.suspects import Begun, Suspects
from hybridmesh.bus.topology import Bucket, loops_of, row_of
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.approvals import ApprovalRecord
from hybridmesh.schemas.steps import StepClassified
from simulation.bus import Connection, SimulatedJetStream, Wire
from simulation.doubles import (
    CALL,
    CLOUD_MODEL,
    INPUT_USD,
    OUTPUT_USD,
    Outside,
    SimulatedCloud,
    SimulatedFinder,
    SimulatedMemory,
    SimulatedModel,
    price,
)
from simulation.virtual_time import START, Process, VirtualLoop

ROLES = ("decomposer", "classifier", "router", "worker", "consultant", "verifier")
_VAULT_KEY = b"k" * 32
_PRICES = PriceList(overrides={CLOUD_MODEL: PerMillion(INPUT_USD, OUTPUT_USD)})

# Small ones that take every lane; the shipped ones are among those that a task may name too.
_WORKFLOWS = {
    "ask": """
[[steps]]
id = "draft"
title = "Draft"
instruction = "Write an answer to the customer."
lane = "redacted"
""",
    "split": """
[[steps]]
id = "kind"
title = "Kind"
instruction = "Which kind of complaint is it?"
output = { kind = "choice", options = ["billing", "technical"] }

[[steps]]
id = "reply"
title = "Reply"
instruction = "Recommend a refund policy and say why."
uses = ["kind"]
lane = "split"
framework = "refund/{kind}"
""",
    "wide": """
results = ["left", "right"]

[[steps]]
id = "left"
title = "Left"
instruction = "Analyse and compare the risks of the refund."
lane = "redacted"

[[steps]]
id = "right"
title = "Right"
instruction = "Draft a letter about the legal risk and recommend a strategy."
lane = "redacted"
""",
}
WORKFLOWS = (None, *_WORKFLOWS, "none-such")


@cache
def workflows() -> dict[str, Workflow]:
    """Return the workflows by name."""
    limits = PlanSettings()
    return {**load_workflows(limits), **{name: parse_workflow(name, text, limits) for name, text in _WORKFLOWS.items()}}


@dataclasses.dataclass(frozen=True, slots=True)
class Surroundings:
    """What every replica of a schedule is built from."""

    loop: VirtualLoop
    wire: Wire
    outside: Outside
    cloud: SimulatedCloud
    settings: MeshSettings
    keys: dict[str, Identity]
    ring: KeyRing


class Replica:
    """One process of one agent; after its death another one takes its place, with nothing in its memory."""

    def __init__(self, role: str, number: int, around: Surroundings) -> None:
        self.name = f"{role}-{number}"
        self.role = role
        self._around = around
        self._deaths = 0
        self._watches: tuple[Callable[[], Coroutine[None, None, None]], ...] = ()
        self.process = self._start()

    def watch(self) -> list[asyncio.Task[None]]:
        """Start the agent's watches, which run for ever: whoever lets a schedule come to rest ends them."""
        loop, context = self._around.loop, self.process.context
        return [loop.create_task(watch(), context=context) for watch in self._watches]

    def restart(self) -> None:
        """Start anew, in another process."""
        self._deaths += 1
        self.process = self._start()

    def _start(self) -> Process:
        process = Process(self.name if not self._deaths else f"{self.name}+{self._deaths}")
        self._around.loop.create_task(self._work(process), context=process.context)
        return process

    async def _work(self, process: Process) -> None:
        """Do what the application shell does: hear of ends, and work."""
        around, row = self._around, row_of(self.role)
        place = Place(around, process, self.role)
        agent = _BUILDERS[self.role](place)
        self._watches = agent.watches
        endings = HeardEndings(place.client, Endings(place.js, around.ring, row.account), place.clock)
        await endings.listen()
        suspects = None
        if begun_subject(row) is not None:
            suspects = Suspects(State(place.js, Bucket.BEGUN, Begun), self.role, around.settings.bus.max_tries)
        for consumer, *beside in loops_of(self.role):
            admission = None
            if consumer.admits:
                queues = Queues(place.js, self.role)
                admission = Admission(
                    around.settings.plans.under_way, Endings(place.js, around.ring).over, queues.asked
                )
                endings.pass_on(admission.ended)
            work = CalmLoop(
                place.js,
                consumer,
                agent,
                place.publisher,
                around.ring,
                around.settings.bus,
                slots=row.slots,
                clock=place.clock,
                endings=endings,
                beside=beside,
                admission=admission,
                suspects=suspects,
            )
            around.loop.create_task(work.run(), context=process.context)


class _Hands(dict[str, Msg]):
    """The messages in hand, and whether there are any."""

    def __init__(self) -> None:
        super().__init__()
        self.full, self.empty = asyncio.Event(), asyncio.Event()

    def __setitem__(self, key: str, message: Msg) -> None:
        super().__setitem__(key, message)
        self.full.set()
        self.empty.clear()

    def pop(self, key: str, default: object = None) -> object:  # type: ignore[override]
        """Let go of a message."""
        found = super().pop(key, None)
        if not self:
            self.full.clear()
            self.empty.set()
        return found


class CalmLoop(WorkLoop):
    """The work loop, whose heart beats only while it has something in hand: else no schedule would come to rest."""

    async def run(self) -> None:
        """Work until the end of the schedule."""
        self._held = self._hands = _Hands()
        await super().run()

    async def _keep_alive(self) -> None:
        while True:
            await self._hands.full.wait()
            beats = asyncio.create_task(super()._keep_alive())
            await self._hands.empty.wait()
            beats.cancel()


class Place:
    """Where an agent is built: its connection, its publisher, its clock."""

    def __init__(self, around: Surroundings, process: Process, role: str) -> None:
        self.around = around
        self.process = process
        self.identity = around.keys[role]
        connection = Connection(around.wire, process)
        self.client = cast("Client", connection)
        self.js = SimulatedJetStream(connection)
        most = around.settings.bus.max_body_bytes  # also of an end, as if all were of the largest
        self.publisher = Publisher(self.js, self.identity, max_body_bytes=most, max_open_bytes=most, clock=self.clock)

    def clock(self) -> datetime:
        """Return what this process takes for the present."""
        return START + timedelta(seconds=self.around.loop.time() + self.process.skew_s)

    def vault(self) -> Vault:
        """Return the vault."""
        return Vault(
            State(self.js, Bucket.VAULT, VaultRecord),
            _VAULT_KEY,
            self.clock,
            ttl_s=self.around.settings.privacy.vault_ttl_s,
        )

    def budgets(self) -> Budgets:
        """Return the ledger."""
        return Budgets(State(self.js, Bucket.BUDGETS, Spending))


def _decomposer(place: Place) -> Agent:
    settings, tasks, over = (
        place.around.settings,
        State(place.js, Bucket.TASKS, TaskState),
        Endings(place.js, place.around.ring).over,
    )
    reconciler = Reconciler(
        tasks=tasks,
        survey=Queues(place.js, "decomposer").survey,
        told=over,
        publish=place.publisher.publish,
        clock=place.clock,
        stall_s=settings.plans.stall_s,
    )
    return DecomposerAgent(
        tasks=tasks,
        workflows=workflows(),
        profiles=settings.profiles.keys(),
        limits=settings.plans,
        clock=place.clock,
        model=SimulatedModel(place.around.outside),
        told=over,
        clear_away=partial(forget_bodies, place.js),
        reconcile=reconciler.sweep,
    ).agent()


def _classifier(place: Place) -> Agent:
    return ClassifierAgent(
        finder=SimulatedFinder(place.around.outside),
        terms=FixedTerms(),
        vault=place.vault(),
        signing_key=place.identity.key,
        clock=place.clock,
        clearance_s=place.around.settings.cloud.clearance_s,
    ).agent()


def _router(place: Place) -> Agent:
    settings = place.around.settings
    return RouterAgent(
        parked=State(place.js, Bucket.PARKED, StepClassified),
        routes=State(place.js, Bucket.PARKED, RouteRecord),
        approvals=State(place.js, Bucket.APPROVALS, ApprovalRecord),
        budgets=place.budgets(),
        prices=_PRICES,
        profiles=settings.profiles,
        cloud=settings.cloud,
        over=Endings(place.js, place.around.ring).over,
        clock=place.clock,
    ).agent()


def _worker(place: Place) -> Agent:
    around = place.around
    return WorkerAgent(
        model=SimulatedModel(around.outside),
        memory=SimulatedMemory(around.outside),
        vault=place.vault(),
        parked=ParkedBucket(
            State(place.js, Bucket.PARKED, StepClassified),
            State(place.js, Bucket.PARKED, RouteTaken),
            State(place.js, Bucket.APPROVALS, ApprovalRecord),
        ),
        ledger=place.budgets(),
        models=around.settings.models,
        cloud=around.settings.cloud,
        clock=place.clock,
    ).agent()


def _consultant(place: Place) -> Agent:
    around = place.around

    def new_id() -> str:
        call = f"{place.process.name}.{len(around.cloud.sent)}.{around.outside.faults.rng.getrandbits(40)}"
        CALL.set(call)
        return call

    return Consultant(
        around.cloud,
        place.publisher,
        partial(check_clearance, public_key=around.ring["classifier"]),
        price,
        place.clock,
        State(place.js, Bucket.CALLS, CallRecord),
        clearance_s=around.settings.cloud.clearance_s,
        new_id=new_id,
    ).agent()


def _verifier(place: Place) -> Agent:
    outside = place.around.outside
    return Verifier(
        SimulatedModel(outside),
        SimulatedMemory(outside),
        place.clock,
        shipped=shipped_frameworks(),
        judge=lambda: "sim-0.5b",
    ).agent()


_BUILDERS: dict[str, Callable[[Place], Agent]] = {
    "decomposer": _decomposer,
    "classifier": _classifier,
    "router": _router,
    "worker": _worker,
    "consultant": _consultant,
    "verifier": _verifier,
}
