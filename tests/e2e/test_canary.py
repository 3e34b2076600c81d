"""A value that nobody could guess, put through the mesh in every way, and with everything failing: where is it then?"""

import asyncio
import base64
import contextlib
import json
import secrets
import urllib.request
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from cloud_double import CloudDouble
from harness import eventually
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.envelope import SIGNATURE, Envelope, signed_bytes
from hybridmesh.bus.identity import read_identity
from hybridmesh.bus.presence import Presence
from hybridmesh.bus.topology import (
    AGENTS,
    AUDIT,
    CHECKPOINTS,
    DEAD,
    EGRESS,
    ROOT,
    TOPOLOGY,
    Account,
    Ask,
    Bucket,
    producers_of,
    streams,
    subject_for,
)
from hybridmesh.bus.vault import VaultRecord
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.tasks import TaskCompleted, TaskSubmitted
from mesh_process import MeshProcess

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.timeout(180)]


@dataclass(slots=True)
class Wire:
    """Hears everything that is published on the bus while it listens."""

    labels: list[str] = field(default_factory=list[str])

    async def hear(self, message: Msg) -> None:
        """Keep what an envelope shows without opening it: subject and headers."""
        self.labels.append(f"{message.subject} {message.headers}")


@dataclass(frozen=True, slots=True)
class Insight:
    """Sees and may do everything, in both accounts."""

    clients: Mapping[Account, Client]

    @property
    def js(self) -> JetStreamContext:
        """JetStream of the account where everything private is."""
        return self.clients[Account.LOCAL].jetstream()

    async def entries(self) -> dict[str, list[tuple[str, bytes]]]:
        """Return each stream's entries, as :func:`stored` does."""
        sides = {account: client.jetstream() for account, client in self.clients.items()}
        return {stream.name: await stored(sides[stream.account], stream.name) for stream in streams()}


@contextlib.asynccontextmanager
async def insight_into(mesh: MeshProcess, wire: Wire) -> AsyncGenerator[Insight]:
    """Connect to both accounts and listen to all that is said there."""
    async with mesh.insight(Account.LOCAL) as local, mesh.insight(Account.CLOUD) as cloud:
        for client in (local, cloud):
            await client.subscribe(f"{ROOT}.>", cb=wire.hear)
        yield Insight({Account.LOCAL: local, Account.CLOUD: cloud})


async def stored(js: JetStreamContext, stream: str) -> list[tuple[str, bytes]]:
    """Return each entry of a stream: its subject with its headers, and its body."""
    found: list[tuple[str, bytes]] = []
    sequence = 1
    while True:
        try:
            message = await js.get_msg(stream, seq=sequence, subject=">", direct=True, next=True)
        except NotFoundError:
            return found
        found.append((f"{message.subject} {message.headers}", message.data or b""))
        sequence = (message.seq or sequence) + 1


async def send_what_cannot_be_read(client: Mesh, canary: str) -> str:
    """Publish a task whose fields are of the wrong kind, as a program outside might; return its id."""
    task_id = new_task_id()
    data = {"task_id": task_id, "goal": [canary], "inputs": canary, "submitted_at": f"on {canary}"}
    kind = TaskSubmitted.event_type()
    event = {"specversion": "1.0", "id": task_id, "source": "/outside", "type": kind, "data": data}
    headers = {"Content-Type": "application/cloudevents+json"}
    await client.links.js.publish(subject_for(TaskSubmitted, task_id), json.dumps(event).encode(), headers=headers)
    return task_id


def files_with(folder: Path, word: str) -> list[str]:
    """Return the log files of a data folder that hold a word."""
    logs = [*(folder / "logs").iterdir(), folder / "nats" / "nats.log", folder / "nats" / "server.out"]
    return [path.name for path in logs if word.encode() in path.read_bytes()]


async def test_private_text_is_in_no_log_no_subject_no_header_and_no_audit_event(
    mesh: MeshProcess, cloud: CloudDouble
) -> None:
    """Nothing private leaves; Nothing is hidden: the log tells everything, and holds no private text."""
    canary = f"Zq{secrets.token_hex(8)}"
    mail = f"Please answer to {canary}@example.com. My password is {canary}x9! and my line is down.\nJohn {canary}\n"
    wire = Wire()
    async with mesh.client() as client, insight_into(mesh, wire) as insight:
        js = insight.js
        for profile, workflow in (("balanced", None), ("secure-research", "support-triage")):
            goal = f"Write a reply to the mail of {canary}@example.com."
            task_id = await client.submit(goal, inputs={"mail": mail}, profile=profile, workflow=workflow)
            ended = await client.result(task_id, timeout_s=120)
            # What the smallest model writes about a random name does not always pass; here only its traces count.
            assert isinstance(ended, TaskCompleted) or ended.reason == "verification", ended.reason
        buried = len(await stored(js, DEAD.name))
        await send_what_cannot_be_read(client, canary)

        async def is_buried() -> bool:
            return len(await stored(js, DEAD.name)) > buried

        await eventually(is_buried, 30)
        labels = [label for found in (await insight.entries()).values() for label, _ in found]
        bodies = [body for stream in (AUDIT, CHECKPOINTS, EGRESS) for _, body in await stored(js, stream.name)]
    assert len(wire.labels) > 20
    assert [label for label in (*wire.labels, *labels) if canary in label] == []
    assert bodies
    assert not any(canary.encode() in body for body in bodies)
    assert canary.encode() not in cloud.received
    assert files_with(mesh.data, canary) == []
    assert canary not in mesh.said


# Fields that carry private text by their nature; all others are codes, ids and figures.
PRIVATE = frozenset({
    "goal", "instruction", "text", "draft", "advice", "result", "user", "system", "preview", "correction", "complaints",
    "reasons", "title", "query",
})  # fmt: skip
GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def guises(canary: str) -> list[bytes]:
    """Return the canary as bytes in each way that a program might have written it."""
    raw = canary.encode()
    # Base64 of a longer text holds one of three of its alignments, but for the characters at the edges.
    encoded = [base64.b64encode(b"\x00" * shift + raw)[4 if shift else 0 : -4] for shift in range(3)]
    return [raw, raw.hex().encode(), canary.encode("utf-16-le"), *encoded]


def shows(canary: str, content: bytes) -> bool:
    return any(guise in content for guise in guises(canary))


def full_body(name: str) -> dict[str, Any]:
    """Return a complete body of a type as the contract's tests keep it."""
    return cast("dict[str, Any]", json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))["full"])


def with_canary(value: object, canary: str, field_name: str = "") -> object:
    """Return a body with the canary in each field that carries private text."""
    match value:
        case dict():
            items = cast("dict[str, object]", value).items()
            return {name: with_canary(part, canary, name) for name, part in items}
        case list():
            return [with_canary(part, canary, field_name) for part in cast("list[object]", value)]
        case str() if field_name in PRIVATE:
            return f"{canary} of {canary}@example.com, password: {canary}x9!"
        case _:
            return value


def spoiled(body: Mapping[str, object], canary: str) -> dict[str, object]:
    """Return a body that no reader takes, with the canary in all its fields and their names."""
    kept = {"task_id", "step_id", "attempt"}
    return {name: value if name in kept else {canary: [canary, 1]} for name, value in body.items()}


def signed_as(keys: Path, producer: str, kind: type[Message], body: Mapping[str, object]) -> Envelope:
    """Return an envelope that its agent takes for one of a colleague."""
    content = json.dumps(body).encode()
    step = f"/{body['step_id']}" if "step_id" in body else ""
    headers = {
        "ce-specversion": "1.0",
        "ce-id": f"{body['task_id']}{step}/{kind.NAME}/{secrets.randbelow(10**6)}",
        "ce-type": kind.event_type(),
        "ce-source": f"/hybridmesh/{producer}",
        "ce-time": datetime.now(UTC).isoformat(),
    }
    subject = subject_for(kind, str(body["task_id"]))
    signature = read_identity(keys, producer).sign(signed_bytes(subject, headers, content))
    return Envelope(subject, {**headers, SIGNATURE: base64.b64encode(signature).decode()}, content)


def failures(keys: Path, canary: str) -> Iterator[tuple[Account, Envelope]]:
    """Yield, for each agent and each type that it takes, a body it cannot read, and one that leads nowhere."""
    for row in TOPOLOGY:
        for kind in (*row.consumes, *row.timers):
            producer = min(producers_of(kind))
            body = full_body(f"{kind.NAME}.v{kind.MAJOR}")
            for made in (spoiled(body, canary), cast("dict[str, object]", with_canary(body, canary))):
                yield row.account, signed_as(keys, producer, kind, {**made, "task_id": new_task_id()})


async def quiet(insight: Insight) -> bool:
    """Say whether no agent has work."""
    queues = [stream for stream in streams() if stream.name.startswith(("WORK", "INTAKE"))]
    sides = {account: client.jetstream() for account, client in insight.clients.items()}
    return not any([(await sides[queue.account].stream_info(queue.name)).state.messages for queue in queues])


def scrapes(mesh: MeshProcess) -> dict[str, bytes]:
    """Return what each agent tells Prometheus."""
    (first,) = (int(word.partition("=")[2]) for word in mesh.settings if word.startswith("metrics.port="))
    found: dict[str, bytes] = {}
    for place, agent in enumerate(AGENTS):
        with urllib.request.urlopen(f"http://127.0.0.1:{first + place}/metrics", timeout=10) as reply:
            found[agent] = reply.read()
    return found


def files_that_show(mesh: MeshProcess, canary: str) -> list[str]:
    """Return the files that hold the canary, among all that a mesh writes but its private stores."""
    private = [mesh.data / "nats" / "jetstream", mesh.data / "memory", mesh.data / "outbox"]
    places = [*mesh.data.rglob("*"), *(mesh.data.parent / "tmp").rglob("*")]
    files = [path for path in places if path.is_file() and not any(path.is_relative_to(store) for store in private)]
    assert any(path.suffix == ".log" for path in files)
    return [str(path.relative_to(mesh.data.parent)) for path in files if shows(canary, path.read_bytes())]


@pytest.mark.timeout(300)
async def test_no_failure_at_any_stage_shows_private_text(mesh: MeshProcess, cloud: CloudDouble) -> None:
    """Nothing private leaves: bodies that nobody can read, work that leads nowhere, a cloud that fails, and kills."""
    canary = f"Zq{secrets.token_hex(8)}"
    mail = f"Please answer to {canary}@example.com. My password is {canary}x9!\nJohn {canary}, Mr {canary}\n"
    wire, keys = Wire(), mesh.data / "keys"
    async with mesh.client() as client, insight_into(mesh, wire) as insight:
        js = insight.js
        buried = len(await stored(js, DEAD.name))
        sent = 0
        for account, envelope in failures(keys, canary):
            side = insight.clients[account].jetstream()
            await side.publish(envelope.subject, envelope.body, headers=envelope.headers)
            sent += 1
        for ask in Ask:
            for body in (b"{" + canary.encode(), json.dumps({canary: [canary]}).encode()):
                await insight.clients[Account.LOCAL].request(ask, body, timeout=30, headers={"ce-id": "x"})
        tasks = [
            await client.submit(f"Write a reply to the mail of {canary}@example.com. {day}", inputs={"mail": mail})
            for day in ("overdraft", "hailstorm", "parrot")
        ]
        told_to_prometheus = [*scrapes(mesh).values()]
        for name, process in mesh.processes().items():
            if name in AGENTS:
                process.kill()
                await asyncio.sleep(0.5)
        for task_id in tasks:
            await client.result(task_id, timeout_s=150)
        await eventually(lambda: quiet(insight), 90)
        entries = await insight.entries()
        vault = await client.links.state(Bucket.VAULT, VaultRecord).records()
        present = await client.links.state(Bucket.AGENTS, Presence).records()
        told_to_prometheus += scrapes(mesh).values()
        told = [mesh.run("dead-letters", "ls"), mesh.run("agents"), mesh.run("audit", "tail", "-n", "500")]
    assert len(entries[DEAD.name]) - buried >= sent // 3, "too few bodies were unreadable for this test to mean much"
    labels = [*wire.labels, *(label for found in entries.values() for label, _ in found)]
    assert [label for label in labels if shows(canary, label.encode())] == []
    for name in (AUDIT.name, CHECKPOINTS.name, EGRESS.name):
        assert not any(shows(canary, body) for _, body in entries[name]), name
    assert vault
    for key, record in (*vault.items(), *present.items()):
        assert not shows(canary, f"{key} {record.model_dump_json()}".encode())
    assert not shows(canary, cloud.received)
    assert b"evil.example" not in cloud.received
    assert files_that_show(mesh, canary) == []
    assert not shows(canary, mesh.said.encode())
    assert any(b"hybridmesh_messages_buried_total{" in scrape for scrape in told_to_prometheus)
    assert not any(shows(canary, scrape) for scrape in told_to_prometheus)
    assert not any(shows(canary, (ran.stdout + ran.stderr).encode()) for ran in told)
