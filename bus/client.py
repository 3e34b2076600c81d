"""The client: submit tasks, await results, follow events, from any program.

async with connect() as mesh:
    task = await mesh.submit("Summarise this.", inputs={"mail.txt": text})
    print((await mesh.result(task)).result)
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar, cast

from nats.aio.msg import Msg
from pydantic import ValidationError

from hybridmesh.bus.bodies import fetch_body
from hybridmesh.bus.cancellation import CancellationWatch
from hybridmesh.bus.connection import open_connection
from hybridmesh.bus.endings import told_on
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.envelope import open_envelope
from hybridmesh.bus.errors import (
    NOT_ENDED,
    BodyMissing,
    InvalidMessage,
    MeshBusy,
    MeshError,
    MeshUnavailable,
    PermanentError,
    TransientError,
    UntrustedMessage,
    UsageError,
)
from hybridmesh.bus.identity import read_keys
from hybridmesh.bus.links import Links, make_links
from hybridmesh.bus.log_reading import LogReading, Tell
from hybridmesh.bus.losses import Losses
from hybridmesh.bus.outbox import Outbox, Sender
from hybridmesh.bus.resending import resending
from hybridmesh.bus.seats import seat_of
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.tls import make_context, servers_of
from hybridmesh.bus.topology import (
    AUDIT,
    RESULTS,
    Account,
    end_subjects,
    filter_of,
    subject_for,
    tenant_filter,
)
from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRequested
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.feedback import FeedbackGiven
from hybridmesh.schemas.message import DEFAULT_TENANT, Message, is_conversation_id, is_tenant, new_task_id
from hybridmesh.schemas.tasks import CancelTask, Document, TaskCompleted, TaskFailed, TaskSubmitted

logger = logging.getLogger("hybridmesh")

M = TypeVar("M", bound=Message)
_CONNECT_TIMEOUT_S = 5.0
_LOOK_AGAIN_S = 2.0
_STORED_SOON_S = 0.01
TaskEnded = TaskCompleted | TaskFailed

_ENDS: tuple[type[TaskCompleted], type[TaskFailed]] = (TaskCompleted, TaskFailed)


class Mesh:
    """An open connection to a mesh, under the publisher's identity."""

    def __init__(self, links: Links, outbox: Outbox) -> None:
        self.links = links
        self._outbox = outbox
        self._ring = links.ring.whole()
        self._tenant = seat_of(links.identity.name).tenant

    async def submit(
        self,
        goal: str,
        *,
        inputs: Mapping[str, str] | None = None,
        workflow: str | None = None,
        profile: str = "balanced",
        deadline: datetime | timedelta | None = None,
        budget_usd: Decimal | None = None,
        labels: Mapping[str, str] | None = None,
        conversation: str | None = None,
        tenant: str | None = None,
    ) -> str:
        """Submit a task and return its id once the bus has stored it.

        Tasks of one ``conversation`` (1 to 60 letters, digits, hyphens and underscores) share their surrogates.
        ``tenant`` (1 to 32 small letters, digits and hyphens) is on whose behalf; it has its fair share of the mesh.

        Raises:
            UsageError: the goal is empty, the deadline is past, or the inputs are too large.
            MeshBusy: the queue is full; the submission is not kept.
            MeshUnavailable: the bus does not answer; the submission stays in the outbox and goes out later.
            SetupError: the disk does not take it.

        """
        now = datetime.now(UTC)
        until = now + deadline if isinstance(deadline, timedelta) else deadline
        self._check(goal, inputs or {}, until, budget_usd, now)
        if conversation is not None and not is_conversation_id(conversation):
            raise UsageError(
                "that is no name of a conversation", remedy="use 1 to 60 letters, digits, hyphens and underscores"
            )
        on_behalf = tenant or self._tenant or DEFAULT_TENANT
        if not is_tenant(on_behalf):
            raise UsageError(
                "that is no name of a tenant", remedy="use 1 to 32 small letters, digits and hyphens, none at its ends"
            )
        if self._tenant not in (None, on_behalf):
            raise UsageError("this key speaks for another tenant", remedy=f"submit for {self._tenant}")
        task = TaskSubmitted(
            task_id=new_task_id(),
            goal=goal,
            inputs=tuple(Document(name=name, text=text) for name, text in (inputs or {}).items()),
            workflow=workflow,
            profile=profile,
            deadline=until,
            budget_usd=budget_usd,
            labels=dict(labels or {}),
            conversation=conversation,
            tenant=on_behalf,
            submitted_at=now,
        )
        self._outbox.put(task)
        try:
            await self.links.publisher.publish(task)
        except MeshUnavailable:
            raise
        except MeshError:
            self._outbox.remove(task)
            raise
        else:
            self._outbox.remove(task)
        finally:
            self._outbox.release(task)
        return task.task_id

    async def send_waiting(self, ids: Collection[str] | None = None) -> int:
        """Send what the outbox still holds for this mesh from this identity, or of it these; return how many.

        What another process is sending at this moment is left to it.

        Raises:
            MeshBusy: a queue is full; the others' are sent.
            PermanentError: one is such as no queue takes, and no queue was full; the others are sent.
            MeshUnavailable: the bus does not answer.

        """
        sent = 0
        refusal: MeshError | None = None
        for task in self._outbox.waiting():
            if (ids is not None and task.task_id not in ids) or not self._outbox.claim(task):
                continue
            try:
                await self.links.publisher.publish(task)
            except (MeshBusy, PermanentError) as error:
                refusal = error if refusal is None or isinstance(error, MeshBusy) else refusal
            else:
                self._outbox.remove(task)
                sent += 1
            finally:
                self._outbox.release(task)
        if refusal is not None:
            raise refusal
        return sent

    async def result(self, task_id: str, *, timeout_s: float | None = None) -> TaskEnded:
        """Wait for a task's end and return it.

        Raises:
            TimeoutError: it has not ended in time.
            PermanentError: it never will, since the bus lost its store meanwhile.

        """
        losses = Losses(self.links.js)
        cancellation = CancellationWatch()
        async with asyncio.timeout(timeout_s), contextlib.AsyncExitStack() as stack:
            arrived: asyncio.Queue[Msg] = asyncio.Queue()
            for kind in _ENDS:
                subject = subject_for(kind, f"{self._tenant or '*'}.{task_id}")
                subscription = await self.links.client.subscribe(subject, cb=arrived.put)
                stack.push_async_callback(subscription.unsubscribe)
            pause_s = _LOOK_AGAIN_S
            while True:
                # Asked for again and again: an end that was called out while the connection was down is stored.
                with contextlib.suppress(MeshUnavailable):
                    if ended := await self.ended(task_id):
                        return ended
                    if self._tenant is None:  # others may not look at the stores
                        await losses.check(task_id)
                cancellation.check()
                pause_s = min(2 * pause_s, _LOOK_AGAIN_S)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(arrived.get(), pause_s)
                    pause_s = _STORED_SOON_S  # it is called out a moment before it is stored, where feedback looks

    async def ended(self, task_id: str) -> TaskEnded | None:
        """Return a task's end if it has ended.

        Raises:
            MeshUnavailable: the results cannot be read.
            BodyMissing: it has one, whose body the object store has lost.

        """
        _, subjects = end_subjects(task_id, Account.LOCAL)
        if self._tenant is not None:
            subjects = tuple(subject_for(kind, f"{self._tenant}.{task_id}") for kind in _ENDS)
        lost: BodyMissing | None = None
        for subject in subjects:
            async for found in told_on(self.links.js, RESULTS.name, subject, last_alone=self._tenant is not None):
                headers = dict(cast("dict[str, str] | None", found.headers) or {})
                try:
                    ended = await self._read_end(found.subject or "", headers, found.data or b"")
                except BodyMissing as error:
                    lost = error
                    continue
                if ended is not None:
                    return ended
        if lost is not None:
            raise lost
        return None

    async def results(self) -> AsyncGenerator[TaskEnded]:
        """Yield every task's end from now on; under a key of one tenant, every end of its tasks."""
        async for subject, headers, body in self._follow(
            tuple(tenant_filter(kind, self._tenant) if self._tenant else filter_of(kind) for kind in _ENDS)
        ):
            try:
                ended = await self._read_end(subject, headers, body)
            except BodyMissing:
                logger.warning("an end is passed over: its body is not there")
                continue
            if ended is not None:
                yield ended

    async def audit(
        self, *, task_id: str | None = None, from_start: bool = False, tell: Tell | None = None
    ) -> AsyncGenerator[AuditEvent]:
        """Yield audit events, of one task or of all, from now on or from the start of the log.

        What somebody else put there is passed over: ``tell`` hears of it, or else the program's log.
        """
        subject = subject_for(AuditEvent, f"*.{task_id}") if task_id else filter_of(AuditEvent)
        reading = LogReading(self.links.js, self._ring, tell)
        if from_start:
            subscription = await self.links.js.subscribe(subject, stream=AUDIT.name, ordered_consumer=True)
            async for message in subscription.messages:
                place = f"entry {message.metadata.sequence.stream}"
                if event := await reading.open(AuditEvent, place, message.subject, message.headers, message.data):
                    yield event
            return
        async for name, headers, body in self._follow((subject,)):
            if event := await reading.open(AuditEvent, "an entry that was just told", name, headers, body):
                yield event

    async def history(self, kind: type[M], topic: str, *, tell: Tell | None = None) -> list[M]:
        """Return the stored messages of a type about one thing, oldest first.

        What somebody else put there is passed over: ``tell`` hears of it, or else the program's log.

        Raises:
            MeshUnavailable: they cannot be read to their end.

        """
        reading = LogReading(self.links.js, self._ring, tell)
        return [message async for message in reading.stored(kind, topic)]

    async def cancel(self, task_id: str) -> None:
        """Ask for a task to be stopped."""
        await self._tell(CancelTask, {"task_id": task_id})

    async def feedback(
        self, task_id: str, *, correction: str = "", rating: str | None = None, step_id: str | None = None
    ) -> None:
        """Say what should have been different in a task that has ended; the mesh makes a lesson of it.

        Raises:
            TransientError: it has not ended, or was never submitted here. Its end alone tells its workflow, and what
                is said without one would hold for every task that there will be.

        """
        now = datetime.now(UTC)
        if (ended := await self.ended(task_id)) is None:
            raise TransientError("the task has not ended, or was never submitted here", reason=NOT_ENDED)
        content = {
            "task_id": task_id,
            "correction": correction,
            "rating": rating,
            "step_id": step_id,
            "workflow": ended.workflow,
        }
        await self._tell(FeedbackGiven, {**content, "given_at": now, "number": int(now.timestamp() * 1000)})

    async def answer(self, request: ApprovalRequested, *, approved: bool, by: str) -> None:
        """Answer a question that a step waits for."""
        place = {"task_id": request.task_id, "step_id": request.step_id, "attempt": request.attempt}
        await self._tell(ApprovalGiven, {**place, "purpose": request.purpose, "approved": approved, "by": by})

    async def _tell(self, kind: type[Message], content: dict[str, object]) -> None:
        try:
            message = kind.model_validate(content)
        except ValidationError:
            raise UsageError("that is no task id", remedy="`hybridmesh submit` prints the id of a task") from None
        await self.links.publisher.publish(message)

    async def _follow(self, subjects: tuple[str, ...]) -> AsyncIterator[tuple[str, dict[str, str], bytes]]:
        arrived: asyncio.Queue[Msg] = asyncio.Queue()
        async with contextlib.AsyncExitStack() as stack:
            for subject in subjects:
                subscription = await self.links.client.subscribe(subject, cb=arrived.put)
                stack.push_async_callback(subscription.unsubscribe)
            await self.links.client.flush()
            while True:
                message = await arrived.get()
                yield message.subject, dict(message.headers or {}), message.data

    async def _read_end(self, subject: str, headers: dict[str, str], body: bytes) -> TaskEnded | None:
        """Return an end; None for what is none, such as an acknowledgement that somebody had sent there."""
        try:
            message = open_envelope(
                subject, headers, await fetch_body(self.links.js, headers, body), self._ring
            ).message
        except (InvalidMessage, UntrustedMessage):
            return None
        return message if isinstance(message, _ENDS) else None

    def _check(
        self,
        goal: str,
        inputs: Mapping[str, str],
        deadline: datetime | None,
        budget_usd: Decimal | None,
        now: datetime,
    ) -> None:
        if not goal.strip():
            raise UsageError("the goal is empty", remedy="say what is to be done")
        if deadline is not None and deadline <= now:
            raise UsageError("the deadline is past", remedy="give one in the future, such as --deadline 2m")
        if budget_usd is not None and budget_usd < 0:
            raise UsageError("the budget is negative", remedy="give 0 to spend nothing")
        limit = self.links.settings.bus.max_input_bytes
        for name, text in {"goal": goal, **inputs}.items():
            try:
                size = len(text.encode())
            except UnicodeEncodeError:
                raise UsageError(f"{name} is not valid Unicode text", remedy="give text in UTF-8") from None
            if size > limit:
                raise UsageError(
                    f"{name} has {size:,} bytes, the limit is {limit:,}",
                    remedy="split it, or raise bus.max_input_bytes in mesh.toml",
                )


@contextlib.asynccontextmanager
async def connect(
    url: str | None = None,
    *,
    data: Path | str = ".hybridmesh",
    keys: Path | str | None = None,
    settings: MeshSettings | None = None,
    role: str = "publisher",
) -> AsyncGenerator[Mesh]:
    """Connect to the mesh that runs on a data folder, or to one by URL with a folder of keys.

    ``role`` is whose key to take: ``publisher`` may do all that people do, ``submitter`` submits and sees nothing,
    ``observer`` reads the audit log and nothing else; ``submitter-acme`` and ``reader-acme`` submit for the tenant acme
    and read its results, ``submitter`` and ``reader`` those of whom no tenant is named for.

    Raises:
        SetupError: the keys are not there, or not of one mesh.
        MeshUnavailable: no mesh runs there, or its server does not answer.

    """
    folder = settings.data if settings else Path(data)
    tree = settings or MeshSettings(data=folder)
    named = url or tree.nats_url
    where = named or Endpoint.read(folder).url
    keys_folder = Path(keys) if keys else folder / "keys"
    identity, ring = read_keys(keys_folder, role)
    servers = servers_of(where, tree.bus)
    tls = make_context(tree.bus)
    async with open_connection(servers, identity.name, identity.seed, tls, within_s=_CONNECT_TIMEOUT_S) as client:
        outbox = Outbox(folder / "outbox", Sender.at(named, identity.name, ring))
        mesh = Mesh(await make_links(client, identity, ring, tree), outbox)
        async with resending(outbox, mesh.send_waiting):
            yield mesh
