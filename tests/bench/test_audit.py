"""How fast an audit log is verified, and how far its checkpoints are behind while it grows."""

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table

from bench.measuring import percentile
from bench.reporting import surroundings, write_report
from hybridmesh.agents.auditor.agent import Auditor
from hybridmesh.agents.auditor.audit_stream import JetStreamAuditStream
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.identity import Identity, KeyRing, read_identity
from hybridmesh.bus.links import make_links
from hybridmesh.bus.merkle import root_of
from hybridmesh.bus.proofs import LogEntry, entry_leaf
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.audit_check import verify_entries
from hybridmesh.infra.kept_checkpoints import KeptCheckpoint
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.schemas.audits import Action, AuditEvent, Checkpoint
from hybridmesh.schemas.message import Message, new_task_id

EVENTS = 200_000
GROWING_S = 20.0
WRITERS = 8

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]


def event(number: int) -> AuditEvent:
    """Return an event of the usual size."""
    facts = {"lane": "redacted", "reason": "complex", "score": 0.52, "threshold": 0.35, "cost_usd": "0.0041"}
    return AuditEvent(
        agent="router",
        action=Action.ROUTE_DECIDED,
        at=datetime.now(UTC),
        task_id=new_task_id(),
        step_id="reply",
        nonce=str(number),
        facts=dict(facts),
    )


def verified_a_second() -> float:
    """Return how many events a second the check of a whole log gets through, the better of two runs."""
    signer = Identity("router", Ed25519PrivateKey.generate())
    ring = KeyRing({signer.name: [signer.public]})
    now = datetime.now(UTC)
    log: list[LogEntry] = []
    for number in range(1, EVENTS + 1):
        sealed = seal(event(number), signer, now)
        log.append(LogEntry(number, sealed.subject, sealed.headers, sealed.body))
    kept = KeptCheckpoint(size=EVENTS, root=root_of(map(entry_leaf, log)).hex())
    times: list[float] = []
    for _ in range(2):
        begun = time.perf_counter()
        found = verify_entries(log, [], ring, [kept])
        times.append(time.perf_counter() - begun)
        assert (found.covered, found.findings) == (EVENTS, ())
    return EVENTS / min(times)


async def lags(url: str, keys: Path) -> list[float]:
    """Return, for each event, the seconds from its acknowledgement to that of the first checkpoint over it."""
    settings = MeshSettings()
    client = await nats.connect(url)
    await provision(client.jetstream(), settings.bus)
    ring = KeyRing.read(keys)
    router = await make_links(client, read_identity(keys, "router"), ring, settings)
    auditing = await nats.connect(url)
    links = await make_links(auditing, read_identity(keys, "auditor"), ring, settings)
    stored: list[float] = []
    covered: list[float] = []

    async def publish(message: Message) -> None:
        await links.publisher.publish(message)
        if isinstance(message, Checkpoint):
            covered.extend([time.perf_counter()] * (message.size - len(covered)))

    stream = JetStreamAuditStream(links.js, lambda entry: entry_problem(entry, ring))
    auditor = Auditor(stream, publish, links.clock)
    following = asyncio.create_task(auditor.follow())
    end = time.perf_counter() + GROWING_S
    numbers = iter(range(10_000_000))

    async def write() -> None:
        while time.perf_counter() < end:
            await router.publisher.record(event(next(numbers)))
            stored.append(time.perf_counter())

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    async with asyncio.timeout(30):
        while len(covered) < len(stored):
            await asyncio.sleep(0.05)
    await end_tasks({following})
    await client.close()
    await auditing.close()
    return [seen - kept for kept, seen in zip(sorted(stored), covered, strict=False)]


async def test_audit(nats_server: NatsServer, keys_folder: Path) -> None:
    """Nothing is hidden: checking the log is cheap enough to be done, and a cut tail is short."""
    load = os.getloadavg()[0]
    behind = await lags(nats_server.url, keys_folder)
    rate = await asyncio.to_thread(verified_a_second)
    figures = {
        "events_verified_a_second": round(rate),
        "events": EVENTS,
        "events_written_a_second": round(len(behind) / GROWING_S),
        "checkpoint_behind_s": {
            "p50": round(percentile(behind, 0.5), 3),
            "p99": round(percentile(behind, 0.99), 3),
            "max": round(max(behind), 3),
        },
    }
    table = Table(title="the audit log", title_justify="left")
    table.add_column("figure")
    table.add_column("measured", justify="right")
    for name, value in figures.items():
        table.add_row(name, json.dumps(value))
    Console(width=110).print(table)
    write_report("audit", {**surroundings(load), "figures": figures})
