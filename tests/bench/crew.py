"""All agents in this process, each under its real application shell with a connection and an identity of its own.

Real are the agent classes, signatures, work loops, request/reply, state, vault, budgets, recognizers and the
memory's engine; only the doubles stand in for models and cloud.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

from bench.doubles import InstantCloud, InstantModel, NoTags, OneDirection
from hybridmesh.agents.classifier.agent import ClassifierAgent
from hybridmesh.agents.classifier.detector import Detector
from hybridmesh.agents.classifier.live_terms import LiveTerms
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.agents.consultant.agent import Consultant
from hybridmesh.agents.consultant.calls import CallRecord
from hybridmesh.agents.consultant.prices import price_of
from hybridmesh.agents.memory.agent import MemoryAgent
from hybridmesh.agents.memory.bm25 import Bm25Words
from hybridmesh.agents.memory.library import Library
from hybridmesh.agents.memory.opening import EmbeddedMemory, open_store
from hybridmesh.agents.worker.agent import WorkerAgent
from hybridmesh.agents.worker.parked import ParkedBucket, RouteTaken
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.app import AgentApp, Builder
from hybridmesh.bus.budgets import Budgets, Spending
from hybridmesh.bus.clearances import check_clearance
from hybridmesh.bus.followed import Followed
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.links import Links
from hybridmesh.bus.message_ids import MessageIds
from hybridmesh.bus.requests import RemoteMemory
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.terms import KEYS
from hybridmesh.bus.topology import AGENTS, Bucket
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.infra.composition import build_auditor, build_decomposer, build_router, build_verifier
from hybridmesh.schemas.approvals import ApprovalRecord
from hybridmesh.schemas.memory import Scope
from hybridmesh.schemas.policies import TermShard
from hybridmesh.schemas.steps import StepClassified


@contextlib.asynccontextmanager
async def crew(url: str, keys: Path, settings: MeshSettings) -> AsyncGenerator[None]:
    """Run every agent of the table, from the last one's readiness to the drain of all."""
    ring = KeyRing.read(keys)
    builders = _builders(os.urandom(32))
    apps = [AgentApp(url, read_identity(keys, name), ring, settings, builders[name]) for name in AGENTS]
    running = [asyncio.create_task(app.run()) for app in apps]
    try:
        async with asyncio.timeout(30):
            await _all_ready(apps, running)
        yield
    finally:
        for app in apps:
            app.stop()
        await asyncio.gather(*running)


async def _all_ready(apps: list[AgentApp], running: list[asyncio.Task[None]]) -> None:
    ready = asyncio.create_task(_ready(apps))
    done, _ = await asyncio.wait([ready, *running], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    assert ready in done, "an agent ended at its start"


async def _ready(apps: list[AgentApp]) -> None:
    for app in apps:
        await app.ready.wait()


def _builders(vault_key: bytes) -> dict[str, Builder]:
    return {
        "decomposer": build_decomposer,
        "classifier": partial(_build_classifier, vault_key=vault_key),
        "router": build_router,
        "worker": partial(_build_worker, vault_key=vault_key),
        "consultant": _build_consultant,
        "verifier": build_verifier,
        "memory": _build_memory,
        "auditor": build_auditor,
    }


async def _build_classifier(links: Links, *, vault_key: bytes) -> Agent:
    privacy = links.settings.privacy
    terms = TermRecognizer(privacy.terms)
    finder = Detector(
        tagger=NoTags(),
        terms=terms,
        thresholds=Thresholds(0.5),
        max_chars=privacy.max_chars,
        timeout_s=privacy.timeout_s,
        monotonic=time.monotonic,
    )
    return ClassifierAgent(
        finder=finder,
        terms=LiveTerms(Followed(links.js, Bucket.POLICY, TermShard, KEYS), terms, time.monotonic),
        vault=await _vault(links, vault_key),
        signing_key=links.identity.key,
        clock=links.clock,
        clearance_s=links.settings.cloud.clearance_s,
    ).agent()


async def _build_worker(links: Links, *, vault_key: bytes) -> Agent:
    return WorkerAgent(
        model=InstantModel(),
        memory=RemoteMemory(links.asker),
        vault=await _vault(links, vault_key),
        parked=ParkedBucket(
            links.state(Bucket.PARKED, StepClassified),
            links.state(Bucket.PARKED, RouteTaken),
            links.state(Bucket.APPROVALS, ApprovalRecord),
        ),
        ledger=Budgets(links.state(Bucket.BUDGETS, Spending)),
        models=links.settings.models,
        cloud=links.settings.cloud,
        clock=links.clock,
    ).agent()


async def _build_consultant(links: Links) -> Agent:
    check = partial(check_clearance, public_key=links.ring["classifier"])
    clearance_s = links.settings.cloud.clearance_s
    calls = links.state(Bucket.CALLS, CallRecord)
    return Consultant(
        InstantCloud(), links.publisher, check, price_of, links.clock, calls, clearance_s=clearance_s
    ).agent()


async def _build_memory(links: Links) -> Agent:
    dense = OneDirection()
    store = await open_store(EmbeddedMemory(folder=links.settings.data / "memory"), dense)
    library = Library(store, dense, Bm25Words(), links.clock)
    scope, hashed = Scope(tenant=links.settings.memory.tenant), MessageIds(links.identity).of
    return MemoryAgent(library, scope, links.clock, links.publisher, hashed).agent()


async def _vault(links: Links, key: bytes) -> Vault:
    records = links.state(Bucket.VAULT, VaultRecord)
    return Vault(records, key, links.clock, ttl_s=links.settings.privacy.vault_ttl_s)
