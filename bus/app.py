"""The application around an agent: FastStream runs its life cycle and requests, the work loop its queues."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

from faststream import AckPolicy, FastStream, Response
from faststream.nats import NatsBroker, NatsMessage
from faststream.nats.security import NatsNKey
from faststream.security import BaseSecurity

from hybridmesh.bus.admission import Admission
from hybridmesh.bus.agent import Agent, Service
from hybridmesh.bus.borders import begun_subject, inbox_of
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.connection import Connection
from hybridmesh.bus.endings import Endings, HeardEndings
from hybridmesh.bus.errors import MeshError, MeshUnavailable, TransientError
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.links import Links, make_links
from hybridmesh.bus.metrics import Metrics
from hybridmesh.bus.presence import BEAT_S, Attendance, Presence
from hybridmesh.bus.queues import Queues
from hybridmesh.bus.requests import ERROR_HEADER, answer
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.bus.suspects import Begun, Suspects
from hybridmesh.bus.tls import make_context, servers_of
from hybridmesh.bus.topology import AGENTS, Bucket, loops_of, row_of
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.audits import Action, AuditEvent

logger = logging.getLogger("hybridmesh")

_PATIENCE_S, _WAITING_S = 2.0, 10.0  # before it is told that the bus does not answer, and then again
_FIRST = asyncio.FIRST_COMPLETED
STARVED_S = 5  # to leave in, for who gets no memory: whatever it still has in hand comes back
TO_LEAVE_S = 30  # after the grace time: longer than a publish is tried
_REFUSED, _REFUSALS = "authorization violation", 5  # in a row, a second apart: from each server of a cluster
METRICS_BLOCKS = 16  # so many replicas of an agent on one machine find a port


Builder = Callable[[Links], Awaitable[Agent]]


class _Broker(NatsBroker):
    """A broker on a client that closes each failed try of a connection, and that no refusal keeps from seeking on.

    ``refused`` hears that servers have let this key in no more, several times in a row: it was rotated, or taken away.
    """

    refused: Callable[[], Awaitable[None]] | None = None

    async def _connect(self) -> Connection:
        client, connected = Connection(), False
        how: dict[str, Any] = dict(self._connection_kwargs)
        at_start = how["error_cb"]
        refusals, connection = 0, 0

        async def note(error: Exception) -> None:
            nonlocal refusals, connection
            if not connected:
                await at_start(error)  # raises what a server says for good
                return
            # Raised later it would end the task in which nats-py seeks a server, and nobody would hear of that: the
            # process would live on without the bus, whatever the server says a moment later.
            if client.stats["reconnects"] != connection:
                refusals, connection = 0, client.stats["reconnects"]
            refusals += _REFUSED in str(error).lower()
            if refusals == _REFUSALS and self.refused is not None:
                await self.refused()

        how["error_cb"] = note
        try:
            await client.connect(**how)
            connected = True
        finally:
            if not connected:
                await client.leave()
        self.config.connect(client)
        return client


class _Application(FastStream):
    """FastStream's, which looks whether it was told to end only once it has started; ``told`` says so before."""

    def __init__(self, broker: NatsBroker, lifespan: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        super().__init__(broker, logger=None, lifespan=lifespan)
        self.told = asyncio.Event()

    def exit(self) -> None:
        self.told.set()
        super().exit()


def make_broker(
    url: str, identity: Identity, settings: BusSettings, closed: Callable[[], Awaitable[None]] | None = None
) -> NatsBroker:
    """Return a broker that leaves no message in a log, and seeks a lost server for ever.

    But for what nats-py takes for the end, an error that a server tells before it closes, and for a key that is let in
    no more: ``closed`` hears of that.
    """
    tls = make_context(settings)
    broker = _Broker(
        servers_of(url, settings),
        name=f"hybridmesh-{identity.name}",
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        drain_timeout=2,  # the work loops have drained by then; what is left open is not waited for
        pedantic=False,
        closed_cb=closed,
        logger=None,
        inbox_prefix=inbox_of(identity.name),
        security=NatsNKey.from_seed(identity.seed, ssl_context=tls) if identity.seed else BaseSecurity(ssl_context=tls),
        ack_policy=AckPolicy.MANUAL,
        apply_types=False,  # requests are read and checked by bus/requests.py; injection goes through threads
    )
    broker.refused = closed
    return broker


def make_admission(links: Links, endings: HeardEndings) -> Admission:
    """Return who says when an agent may take one more task on: it hears of ends from now on."""
    queues = Queues(links.js, links.identity.name)
    admission = Admission(links.settings.plans.under_way, Endings(links.js, links.ring).over, queues.asked)
    endings.pass_on(admission.ended)
    return admission


def make_suspects(links: Links) -> Suspects | None:
    """Return who says how an agent handles what may end its process, where it can note that."""
    if begun_subject(row_of(links.identity.name)) is None:
        return None
    return Suspects(links.state(Bucket.BEGUN, Begun), links.identity.name, links.settings.bus.max_tries)


class AgentApp:
    """One replica of one agent, from connect to drain."""

    def __init__(self, url: str, identity: Identity, ring: KeyRing, settings: MeshSettings, build: Builder) -> None:
        self._identity = identity
        self._ring = ring
        self._settings = settings
        self._build = build
        self._fault: Exception | None = None
        self._unfit = asyncio.Event()  # to go on, by that fault
        self._broker = make_broker(url, identity, settings.bus, self._note_closed)
        self._app = _Application(self._broker, self._lifespan)
        self._loops: list[WorkLoop] = []
        self._metrics = Metrics(identity.name)
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Run until :meth:`stop` or a SIGTERM; what is being handled is finished first."""
        await self._app.run()

    def stop(self) -> None:
        """Drain and end."""
        self._app.exit()

    @contextlib.asynccontextmanager
    async def _lifespan(self) -> AsyncGenerator[None]:
        metrics = self._settings.metrics
        if metrics.port is not None:
            first = metrics.port + AGENTS.index(self._identity.name)
            self._metrics.serve(metrics.host, range(first, first + METRICS_BLOCKS * len(AGENTS), len(AGENTS)))
        await self._await_bus()
        client = await self._broker.connect()
        links = await make_links(client, self._identity, self._ring, self._settings)
        agent = await self._build(links)
        self._metrics.follow(agent.loads)
        for service in agent.services:
            self._serve(service, agent.name)
        row = row_of(agent.name)
        endings = HeardEndings(client, Endings(links.js, links.ring, row.account), links.clock)
        if row.consumes:
            await endings.listen()
        works = self._works(agent, links, endings)
        tasks: list[asyncio.Task[None]] = [asyncio.create_task(work) for work in works]
        attendance = Attendance(links.state(Bucket.AGENTS, Presence), agent.name, links.clock)
        tasks.append(asyncio.create_task(self._attend(attendance, agent)))
        tasks.append(asyncio.create_task(self._until_unfit()))
        await self._tell(links, Action.AGENT_STARTED)
        self.ready.set()
        guard = asyncio.create_task(self._guard(tasks))

        async def leave() -> None:
            guard.cancel()
            await self._wind_down(tasks)
            with contextlib.suppress(MeshError):
                await attendance.leave()
            if agent.close is not None:
                await agent.close()
            await self._tell(links, Action.AGENT_STOPPED)

        # Before the broker stops: what is being handled still has to be published and acknowledged.
        self._app.on_shutdown(leave)
        yield

    def _works(self, agent: Agent, links: Links, endings: HeardEndings) -> list[Coroutine[None, None, None]]:
        row = row_of(agent.name)
        suspects = make_suspects(links)  # of the process, and not of one queue
        for consumer, *beside in loops_of(agent.name):
            admission = make_admission(links, endings) if consumer.admits else None
            self._loops.append(
                WorkLoop(
                    links.js,
                    consumer,
                    agent,
                    links.publisher,
                    self._ring,
                    self._settings.bus,
                    slots=row.slots,
                    endings=endings,
                    metrics=self._metrics,
                    beside=beside,
                    admission=admission,
                    suspects=suspects,
                )
            )
        return [*(loop.run() for loop in self._loops), *(watch() for watch in agent.watches)]

    def _serve(self, service: Service, queue: str) -> None:
        async def unread(message: NatsMessage) -> NatsMessage:
            return message

        async def reply(message: NatsMessage) -> Response:
            headers = {name: str(value) for name, value in message.headers.items()}
            begun = time.perf_counter()
            try:
                body, marks = await answer(service, headers, message.body, self._ring)
            except MemoryError as error:
                self._give_up(error)
                body, marks = b"", {ERROR_HEADER: f"{TransientError.__name__}:{MemoryError.__name__}"}
            outcome = marks.get(ERROR_HEADER, "ok")
            self._metrics.answered(service.subject, outcome, time.perf_counter() - begun)
            return Response(body, headers=marks)

        self._broker.subscriber(service.subject, queue=queue, max_workers=64, decoder=unread)(reply)

    async def _attend(self, attendance: Attendance, agent: Agent) -> None:
        while True:
            loads = agent.loads()
            busy, handled = sum(loop.busy for loop in self._loops), sum(loop.handled for loop in self._loops)
            with contextlib.suppress(MeshError):
                await attendance.renew(busy, handled, loads, agent.note())
            await asyncio.sleep(BEAT_S)

    async def _await_bus(self) -> None:
        """Connect, however long that takes; raises MeshUnavailable when told to end meanwhile."""
        connecting, told = asyncio.create_task(self._broker.connect()), asyncio.create_task(self._app.told.wait())
        patience_s = _PATIENCE_S
        try:
            while not (await asyncio.wait({connecting, told}, timeout=patience_s, return_when=_FIRST))[0]:
                logger.warning("%s: waiting for the bus", self._identity.name)
                patience_s = _WAITING_S
            if not connecting.done():
                raise MeshUnavailable("stopped before the bus answered")
            connecting.result()
        finally:
            await end_tasks([task for task in (connecting, told) if not task.done()])

    async def _note_closed(self) -> None:
        """End, as no loop does by itself, when the connection is gone for good: all calls would fail for ever.

        Who starts it again has it read its key anew.
        """
        self._give_up(MeshUnavailable("the connection was closed for good, or the key is let in no more"))

    def _give_up(self, fault: Exception) -> None:
        self._fault = fault
        self._unfit.set()

    async def _until_unfit(self) -> None:
        await self._unfit.wait()
        if self._fault is not None:
            raise self._fault

    async def _guard(self, tasks: list[asyncio.Task[None]]) -> None:
        """End the process when a loop ends by itself: the supervisor starts a fresh one.

        The system ends it where it does not get to its end: without memory the start of a thread is waited for in vain,
        by the event loop too.
        """
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        grace_s = round(self._settings.bus.drain_s) + TO_LEAVE_S
        for task in done:
            error = task.exception()
            logger.error("%s: a loop ended: %s", self._identity.name, type(error).__name__)
            grace_s = STARVED_S if isinstance(error, MemoryError) else grace_s
        if hasattr(signal, "alarm"):
            signal.alarm(grace_s)
        signal.raise_signal(signal.SIGTERM)

    async def _wind_down(self, tasks: list[asyncio.Task[None]]) -> None:
        for loop in self._loops:
            loop.stop()
        loops, rest = tasks[: len(self._loops)], tasks[len(self._loops) :]
        await end_tasks(rest)
        await asyncio.gather(*loops, return_exceptions=True)

    async def _tell(self, links: Links, action: Action) -> None:
        event = AuditEvent(agent=self._identity.name, action=action, at=links.clock(), nonce=links.clock().isoformat())
        try:
            await links.publisher.record(event)
        except MeshError as error:
            logger.warning("%s: %s not recorded: %s", self._identity.name, action, error.reason)
