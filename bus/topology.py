"""The table that the mesh is made from: who consumes, publishes and requests what, and in which account.

Streams, consumers, buckets, subjects, the trusted producers of a message, the AsyncAPI document (and later
permissions and autoscaling) are derived from it; no subject, stream or bucket is named anywhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Literal

from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRequested
from hybridmesh.schemas.audits import AuditEvent, Checkpoint
from hybridmesh.schemas.consults import ConsultAdvised, ConsultProposed, ConsultRefused, ConsultRequested
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.feedback import FeedbackGiven
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


class Account(StrEnum):
    """The two zones of trust: everything private, and the one process with a way out."""

    LOCAL = "LOCAL"
    CLOUD = "CLOUD"


class Ask(StrEnum):
    """Request/reply subjects."""

    COMPLETE = f"{ROOT}.model.complete"
    REMEMBER = f"{ROOT}.memory.remember"
    SEARCH = f"{ROOT}.memory.search"
    LOOKUP = f"{ROOT}.memory.lookup"
    FORGET = f"{ROOT}.memory.forget"
    RANK = f"{ROOT}.memory.rank"


class Bucket(StrEnum):
    """Key-value buckets: TASKS is the decomposer's, PARKED the router's, CALLS the consultant's, and so on."""

    TASKS = "tasks"
    PARKED = "parked"
    VAULT = "vault"
    BUDGETS = "budgets"
    APPROVALS = "approvals"
    POLICY = "policy"
    AGENTS = "agents"
    CALLS = "calls"


DAY_S = 86_400.0
# How long a record outlives its last change. A record of the vault carries an expiry of its own; policies stay.
BUCKET_AGES_S: Mapping[Bucket, float] = {
    Bucket.TASKS: 30 * DAY_S,
    Bucket.PARKED: 30 * DAY_S,
    Bucket.APPROVALS: 30 * DAY_S,
    Bucket.BUDGETS: 400 * DAY_S,
    Bucket.AGENTS: 30.0,
    Bucket.CALLS: 7 * DAY_S,
}


def account_of(bucket: Bucket) -> Account:
    """Return where a bucket is: what is known of calls is the consultant's own."""
    return Account.CLOUD if bucket is Bucket.CALLS else Account.LOCAL


def bucket_stream(bucket: Bucket) -> str:
    """Return the stream behind a bucket."""
    return f"KV_{bucket}"


def bucket_subject(bucket: Bucket, key: str) -> str:
    """Return the subject of a bucket's record; a key may be a wildcard."""
    return f"$KV.{bucket}.{key}"


ADMITTED = 100_000  # how much may wait to be taken on; who comes after hears MeshBusy
BODIES = "bodies"  # the object store for bodies too large for a message
BODIES_STREAM = f"OBJ_{BODIES}"
BODIES_AGE_S = 30 * DAY_S


def body_subject(encoded_name: str) -> str:
    """Return where it stands that a body is stored, by its name in URL-safe base 64; it may be a wildcard."""
    return f"$O.{BODIES}.M.{encoded_name}"


def chunk_subject(nuid: str) -> str:
    """Return where the pieces of a stored body are."""
    return f"$O.{BODIES}.C.{nuid}"


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
    protected: bool = False  # entries can neither be deleted nor purged through the API
    announced: tuple[str, str] | None = None  # subjects, and where the headers of what is stored on them are told
    account: Account = Account.LOCAL


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable pull consumer: an agent's queue, shared by all its replicas."""

    agent: str
    stream: str
    durable: str
    timers: bool = False
    account: Account = Account.LOCAL


DEAD = Stream("DEAD", (f"{ROOT}.dead.>",), "limits", max_age_s=30 * DAY_S)


AUDIT = Stream("AUDIT", (filter_of(AuditEvent),), "limits", max_age_s=400 * DAY_S, protected=True)
CHECKPOINTS = Stream("CHECKPOINTS", (filter_of(Checkpoint),), "limits", max_age_s=400 * DAY_S, protected=True)
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
    tasks the queues of its account hold messages.
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
        keeps=(Bucket.PARKED, Bucket.VAULT, Bucket.BUDGETS),
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
    # People and programs outside: the command line, the gateway, anybody with a client.
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
    Row("submitter", publishes=(TaskSubmitted,), outside=True),
    Row("observer", follows=(AUDIT, CHECKPOINTS), outside=True),
)

AGENTS: tuple[str, ...] = tuple(row.agent for row in TOPOLOGY if not row.outside)

# What anybody who reaches the bus may publish without a signature; accounts and permissions narrow that.
OPEN_TYPES: tuple[MessageType, ...] = (TaskSubmitted,)


def row_of(agent: str) -> Row:
    """Return an agent's row; raises KeyError."""
    for row in TOPOLOGY:
        if row.agent == agent:
            return row
    raise KeyError(agent)


def subject_of(message: Message) -> str:
    """Return the subject that a message is published on: ``mesh.<name>.<topic>``."""
    return f"{ROOT}.{message.NAME}.{message.topic()}"


def subject_for(kind: MessageType, topic: str) -> str:
    """Return the subject of a message type about one thing: what a reader of that thing subscribes to."""
    return f"{ROOT}.{kind.NAME}.{topic}"


def end_subject(task_id: str, account: Account) -> tuple[Stream, str]:
    """Return the stream where an account sees that a task has ended, and the pattern of its subject."""
    if account is Account.CLOUD:
        return ENDED, f"{ROOT}.ended.*.{task_id}"
    return RESULTS, f"{ROOT}.task.*.{task_id}"


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
    """Return the name of the stream of what an agent admits."""
    return f"INTAKE_{agent.upper()}"


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
        Stream(intake_stream(row.agent), tuple(map(filter_of, row.admits)), "work", max_messages=ADMITTED)
        for row in TOPOLOGY
        if row.admits
    ]
    timers = [
        Stream(timer_stream(row.agent), tuple(map(filter_of, row.timers)), "work") for row in TOPOLOGY if row.timers
    ]
    return (*work, *intake, *timers, RESULTS, ENDED, EGRESS, AUDIT, CHECKPOINTS, DEAD)


def stream_of(subject: str) -> Stream:
    """Return the stream that keeps a subject; raises KeyError when none does."""
    for stream in streams():
        if any(subject.startswith(kept.removesuffix(">")) for kept in stream.subjects):
            return stream
    raise KeyError(subject)


def consumers() -> tuple[Consumer, ...]:
    """Return every durable consumer: one a queue, shared by an agent's replicas."""
    work = [
        Consumer(row.agent, queue_stream(row.agent), row.agent, account=row.account) for row in TOPOLOGY if row.consumes
    ]
    intake = [Consumer(row.agent, intake_stream(row.agent), f"{row.agent}-intake") for row in TOPOLOGY if row.admits]
    timers = [
        Consumer(row.agent, timer_stream(row.agent), f"{row.agent}-timers", timers=True)
        for row in TOPOLOGY
        if row.timers
    ]
    return (*work, *intake, *timers)


def consumers_of(agent: str) -> tuple[Consumer, ...]:
    """Return an agent's queues, the one of what is under way first."""
    return tuple(consumer for consumer in consumers() if consumer.agent == agent)


def message_types() -> dict[str, MessageType]:
    """Return every message type of the table by its CloudEvents type."""
    kinds = {kind for row in TOPOLOGY for kind in (*row.consumes, *row.timers, *row.publishes)}
    return {kind.event_type(): kind for kind in sorted(kinds, key=lambda kind: kind.NAME)}
