"""A value that nobody could guess, put through the mesh in every way: where may it be found afterwards?"""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from cloud_double import CloudDouble
from harness import eventually
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.topology import AUDIT, CHECKPOINTS, DEAD, EGRESS, ROOT, streams, subject_for
from hybridmesh.schemas.message import new_task_id
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
    async with mesh.client() as client:
        js = client.links.js
        await client.links.client.subscribe(f"{ROOT}.>", cb=wire.hear)
        for profile, workflow in (("balanced", None), ("secure-research", "support-triage")):
            goal = f"Write a reply to the mail of {canary}@example.com."
            task_id = await client.submit(goal, inputs={"mail": mail}, profile=profile, workflow=workflow)
            assert isinstance(await client.result(task_id, timeout_s=120), TaskCompleted)
        buried = len(await stored(js, DEAD.name))
        await send_what_cannot_be_read(client, canary)

        async def is_buried() -> bool:
            return len(await stored(js, DEAD.name)) > buried

        await eventually(is_buried, 30)
        labels = [label for stream in streams() for label, _ in await stored(js, stream.name)]
        bodies = [body for stream in (AUDIT, CHECKPOINTS, EGRESS) for _, body in await stored(js, stream.name)]
    assert len(wire.labels) > 20
    assert [label for label in (*wire.labels, *labels) if canary in label] == []
    assert bodies
    assert not any(canary.encode() in body for body in bodies)
    assert canary.encode() not in cloud.received
    assert files_with(mesh.data, canary) == []
    assert canary not in mesh.said
