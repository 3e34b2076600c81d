"""The publisher's side of the mesh's benchmark: submits a task of one kind and waits for its end."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import nats
from nats.aio.msg import Msg

from hybridmesh.bus.envelope import open_envelope
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.links import Links, make_links
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.topology import filter_of
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.tasks import Document, TaskCompleted, TaskFailed, TaskSubmitted

MESSAGE = (
    "Hello, I was charged twice for my last order and would like the second payment back. My account is "
    "DE89 3704 0044 0532 0130 00, and you reach me at jo.winter@example.org or on +49 30 901820. "
    "I have waited for more than a week and nobody has answered. Please look into it soon. Kind regards"
)
GOALS = {
    Lane.LOCAL: ("Summarise the message in one sentence.", "balanced"),
    Lane.REDACTED: ("Write a short reply to the message.", "creative-strategy"),
}


class Publishing:
    """Submits tasks under the publisher's identity; what came back is kept unread, so that reading is not timed."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._waiting: dict[str, asyncio.Future[Msg]] = {}
        self.ends: list[Msg] = []

    async def listen(self) -> None:
        """Hear of every task's end."""
        for kind in (TaskCompleted, TaskFailed):
            await self._links.client.subscribe(filter_of(kind), cb=self._arrived)
        await self._links.client.flush()

    async def submit(self, lane: Lane) -> None:
        """Submit a task that takes ``lane``, and return when it has ended."""
        goal, profile = GOALS[lane]
        task = TaskSubmitted(
            task_id=new_task_id(),
            goal=goal,
            inputs=(Document(name="message", text=MESSAGE),),
            profile=profile,
            submitted_at=datetime.now(UTC),
        )
        ended = self._waiting[task.task_id] = asyncio.get_running_loop().create_future()
        await self._links.publisher.publish(task)
        self.ends.append(await ended)

    def completed(self) -> list[Lane | None]:
        """Return the lane of each task's one step, in the order of their ends, None for a task that failed."""
        lanes: list[Lane | None] = []
        for end in self.ends:
            message = open_envelope(end.subject, dict(end.headers or {}), end.data, self._links.ring).message
            lanes.append(message.steps[0].lane if isinstance(message, TaskCompleted) else None)
        return lanes

    async def _arrived(self, message: Msg) -> None:
        waiting = self._waiting.pop(message.subject.rpartition(".")[2], None)
        if waiting is not None:
            waiting.set_result(message)


@contextlib.asynccontextmanager
async def publishing(url: str, keys: Path, settings: MeshSettings) -> AsyncGenerator[Publishing]:
    """Connect as the publisher."""
    client = await nats.connect(url)
    try:
        here = Publishing(await make_links(client, read_identity(keys, "publisher"), KeyRing.read(keys), settings))
        await here.listen()
        yield here
    finally:
        await client.close()
