"""The application around an agent: FastStream runs its life cycle and requests, the work loop its queues."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from dataclasses import dataclass

from faststream import AckPolicy, FastStream, Response
from faststream.nats import NatsBroker, NatsMessage
from nats.aio.client import Client
from nats.js import JetStreamContext

from hybridmesh.bus.agent import Agent, Clock, Service
from hybridmesh.bus.errors import MeshError
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.presence import BEAT_S, Attendance, Presence
from hybridmesh.bus.publisher import Publisher, utc_now
from hybridmesh.bus.requests import Asker, answer
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.state import State, T
from hybridmesh.bus.topology import Bucket, consumers, row_of
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.audits import Action, AuditEvent

logger = logging.getLogger("hybridmesh")


@dataclass(frozen=True, slots=True)
class Links:
    """What an agent is built from: its connection, its identity, and ways to publish, ask and keep state."""

    client: Client
    js: JetStreamContext
    identity: Identity
    ring: KeyRing
    publisher: Publisher
    asker: Asker
    settings: MeshSettings
    clock: Clock

    async def state(self, bucket: Bucket, model: type[T]) -> State[T]:
        """Open a typed view of a bucket."""
        return State(await self.js.key_value(bucket), model)


Builder = Callable[[Links], Awaitable[Agent]]


def make_broker(url: str, name: str) -> NatsBroker:
    """Return a broker that never stops reconnecting and leaves no message in a log."""
    return NatsBroker(
        url,
        name=f"hybridmesh-{name}",
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        pedantic=False,
        logger=None,
        inbox_prefix=f"_INBOX_{name}",
        ack_policy=AckPolicy.MANUAL,
    )


async def make_links(client: Client, identity: Identity, ring: KeyRing, settings: MeshSettings) -> Links:
    """Return the links of one identity over an open connection."""
    js = client.jetstream()
    return Links(
        client=client,
        js=js,
        identity=identity,
        ring=ring,
        publisher=Publisher(js, identity, max_body_bytes=settings.bus.max_body_bytes),
        asker=Asker(client, identity, timeout_s=settings.models.request_timeout_s),
        settings=settings,
        clock=utc_now,
    )


class AgentApp:
    """One replica of one agent, from connect to drain."""

    def __init__(self, url: str, identity: Identity, ring: KeyRing, settings: MeshSettings, build: Builder) -> None:
        self._identity = identity
        self._ring = ring
        self._settings = settings
        self._build = build
        self._broker = make_broker(url, identity.name)
        self._app = FastStream(self._broker, logger=None, lifespan=self._lifespan)
        self._loops: list[WorkLoop] = []
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Run until :meth:`stop` or a SIGTERM; what is being handled is finished first."""
        await self._app.run()

    def stop(self) -> None:
        """Drain and end."""
        self._app.exit()

    @contextlib.asynccontextmanager
    async def _lifespan(self) -> AsyncGenerator[None]:
        client = await self._broker.connect()
        links = await make_links(client, self._identity, self._ring, self._settings)
        agent = await self._build(links)
        for service in agent.services:
            self._serve(service, agent.name)
        tasks: list[asyncio.Task[None]] = [asyncio.create_task(work) for work in self._works(agent, links)]
        attendance = Attendance(await links.state(Bucket.AGENTS, Presence), agent.name, links.clock)
        tasks.append(asyncio.create_task(self._attend(attendance)))
        await self._tell(links, Action.AGENT_STARTED)
        self.ready.set()
        guard = asyncio.create_task(self._guard(tasks))
        try:
            yield
        finally:
            guard.cancel()
            await self._wind_down(tasks)
            with contextlib.suppress(MeshError):
                await attendance.leave()
            if agent.close is not None:
                await agent.close()
            await self._tell(links, Action.AGENT_STOPPED)

    def _works(self, agent: Agent, links: Links) -> list[Coroutine[None, None, None]]:
        row = row_of(agent.name)
        for consumer in consumers():
            if consumer.durable in (agent.name, f"{agent.name}-timers"):
                self._loops.append(
                    WorkLoop(
                        links.js,
                        consumer,
                        agent,
                        links.publisher,
                        self._ring,
                        self._settings.bus,
                        slots=row.slots,
                    )
                )
        return [*(loop.run() for loop in self._loops), *(watch() for watch in agent.watches)]

    def _serve(self, service: Service, queue: str) -> None:
        async def reply(message: NatsMessage) -> Response:
            headers = {name: str(value) for name, value in message.headers.items()}
            body, marks = await answer(service, headers, message.body, self._ring)
            return Response(body, headers=marks)

        self._broker.subscriber(service.subject, queue=queue, max_workers=64)(reply)

    async def _attend(self, attendance: Attendance) -> None:
        while True:
            with contextlib.suppress(MeshError):
                await attendance.renew(
                    sum(loop.busy for loop in self._loops), sum(loop.handled for loop in self._loops)
                )
            await asyncio.sleep(BEAT_S)

    async def _guard(self, tasks: list[asyncio.Task[None]]) -> None:
        """End the process when a loop ends by itself: the supervisor starts a fresh one."""
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            error = task.exception()
            logger.error("%s: a loop ended: %s", self._identity.name, type(error).__name__)
        signal.raise_signal(signal.SIGTERM)

    async def _wind_down(self, tasks: list[asyncio.Task[None]]) -> None:
        for loop in self._loops:
            loop.stop()
        loops, rest = tasks[: len(self._loops)], tasks[len(self._loops) :]
        for task in rest:
            task.cancel()
        await asyncio.gather(*loops, *rest, return_exceptions=True)

    async def _tell(self, links: Links, action: Action) -> None:
        event = AuditEvent(agent=self._identity.name, action=action, at=links.clock(), nonce=links.clock().isoformat())
        try:
            await links.publisher.record(event)
        except MeshError as error:
            logger.warning("%s: %s not recorded: %s", self._identity.name, action, error.reason)
