"""The work loop: takes messages from an agent's queue and sees each one through to its acknowledgement.

It fetches only as many messages as it has free slots, keeps each alive from the moment of the fetch, runs the
handler, publishes what follows, and acknowledges last; a step of a task that is over is dropped. A message that
fails is handed back with a growing pause or, when that cannot help, buried with the reason, and its task fails.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from hybridmesh.bus.admission import Admission
from hybridmesh.bus.agent import Agent, Clock
from hybridmesh.bus.bodies import fetch_body
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.endings import Endings, HeardEndings
from hybridmesh.bus.envelope import open_envelope, signature_problem, time_problem
from hybridmesh.bus.errors import (
    BodyMissing,
    Deferred,
    ExpiredMessage,
    MeshBusy,
    MeshError,
    PermanentError,
    StoreFailed,
    TransientError,
    UntrustedMessage,
)
from hybridmesh.bus.graveyard import Burial, bury, obituary
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.lanes import Lanes
from hybridmesh.bus.metrics import Metrics
from hybridmesh.bus.publisher import Publisher, utc_now
from hybridmesh.bus.seats import tenant_in
from hybridmesh.bus.setbacks import Setbacks
from hybridmesh.bus.settings import BusSettings
from hybridmesh.bus.suspects import Suspects
from hybridmesh.bus.topology import Consumer, message_types
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import DEFAULT_TENANT, Message, StepMessage, is_task_id
from hybridmesh.schemas.tasks import TaskEnd, TaskSubmitted

logger = logging.getLogger("hybridmesh")

# Short, so that a stop is heard soon: a fetch is never cancelled, as that would strand messages until ack_wait.
_FETCH_TIMEOUT_S = 1.0
_ACK_TIMEOUT_S = 5.0
_REMEMBERED = 10_000  # messages whose failures are counted


class WorkLoop:
    """Runs one agent's handlers over one of its queues, or with others ``beside`` it over several that take turns.

    ``admission`` says when there is room for one more task, ``suspects`` what is handled alone in this process.
    """

    def __init__(
        self,
        js: JetStreamContext,
        consumer: Consumer,
        agent: Agent,
        publisher: Publisher,
        ring: KeyRing,
        settings: BusSettings,
        *,
        slots: int,
        clock: Clock = utc_now,
        endings: HeardEndings | None = None,
        metrics: Metrics | None = None,
        beside: Sequence[Consumer] = (),
        admission: Admission | None = None,
        suspects: Suspects | None = None,
    ) -> None:
        self._js = js
        self._beside = beside
        self._lanes: Lanes | None = None
        self._admission = admission
        self._suspects = suspects
        self._looked_up = Endings(js, ring, consumer.account)
        self._heard = endings
        self._metrics = metrics or Metrics(agent.name)
        self._consumer = consumer
        self._agent = agent
        self._publisher = publisher
        self._ring = ring
        self._settings = settings
        self._slots = asyncio.Semaphore(slots)
        self._width = slots
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._setbacks = Setbacks(agent.name)
        self._held: dict[str, Msg] = {}  # by what it is acknowledged with
        # By the message's place. Not the server's count of deliveries: who waited for room, or was in the hands of a
        # process that was killed, has failed at nothing; who killed it is found by ``suspects``.
        self._failures: Counter[str] = Counter()
        self._fault: MemoryError | None = None  # what ends the process
        self.handled = 0

    async def run(self) -> None:
        """Work until :meth:`stop`; returns when the last message is done.

        Raises:
            MemoryError: a handler got no memory. What was not to be had is not to be had at the next try, and what is
                left of such a process cannot be trusted: it is to end.

        """
        queues = [
            await self._js.pull_subscribe_bind(queue.durable, queue.stream) for queue in (self._consumer, *self._beside)
        ]
        beat = asyncio.create_task(self._keep_alive())
        if self._beside:
            self._lanes = Lanes(queues, self._hold)
        try:
            while not self._stopping.is_set():
                await self._take(queues[0])
        finally:
            for message in () if self._lanes is None else await self._lanes.close():
                self._held.pop(message.reply, None)
                await self._hand_back(message, 0)
            for queue in queues:
                with contextlib.suppress(nats.errors.Error, TimeoutError):
                    await queue.unsubscribe()
            await self._drain()
            await end_tasks({beat})
        if self._fault is not None:
            raise self._fault

    def stop(self) -> None:
        """Take no more messages."""
        self._stopping.set()
        self._slots.release()  # who waits for a free one has to look again
        if self._lanes is not None:
            self._lanes.wake()
        if self._admission is not None:
            self._admission.wake()

    @property
    def busy(self) -> int:
        """How many messages are being handled."""
        return len(self._running)

    async def _take(self, subscription: JetStreamContext.PullSubscription) -> None:
        """Fetch for the free slots, at least one, and start a task for each message."""
        await self._slots.acquire()
        held = 1
        room = self._width
        if self._admission is not None:
            room = await self._admission.room(lambda: self.busy, self._stopping.is_set)
        while held < room and not self._slots.locked():
            await self._slots.acquire()
            held += 1
        messages: list[Msg] = []
        try:
            if not self._stopping.is_set():
                messages = await self._fetch(subscription, held)
            self._setbacks.end()
        except TimeoutError:
            self._setbacks.end()  # an empty queue
        except (nats.errors.Error, OSError) as error:
            await self._setbacks.sit_out(error)
        finally:
            for _ in range(held - len(messages)):
                self._slots.release()
        for message in messages:
            self._hold(message)
            task = asyncio.create_task(self._see_through(message))
            self._running.add(task)
            task.add_done_callback(self._finished)

    async def _fetch(self, subscription: JetStreamContext.PullSubscription, most: int) -> list[Msg]:
        if self._lanes is not None:
            return await self._lanes.fetch(most)
        return await subscription.fetch(most, timeout=_FETCH_TIMEOUT_S)

    def _hold(self, message: Msg) -> None:
        self._held[message.reply] = message

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._slots.release()
        if self._admission is not None:
            self._admission.wake()
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("%s: work loop failed: %s", self._agent.name, type(error).__name__)

    async def _drain(self) -> None:
        """Give running handlers the grace time; what is not done by then is redelivered to another replica."""
        if self._running:
            grace_s = self._settings.drain_s if self._fault is None else 0.0
            _, late = await asyncio.wait(self._running, timeout=grace_s)
            await end_tasks(late)

    async def _see_through(self, message: Msg) -> None:
        begun = time.perf_counter()
        try:
            with self._metrics.in_hand():
                async with self._turn(message):
                    name = await self._handle(message)
                if not await self._acknowledge(message):
                    return
            self.handled += 1
            self._metrics.took(name, time.perf_counter() - begun)
            self._failures.pop(_place(message), None)
        except Deferred as later:
            await self._hand_back(message, later.delay_s)
        except UntrustedMessage as error:
            await self._refuse(message, error)
        except PermanentError as error:
            await self._bury(message, error.reason, str(error))
        except (MeshBusy, StoreFailed) as error:
            self._metrics.handed_back(error.reason)
            await self._hand_back(message, error.retry_after_s or self._settings.retry_base_s)
        except TransientError as error:
            await self._retry(message, error.reason, error.retry_after_s)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            await self._retry(message, type(error).__name__, None)
        except MemoryError as error:
            self._fault = error
            self.stop()  # the message comes back, in a process that has memory or to be found a suspect
            raise
        except Exception as error:  # noqa: BLE001 - the outermost boundary: an unforeseen fault must not stop the loop
            logger.error("%s: handler failed: %s", self._agent.name, _where(error))
            await self._retry(message, type(error).__name__, None)
        finally:
            self._held.pop(message.reply, None)

    def _turn(self, message: Msg) -> AbstractAsyncContextManager[None]:
        if self._suspects is None:
            return contextlib.nullcontext()
        return self._suspects.turn(message, timer=self._consumer.timers)

    async def _acknowledge(self, message: Msg) -> bool:
        """Say whether the server knows that the message was handled; what it hands out again has failed at nothing."""
        try:
            await message.ack_sync(timeout=_ACK_TIMEOUT_S)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            logger.warning("%s: not acknowledged: %s", self._agent.name, type(error).__name__)
            await self._hand_back(message, self._settings.ack_wait_s)
            return False
        return True

    async def _handle(self, message: Msg) -> str:
        """Do what a message asks for; return the name of its type."""
        headers = dict(message.headers or {})
        try:
            body = await fetch_body(self._js, headers, message.data)
        except BodyMissing:
            if await self._forgotten(headers):
                return "forgotten"
            raise
        envelope = open_envelope(message.subject, headers, body, self._ring)
        opened = envelope.message
        if type(opened) not in self._agent.handlers:
            # Moved here by one of us with the reply subject of a pull: a stream keeps what it is sent that way.
            raise UntrustedMessage("a message of another queue")
        # By when it came and not by now: what waits in a queue, for as long as it may be, was sent once.
        came, within = message.metadata.timestamp, self._settings.signed_within
        if envelope.producer is not None and (problem := time_problem(headers, came, within)) is not None:
            raise ExpiredMessage(problem)
        if isinstance(opened, StepMessage) and opened.LAPSES and await self._over(opened.task_id, message):
            return opened.NAME
        following = await self._agent.handlers[type(opened)](opened)
        if self._admission is not None:
            self._admission.began(step.task_id for step in following if isinstance(step, StepMessage))
        await self._publish(following)
        return opened.NAME

    async def _forgotten(self, headers: Mapping[str, str]) -> bool:
        """Say whether a message, of which only the headers are left, would be dropped as its task is over."""
        kind = message_types().get(headers.get("ce-type", ""), Message)
        task_id = headers.get("ce-id", "").partition("/")[0]
        lapses = issubclass(kind, StepMessage) and kind.LAPSES and is_task_id(task_id)
        return lapses and await self._looked_up.over(task_id)

    async def _over(self, task_id: str, message: Msg) -> bool:
        if self._heard is None:
            return await self._looked_up.over(task_id)
        return await self._heard.over(task_id, message.metadata.timestamp)

    async def _publish(self, messages: Sequence[Message]) -> None:
        """Store audit events first: no effect is seen that the log does not know."""
        for message in sorted(messages, key=lambda item: not isinstance(item, AuditEvent)):
            await self._publisher.publish(message)

    async def _keep_alive(self) -> None:
        """Tell the server of every message in hand, often enough that none is given to somebody else."""
        while True:
            await asyncio.sleep(self._settings.ack_wait_s / 3)
            for message in tuple(self._held.values()):
                with contextlib.suppress(nats.errors.Error, OSError):
                    await message.in_progress()

    async def _retry(self, message: Msg, reason: str, after_s: float | None) -> None:
        tries = 1 if self._consumer.timers else self._count_failure(_place(message))  # a timer is never given up
        if tries >= self._settings.max_tries:
            await self._bury(message, reason, f"{tries} tries")
            return
        pause = min(self._settings.retry_cap_s, self._settings.retry_base_s * 2 ** (tries - 1))
        self._metrics.handed_back(reason)
        pause = max(after_s or 0.0, pause * random.uniform(0.75, 1.25))  # noqa: S311 - jitter, not a secret
        logger.info("%s: try %d failed (%s), again in %.1f s", self._agent.name, tries, reason, pause)
        await self._hand_back(message, pause)

    def _count_failure(self, place: str) -> int:
        self._failures[place] += 1
        if len(self._failures) > _REMEMBERED:  # others have finished the oldest
            del self._failures[next(iter(self._failures))]
        return self._failures[place]

    async def _hand_back(self, message: Msg, delay_s: float) -> None:
        with contextlib.suppress(nats.errors.Error, OSError):
            await message.nak(delay=delay_s)

    async def _refuse(self, message: Msg, error: UntrustedMessage) -> None:
        event = AuditEvent(
            agent=self._agent.name,
            action=Action.MESSAGE_REFUSED,
            at=self._clock(),
            nonce=_place(message),
            facts={"reason": error.reason, "problem": str(error)},
        )
        # Of an old submission nobody knows, so its sender hears that it failed; any other hop of a task that goes on is
        # made anew by the reconciler.
        kind = message_types().get((message.headers or {}).get("ce-type", ""))
        ends = isinstance(error, ExpiredMessage) and kind is TaskSubmitted
        await self._bury(message, error.reason, str(error), event, ends=ends)

    async def _is_signed(self, message: Msg) -> bool:
        """Say whether a producer of ours signed the message: a stranger's may die, but end no task by it."""
        headers = dict(message.headers or {})
        try:
            body = await fetch_body(self._js, headers, message.data)
        except MeshError:
            return False
        return signature_problem(message.subject, headers, body, self._ring) is None

    async def _tenant(self, message: Msg) -> str:
        """Return on whose behalf the task is that a message was part of, which a step does not say."""
        task_id = (message.headers or {}).get("ce-id", "").partition("/")[0]
        if (named := tenant_in(message.subject)) is None and self._agent.tenant_of is not None and is_task_id(task_id):
            return await self._agent.tenant_of(task_id)
        return named or DEFAULT_TENANT

    async def _obituary(self, message: Msg, burial: Burial) -> Sequence[Message]:
        """Return what follows from a burial; a task that has its end gets no other."""
        ends = await self._is_signed(message)
        tenant = await self._tenant(message) if ends else DEFAULT_TENANT
        following = obituary(message.headers or {}, burial, ends=ends, tenant=tenant)
        over = [end for end in following if isinstance(end, TaskEnd) and await self._looked_up.over(end.task_id)]
        return [item for item in following if item not in over]

    async def _bury(
        self, message: Msg, reason: str, detail: str, event: AuditEvent | None = None, *, ends: bool = True
    ) -> None:
        """Dead letter first, then the task's end, then term: a crash in between repeats, it does not lose."""
        burial = Burial(self._agent.name, _place(message), reason, detail, self._clock())
        try:
            await bury(self._publisher, message, burial)
            self._metrics.buried(reason)
            self._failures.pop(_place(message), None)
            if ends:
                await self._publish(await self._obituary(message, burial))
            if event is not None:
                await self._publisher.publish(event)
            await message.term()
        except (MeshError, nats.errors.Error, TimeoutError, OSError) as failure:
            logger.warning("%s: burial failed: %s", self._agent.name, type(failure).__name__)
            await self._hand_back(message, self._settings.retry_base_s)


def _place(message: Msg) -> str:
    return f"{message.metadata.stream}.{message.metadata.sequence.stream}"


def _where(error: BaseException) -> str:
    """Return the type of an error and the lines it came from, without its message: that may hold user text."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' > '.join(frames[-3:])}"
