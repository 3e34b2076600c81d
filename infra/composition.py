"""The composition root: builds each agent from the settings with its real adapters.

What an agent needs is imported inside its builder, so that a process loads only its own SDKs.
"""

import asyncio
import time
from datetime import datetime
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from hybridmesh.bus.agent import Agent
from hybridmesh.bus.app import Builder
from hybridmesh.bus.bodies import forget_bodies
from hybridmesh.bus.budgets import Budgets, Spending
from hybridmesh.bus.endings import Endings
from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.followed import Followed
from hybridmesh.bus.identity import read_vault_key
from hybridmesh.bus.links import Links
from hybridmesh.bus.message_ids import MessageIds
from hybridmesh.bus.model_choice import KEY, LiveChoice
from hybridmesh.bus.presence import Presence
from hybridmesh.bus.queues import Queues
from hybridmesh.bus.requests import RemoteMemory, RemoteModel
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.stores import DAY_S
from hybridmesh.bus.terms import KEYS
from hybridmesh.bus.topology import Bucket
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.bus.vault_keys import KeyFolder
from hybridmesh.infra.model_setup import model_folder
from hybridmesh.infra.own_figures import read_figures
from hybridmesh.schemas.approvals import ApprovalRecord
from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.memory import Scope
from hybridmesh.schemas.policies import ModelChoice, TermShard
from hybridmesh.schemas.privacy import Clearance
from hybridmesh.schemas.steps import StepClassified


def builder_of(agent: str, keys: Path) -> Builder:
    """Return what builds an agent; ``keys`` is the folder of identities and the vault key."""
    builders: dict[str, Builder] = {
        "decomposer": build_decomposer,
        "classifier": partial(build_classifier, keys=keys),
        "router": build_router,
        "worker": partial(build_worker, keys=keys),
        "consultant": build_consultant,
        "verifier": build_verifier,
        "memory": build_memory,
        "auditor": build_auditor,
    }
    return builders[agent]


async def build_decomposer(links: Links) -> Agent:
    """Build the decomposer."""
    from hybridmesh.agents.decomposer.agent import DecomposerAgent
    from hybridmesh.agents.decomposer.reconciler import Reconciler
    from hybridmesh.agents.decomposer.task_state import TaskState
    from hybridmesh.infra.workflows import usable_workflows

    plans, figures = links.settings.plans, read_figures(links.settings)
    choice = await _choice(links)
    tasks = links.state(Bucket.TASKS, TaskState)
    over = Endings(links.js, links.ring).over
    reconciler = Reconciler(
        tasks=tasks,
        survey=Queues(links.js, "decomposer").survey,
        told=over,
        publish=links.publisher.publish,
        clock=links.clock,
        stall_s=_stall_s(links.settings),
        told_s=links.settings.bus.retention.results_days * DAY_S,
    )
    return DecomposerAgent(
        tasks=tasks,
        workflows=usable_workflows(plans),
        profiles=links.settings.profiles.keys(),
        limits=plans,
        clock=links.clock,
        model=RemoteModel(links.asker),
        planner=lambda: choice.names()["check"],
        figures=figures,
        told=over,
        clear_away=partial(forget_bodies, links.js),
        reconcile=reconciler.sweep,
        watches=(choice.keep,),
    ).agent()


async def build_router(links: Links) -> Agent:
    """Build the router."""
    from hybridmesh.agents.router.agent import RouterAgent
    from hybridmesh.agents.router.live_speed import LiveSpeed
    from hybridmesh.agents.router.prices import PriceList
    from hybridmesh.agents.router.record import RouteRecord

    speed = LiveSpeed(links.state(Bucket.AGENTS, Presence))
    return RouterAgent(
        parked=links.state(Bucket.PARKED, StepClassified),
        routes=links.state(Bucket.PARKED, RouteRecord),
        approvals=links.state(Bucket.APPROVALS, ApprovalRecord),
        budgets=await _budgets(links),
        prices=PriceList(),
        profiles=links.settings.profiles,
        cloud=links.settings.cloud,
        over=Endings(links.js, links.ring).over,
        clock=links.clock,
        latencies=speed.latencies,
        watches=(speed.follow,),
    ).agent()


async def build_classifier(links: Links, *, keys: Path) -> Agent:
    """Build the classifier, the only door to the cloud."""
    from hybridmesh.agents.classifier.agent import ClassifierAgent
    from hybridmesh.agents.classifier.live_terms import LiveTerms
    from hybridmesh.agents.classifier.terms import TermRecognizer
    from hybridmesh.infra.detection import make_detector

    terms = TermRecognizer(links.settings.privacy.terms)
    return ClassifierAgent(
        finder=await asyncio.to_thread(make_detector, links.settings, terms),
        terms=LiveTerms(Followed(links.js, Bucket.POLICY, TermShard, KEYS), terms, time.monotonic),
        vault=await _vault(links, keys),
        signing_key=links.identity.key,
        clock=links.clock,
        clearance_s=links.settings.cloud.clearance_s,
        memory=RemoteMemory(links.asker),
    ).agent()


async def build_worker(links: Links, *, keys: Path) -> Agent:
    """Build the worker, which loads the local models."""
    from hybridmesh.agents.worker.agent import WorkerAgent
    from hybridmesh.agents.worker.onnx_models import LocalModels
    from hybridmesh.agents.worker.parked import ParkedBucket, RouteTaken
    from hybridmesh.infra.models.free_memory import free_memory

    settings, figures = links.settings.models, read_figures(links.settings)
    models = LocalModels(partial(model_folder, links.settings), settings, free_bytes=free_memory)
    choice = await _choice(links)
    if choice.names() == settings.names or not await models.try_to_use(choice.names()):
        await models.use(settings.names)
    return WorkerAgent(
        model=models,
        memory=RemoteMemory(links.asker),
        vault=await _vault(links, keys),
        parked=ParkedBucket(
            links.state(Bucket.PARKED, StepClassified),
            links.state(Bucket.PARKED, RouteTaken),
            links.state(Bucket.APPROVALS, ApprovalRecord),
        ),
        ledger=await _budgets(links),
        models=settings,
        cloud=links.settings.cloud,
        clock=links.clock,
        close=models.close,
        names=lambda: models.names,
        figures=figures,
        loads=models.loads,
        note=lambda: models.note,
        watches=(models.watch, choice.keep, partial(models.follow, choice.names)),
    ).agent()


async def build_verifier(links: Links) -> Agent:
    """Build the verifier."""
    from hybridmesh.agents.verifier.agent import Verifier
    from hybridmesh.agents.worker.shipped import shipped_frameworks

    figures = read_figures(links.settings)
    choice = await _choice(links)
    return Verifier(
        RemoteModel(links.asker),
        RemoteMemory(links.asker),
        links.clock,
        shipped=shipped_frameworks(),
        judge=lambda: choice.names()["check"],
        figures=figures,
        watches=(choice.keep,),
    ).agent()


async def build_auditor(links: Links) -> Agent:
    """Build the auditor."""
    from hybridmesh.agents.auditor.agent import Auditor
    from hybridmesh.agents.auditor.audit_stream import JetStreamAuditStream
    from hybridmesh.bus.audit_trust import entry_problem

    signature = partial(entry_problem, ring=links.ring)
    return Auditor(JetStreamAuditStream(links.js, signature), links.publisher.publish, links.clock).agent()


async def build_consultant(links: Links) -> Agent:
    """Build the consultant: the one place where the cloud key is used."""
    from hybridmesh.agents.consultant.agent import Consultant
    from hybridmesh.agents.consultant.calls import CallRecord
    from hybridmesh.agents.consultant.claude import ANTHROPIC_URL, ClaudeModel
    from hybridmesh.agents.consultant.prices import price_of
    from hybridmesh.bus.clearances import check_clearance

    cloud = links.settings.cloud
    simulated = cloud.provider == "simulated"
    key = cloud.api_key or (SecretStr("simulated") if simulated else None)
    if key is None:
        raise SetupError("the consultant has no cloud key", remedy="set ANTHROPIC_API_KEY where the consultant runs")
    model = ClaudeModel(
        api_key=key,
        clock=links.clock,
        base_url=cloud.base_url or ANTHROPIC_URL,
        timeout_s=cloud.timeout_s,
        inference_geo=cloud.inference_geo,
        simulated=simulated,
    )

    def check(clearance: Clearance, prompt: Prompt, *, now: datetime, task_id: str, step_id: str, attempt: int) -> None:
        # The key as it is now: it may be rotated while the consultant runs.
        check_clearance(clearance, prompt, links.ring["classifier"], now, task_id, step_id, attempt)

    calls = links.state(Bucket.CALLS, CallRecord)
    return Consultant(
        model, links.publisher, check, price_of, links.clock, calls, clearance_s=cloud.clearance_s
    ).agent()


async def build_memory(links: Links) -> Agent:
    """Build the memory agent over the store that the settings name."""
    from hybridmesh.agents.memory.agent import MemoryAgent
    from hybridmesh.agents.memory.opening import EmbeddedMemory, ServerMemory, open_library

    memory = links.settings.memory
    place: EmbeddedMemory | ServerMemory = EmbeddedMemory(folder=links.settings.data / "memory")
    if memory.url is not None:
        place = ServerMemory(url=memory.url, api_key=memory.api_key, collection=memory.collection)
    folder = await asyncio.to_thread(model_folder, links.settings, links.settings.models.embedder)
    library = await open_library(place, folder, clock=links.clock)
    scope, hashed = Scope(tenant=memory.tenant), MessageIds(links.identity).of
    return MemoryAgent(library, scope, links.clock, links.publisher, hashed).agent()


async def _choice(links: Links) -> LiveChoice:
    choice = LiveChoice(Followed(links.js, Bucket.POLICY, ModelChoice, KEY), links.settings.models)
    await choice.look()
    return choice


async def _budgets(links: Links) -> Budgets:
    return Budgets(links.state(Bucket.BUDGETS, Spending))


async def _vault(links: Links, keys: Path) -> Vault:
    records = links.state(Bucket.VAULT, VaultRecord)
    read_vault_key(keys)  # says what to do where there is none
    return Vault(records, KeyFolder(keys), links.clock, ttl_s=links.settings.privacy.vault_ttl_s)


def _stall_s(settings: MeshSettings) -> float:
    """Return how long nothing of a task has to be seen: what waits for the consultant is out of sight for its life."""
    cloud = settings.cloud
    unseen_s = 0.0 if cloud.provider == "none" else cloud.clearance_s + cloud.timeout_s
    return max(settings.plans.stall_s, unseen_s)
