"""The table that the mesh is made from: who consumes, publishes and requests what, and in which account.

Streams, consumers, buckets, subjects, the trusted producers of a message, the AsyncAPI document (and later
permissions and autoscaling) are derived from it; no subject, stream or bucket is named anywhere else.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Literal

from hybridmesh.bus.stores import BODIES as BODIES
from hybridmesh.bus.stores import BODIES_STREAM as BODIES_STREAM
from hybridmesh.bus.stores import DAY_S
from hybridmesh.bus.stores import Account as Account
from hybridmesh.bus.stores import Bucket as Bucket
from hybridmesh.bus.stores import bucket_stream as bucket_stream
from hybridmesh.bus.stores import bucket_subject as bucket_subject
from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRequested
from hybridmesh.schemas.audits import AuditEvent, Checkpoint
from hybridmesh.schemas.consults import ConsultAdvised, ConsultProposed, ConsultRefused, ConsultRequested
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.feedback import FeedbackGiven
from hybridmesh.schemas.lanes import LANES
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.steps import (
    StepClassified,
    StepDrafted,
    StepFailed,
    StepLocal,
    StepReady,
    StepRejected,
    StepVerified,
)
from hybridmesh.schemas.tasks import CancelTask, TaskCompleted, TaskExpiring, TaskFailed, TaskSubmitted

ROOT = "mesh"
MessageType = type[Message]


class Ask(StrEnum):
    """Request/reply subjects."""

    COMPLETE = f"{ROOT}.model.complete"
    REMEMBER = f"{ROOT}.memory.remember"
    SEARCH = f"{ROOT}.memory.search"
    LOOKUP = f"{ROOT}.memory.lookup"
    FORGET = f"{ROOT}.memory.forget"
    RANK = f"{ROOT}.memory.rank"


ADMITTED = 100_000  # how many tasks may wait to be taken on whose publishers know of no lanes
ADMITTED_A_LANE = 20_000  # and how many of one tenant in one lane; who comes after hears MeshBusy, others do not


def filter_of(kind: MessageType) -> str:
    """Return the filter that matches every subject of a message type."""
    return f"{ROOT}.{kind.NAME}.>"


@dataclass(frozen=True, slots=True)
class Stream:
    """A JetStream stream, as the provisioner makes it."""

    name: str
    subjects: tuple[str, ...]
    retention: Literal["work", "limits"]
    max_age_s: float = 0
    max_messages: int = -1
    max_a_subject: int = -1
    protected: bool = False  # entries can neither be deleted nor purged through the API
    announced: tuple[str, str] | None = None  # subjects, and where the headers of what is stored on them are told
    account: Account = Account.LOCAL


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable pull consumer: an agent's queue, shared by all its replicas; those that ``admits`` take turns."""

    agent: str
    stream: str
    durable: str
    filter: str | None = None
    admits: bool = False
    timers: bool = False
    account: Account = Account.LOCAL


DEAD = Stream("DEAD", (f"{ROOT}.dead.>",), "limits", max_age_s=30 * DAY_S)


AUDIT = Stream("AUDIT", (filter_of(AuditEvent),), "limits", max_age_s=400 * DAY_S, protected=True)
CHECKPOINTS = Stream("CHECKPOINTS", (filter_of(Checkpoint),), "limits", max_age_s=490 * DAY_S, protected=True)
EGRESS = Stream("EGRESS", (filter_of(EgressRecorded),), "limits", max_age_s=30 * DAY_S)
RESULTS = Stream(
    "RESULTS",
    (filter_of(TaskCompleted), filter_of(TaskFailed)),
    "limits",
    max_age_s=30 * DAY_S,
    announced=(f"{ROOT}.task.>", f"{ROOT}.ended.>"),
)
# That a task has ended and nothing more: what the account CLOUD may know of it.
ENDED = Stream("ENDED", (f"{ROOT}.ended.>",), "limits", max_age_s=3600, account=Account.CLOUD)


@dataclass(frozen=True, slots=True)
class Row:
    """One agent's line of the table.

    ``admits`` are those of what it consumes that come in as there is room: their queue may be full while what is under
    way goes on. ``timers`` are messages to itself that it hands back until they are due; ``keeps`` are the buckets of
    its state; ``obeys`` are the buckets of policy that it reads, and ``governs`` those that it may change as well;
    ``reads`` are the streams and buckets that it looks into, ``follows`` the streams whose news it hears. ``outside``
    is who is no agent of the mesh, ``operates`` who sees to queues and dead letters, and ``surveys`` who sees of which
    tasks the queues of its account hold messages. An identity of a ``tenanted`` row is one tenant's: what it publishes,
    and what it ``hears``, is of that tenant.
    """

    agent: str
    consumes: tuple[MessageType, ...] = ()
    admits: tuple[MessageType, ...] = ()
    timers: tuple[MessageType, ...] = ()
    publishes: tuple[MessageType, ...] = ()
    answers: tuple[Ask, ...] = ()
    asks: tuple[Ask, ...] = ()
    obeys: tuple[Bucket, ...] = ()
    governs: tuple[Bucket, ...] = ()
    keeps: tuple[Bucket, ...] = ()
    reads: tuple[Bucket | Stream, ...] = ()
    follows: tuple[Stream, ...] = ()
    hears: tuple[MessageType, ...] = ()
    tenanted: bool = False
    outside: bool = False
    operates: bool = False
    surveys: bool = False
    slots: int = 8
    account: Account = Account.LOCAL


_AUDIT: tuple[MessageType, ...] = (AuditEvent,)
_MEMORY = (Ask.REMEMBER, Ask.SEARCH, Ask.LOOKUP, Ask.FORGET, Ask.RANK)

TOPOLOGY: tuple[Row, ...] = (
    Row(
        "decomposer",
        consumes=(TaskSubmitted, CancelTask, StepVerified, StepFailed),
        admits=(TaskSubmitted,),
        timers=(TaskExpiring,),
        publishes=(StepReady, StepFailed, TaskCompleted, TaskFailed, TaskExpiring, *_AUDIT),
        asks=(Ask.COMPLETE,),
        obeys=(Bucket.POLICY,),
        keeps=(Bucket.TASKS,),
        surveys=True,
    ),
    Row(
        "classifier",
        consumes=(StepReady, ConsultProposed),
        publishes=(StepClassified, ConsultRequested, ConsultRefused, StepFailed, *_AUDIT),
        asks=(Ask.SEARCH,),
        obeys=(Bucket.POLICY,),
        keeps=(Bucket.VAULT,),
        slots=4,
    ),
    Row(
        "router",
        consumes=(StepClassified, StepRejected, ConsultRefused, ApprovalGiven),
        timers=(ApprovalRequested,),
        publishes=(StepLocal, ConsultProposed, ApprovalRequested, StepVerified, StepFailed, *_AUDIT),
        keeps=(Bucket.PARKED, Bucket.APPROVALS, Bucket.BUDGETS),
        reads=(Bucket.AGENTS,),
    ),
    Row(
        "worker",
        consumes=(StepLocal, ConsultAdvised),
        publishes=(StepDrafted, ConsultProposed, StepFailed, ConsultRefused, *_AUDIT),
        answers=(Ask.COMPLETE,),
        asks=(Ask.REMEMBER, Ask.SEARCH, Ask.LOOKUP, Ask.RANK),
        obeys=(Bucket.POLICY,),
        keeps=(Bucket.BUDGETS,),
        reads=(Bucket.PARKED, Bucket.VAULT, Bucket.APPROVALS),
    ),
    Row(
        "consultant",
        consumes=(ConsultRequested,),
        publishes=(ConsultAdvised, ConsultRefused, EgressRecorded, *_AUDIT),
        keeps=(Bucket.CALLS,),
        slots=4,
        account=Account.CLOUD,
    ),
    Row(
        "verifier",
        consumes=(StepDrafted,),
        publishes=(StepVerified, StepRejected, StepFailed, *_AUDIT),
        asks=(Ask.COMPLETE, Ask.SEARCH, Ask.LOOKUP),
        obeys=(Bucket.POLICY,),
        slots=4,
    ),
    Row(
        "memory",
        consumes=(FeedbackGiven,),
        publishes=_AUDIT,
        answers=_MEMORY,
        slots=2,
    ),
    Row("auditor", publishes=(Checkpoint, *_AUDIT), follows=(AUDIT, CHECKPOINTS)),
    # People and programs outside: the command line, anybody with a client.
    Row(
        "publisher",
        publishes=(TaskSubmitted, CancelTask, FeedbackGiven, ApprovalGiven, *_AUDIT),
        asks=(Ask.SEARCH, Ask.FORGET, Ask.REMEMBER),
        governs=(Bucket.POLICY,),
        keeps=(Bucket.VAULT,),
        follows=(RESULTS, AUDIT, CHECKPOINTS),
        reads=(EGRESS, DEAD, Bucket.APPROVALS, Bucket.AGENTS),
        outside=True,
        operates=True,
    ),
    Row("submitter", publishes=(TaskSubmitted,), tenanted=True, outside=True),
    Row("reader", hears=(TaskCompleted, TaskFailed), tenanted=True, outside=True),
    Row("observer", follows=(AUDIT, CHECKPOINTS), outside=True),
)

AGENTS: tuple[str, ...] = tuple(row.agent for row in TOPOLOGY if not row.outside)
_ROWS = {row.agent: row for row in TOPOLOGY}

# What anybody who reaches the bus may publish without a signature; accounts and permissions narrow that.
OPEN_TYPES: tuple[MessageType, ...] = (TaskSubmitted,)


def row_of(agent: str) -> Row:
    """Return an agent's row; raises KeyError."""
    return _ROWS[agent]


def subject_of(message: Message) -> str:
    """Return the subject that a message is published on: ``mesh.<name>.<topic>``."""
    return f"{ROOT}.{message.NAME}.{message.topic()}"


def subjects_of_message(message: Message) -> tuple[str, ...]:
    """Return every subject that a message is accepted on."""
    return tuple(subject_for(type(message), topic) for topic in message.topics())


def subject_for(kind: MessageType, topic: str) -> str:
    """Return the subject of a message type about one thing: what a reader of that thing subscribes to."""
    return f"{ROOT}.{kind.NAME}.{topic}"


def end_subjects(task_id: str, account: Account) -> tuple[Stream, tuple[str, ...]]:
    """Return the stream where an account sees a task's end, and its subjects: the second from before tenants."""
    stream, branch = (ENDED, "ended") if account is Account.CLOUD else (RESULTS, "task")
    return stream, (f"{ROOT}.{branch}.*.*.{task_id}", f"{ROOT}.{branch}.*.{task_id}")


def tenant_filter(kind: MessageType, tenant: str) -> str:
    """Return the filter that matches one tenant's messages of a type; ``*`` is a tenant too, which means each."""
    return f"{ROOT}.{kind.NAME}.{tenant}.*"


def lane_filter(kind: MessageType, lane: int) -> str:
    """Return the filter that matches a lane's messages of a type, whosever they are."""
    return f"{ROOT}.{kind.NAME}.*.{lane}"


def unlaned_filter(kind: MessageType) -> str:
    """Return the filter that matches messages whose publishers know of no lanes."""
    return f"{ROOT}.{kind.NAME}.*"


def dead_subject(subject: str) -> str:
    """Return where a message of ``subject`` is buried."""
    return f"{ROOT}.dead.{subject.removeprefix(ROOT + '.')}"


@cache
def producers_of(kind: MessageType) -> frozenset[str]:
    """Return the agents whose row names the type among what they publish."""
    return frozenset(row.agent for row in TOPOLOGY if kind in row.publishes)


def askers_of(ask: Ask) -> frozenset[str]:
    """Return the agents that may send a request."""
    return frozenset(row.agent for row in TOPOLOGY if ask in row.asks)


def readers_of(bucket: Bucket) -> frozenset[str]:
    """Return who may read a bucket of policy."""
    return frozenset(row.agent for row in TOPOLOGY if bucket in (*row.obeys, *row.governs))


def writers_of(bucket: Bucket) -> frozenset[str]:
    """Return who may change a bucket of policy."""
    return frozenset(row.agent for row in TOPOLOGY if bucket in row.governs)


def queue_stream(agent: str) -> str:
    """Return the name of an agent's work stream."""
    return f"WORK_{agent.upper()}"


def intake_stream(agent: str) -> str:
    """Return the name of the stream of what an agent admits from publishers who know of no lanes."""
    return f"INTAKE_{agent.upper()}"


def lanes_stream(agent: str) -> str:
    """Return the name of the stream of what waits in an agent's lanes."""
    return f"{intake_stream(agent)}_LANES"


def timer_stream(agent: str) -> str:
    """Return the name of an agent's timer stream."""
    return f"TIMER_{agent.upper()}"


def streams() -> tuple[Stream, ...]:
    """Return every stream: one work queue an agent, so that their disks' syncs do not wait for each other."""
    work = [
        Stream(
            queue_stream(row.agent),
            tuple(filter_of(kind) for kind in row.consumes if kind not in row.admits),
            "work",
            account=row.account,
        )
        for row in TOPOLOGY
        if row.consumes
    ]
    intake = [
        Stream(intake_stream(row.agent), tuple(map(unlaned_filter, row.admits)), "work", max_messages=ADMITTED)
        for row in TOPOLOGY
        if row.admits
    ]
    # After the intake, which once kept all: it has to let go of the lanes first. Each lane is named by its number, as
    # what came into one that nobody serves would wait for ever.
    lanes = [
        Stream(
            lanes_stream(row.agent),
            tuple(lane_filter(kind, lane) for kind in row.admits for lane in range(LANES)),
            "work",
            max_a_subject=ADMITTED_A_LANE,
        )
        for row in TOPOLOGY
        if row.admits
    ]
    timers = [
        Stream(timer_stream(row.agent), tuple(map(filter_of, row.timers)), "work") for row in TOPOLOGY if row.timers
    ]
    return (*work, *intake, *lanes, *timers, RESULTS, ENDED, EGRESS, AUDIT, CHECKPOINTS, DEAD)


def stream_of(subject: str) -> Stream:
    """Return the stream that keeps a subject; raises KeyError when none does."""
    for stream in streams():
        if any(subject.startswith(kept.partition(">")[0].partition("*")[0]) for kept in stream.subjects):
            return stream
    raise KeyError(subject)


def consumers() -> tuple[Consumer, ...]:
    """Return every durable consumer: one a queue, shared by an agent's replicas."""
    work = [
        Consumer(row.agent, queue_stream(row.agent), row.agent, account=row.account) for row in TOPOLOGY if row.consumes
    ]
    intake = [
        Consumer(row.agent, intake_stream(row.agent), f"{row.agent}-intake", admits=True)
        for row in TOPOLOGY
        if row.admits
    ]
    lanes = [
        Consumer(row.agent, lanes_stream(row.agent), f"{row.agent}-lane-{lane}", lane_filter(kind, lane), admits=True)
        for row in TOPOLOGY
        for kind in row.admits
        for lane in range(LANES)
    ]
    timers = [
        Consumer(row.agent, timer_stream(row.agent), f"{row.agent}-timers", timers=True)
        for row in TOPOLOGY
        if row.timers
    ]
    return (*work, *intake, *lanes, *timers)


def consumers_of(agent: str) -> tuple[Consumer, ...]:
    """Return an agent's queues, the one of what is under way first."""
    return tuple(consumer for consumer in consumers() if consumer.agent == agent)


def loops_of(agent: str) -> tuple[tuple[Consumer, ...], ...]:
    """Return an agent's queues as they are worked: each by itself, but for those that take turns."""
    queues = consumers_of(agent)
    lanes = tuple(consumer for consumer in queues if consumer.admits)
    return tuple(group for group in (*((queue,) for queue in queues if not queue.admits), lanes) if group)


def message_types() -> dict[str, MessageType]:
    """Return every message type of the table by its CloudEvents type."""
    kinds = {kind for row in TOPOLOGY for kind in (*row.consumes, *row.timers, *row.publishes)}
    return {kind.event_type(): kind for kind in sorted(kinds, key=lambda kind: kind.NAME)}
