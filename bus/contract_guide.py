"""What a program in any language has to know of the bus beside subjects and bodies: the AsyncAPI document's own words.

Who is outside may do what the table says; how a message is signed, refused and found again is said here, in the places
where the document is read.
"""

from typing import Any

from hybridmesh.bus.borders import inbox_of, subjects_of
from hybridmesh.bus.envelope import BODY_REFERENCE, SIGNATURE
from hybridmesh.bus.graveyard import BURIED_AT, BURIED_BY, DETAIL, DIED_ON, REASON
from hybridmesh.bus.message_ids import MESSAGE_ID
from hybridmesh.bus.seats import reader_of
from hybridmesh.bus.topology import (
    DEAD,
    RESULTS,
    ROOT,
    TOPOLOGY,
    MessageType,
    Row,
    filter_of,
    subject_for,
    tenant_filter,
)
from hybridmesh.schemas.audits import AuditEvent, Checkpoint
from hybridmesh.schemas.lanes import LANES, OF_A_TENANT
from hybridmesh.schemas.message import DEFAULT_TENANT
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed, TaskSubmitted

REFUSALS = (
    "empty-goal",
    "unknown-workflow",
    "unknown-profile",
    "unknown-label",
    "bad-deadline",
    "past-deadline",
    "duplicate-input",
)
"""Why a submission that could be read is refused: the reasons of a ``task.failed`` whose outcome is ``refused``."""

_TENANT = "TENANT"
_TASK = "TASK"

GUIDE = f"""\
Independent agents that hand a task to one another. CloudEvents 1.0 in NATS binary mode: the body is the message's \
JSON, the attributes are ce- headers, and the producer signs both.

**Get in.** Each identity NAME has an nkey, `NAME.nk` in the keys folder; without one the server lets nobody in. \
Replies are heard on `{inbox_of("NAME")}.>` alone: set that as the client's inbox prefix, or every request times out. \
Where the server has a certificate, connect by `tls://` and trust its CA; where it asks for one, give the client's \
own. `x-identities` says what each identity outside the mesh may publish and hear; anything else is a permissions \
violation, which NATS tells on the connection and not to the call.

**Submit.** Publish a `{TaskSubmitted.NAME}` by JetStream and wait for the acknowledgement: then it is stored, and not \
before. Both forms are taken: binary, with ce- headers, and structured, a CloudEvent as JSON under `Content-Type: \
application/cloudevents+json` with the body in `data`. The task's id is a fresh UUID in lower case. A repeat under the \
same id begins nothing anew; with the same `{MESSAGE_ID}` it is not stored a second time either. Error 10077 with \
"maximum …" says that the queue is full: try again later. No answer from a stream says that there is no such lane.

**Hear the end.** A task has exactly one: `{TaskCompleted.NAME}` or `{TaskFailed.NAME}`. Subscribe to both before you \
submit; later, ask the stream {RESULTS.name} for the last message of each subject (a direct get that names the subject \
in its own: a reader may do nothing else but make the one consumer that `x-identities` names). `outcome` is `refused` \
(nothing was begun; `reason` is {", ".join(REFUSALS)}), `cancelled`, or `failed` with a code such as `deadline`, \
`verification`, `in-doubt` or `buried:CODE`. Codes may be added.

**What has no end.** A submission that cannot be read (its schema, its subject, its version) is buried. If a key of \
the mesh signed it, its task ends as `buried:CODE`. An unsigned one, or one whose signature does not hold, ends \
nothing, as anybody could end others' tasks so: only the audit log tells (`message.buried`, under the task's id where \
ce-id begins with it). So validate before you send, or sign.

**Sign.** `NAME.key` is an Ed25519 private key, 32 raw bytes. Sign these lines, joined by a line feed, in UTF-8 \
without one at the end: the subject, ce-id, ce-type, ce-source, ce-time (empty where a header is missing), and the \
SHA-256 of the body in small hex. The signature goes, in base64, into `{SIGNATURE}`, and ce-source is \
`/hybridmesh/NAME`. ce-time has its zone, and is at most `bus.message_days` from when the message comes. Requests are \
signed alike, without an id, within an hour. All but `{TaskSubmitted.NAME}` has to be signed, in binary mode. \
`ring.json` holds the public keys, `{{"NAME": ["hex", …]}}`, the newest first: the first two count, and all of them \
for what was stored long ago. An end, or an audit event, counts by its signature.

**Large bodies.** Above `bus.max_body_bytes` the body is empty, and `{BODY_REFERENCE}` names it in the object store, \
which readers and observers cannot open; ends go in the message up to 4 MiB. The signature is over the whole body. \
What submitters send goes in the message, at most 8 MiB with its headers.

**What nobody could handle** is kept in {DEAD.name}, on its subject with `dead` behind `{ROOT}`, with `{REASON}`, \
`{DETAIL}`, `{BURIED_BY}`, `{BURIED_AT}` and `{DIED_ON}` among its headers.

Within a major only optional fields are added, so keep what you do not know; headers that begin with `Nats-` are the \
server's."""


def topic_of(kind: MessageType) -> str:
    """Say what stands in a subject behind the name of a type."""
    if kind is TaskSubmitted:
        return (
            f"{_TENANT}.LANE, in that order; {DEFAULT_TENANT} where no tenant is named. The lane is "
            f"(crc32(tenant) + crc32(profile) % {OF_A_TENANT}) % {LANES}, each in UTF-8. Without a tenant the task's "
            "id alone is taken too."
        )
    if issubclass(kind, (TaskCompleted, TaskFailed)):
        return f"{_TENANT}.{_TASK}; {DEFAULT_TENANT} where no tenant is named."
    if kind is AuditEvent:
        return f"AGENT.{_TASK}, with - for what is about no task."
    if kind is Checkpoint:
        return "The size of the tree."
    return f"{_TASK}: the task's id."


def identities() -> dict[str, dict[str, Any]]:
    """Return what each identity outside the mesh may publish, ask and hear, by its name."""
    return {row.agent: _identity(row) for row in TOPOLOGY if row.outside}


def _identity(row: Row) -> dict[str, Any]:
    tenant = _TENANT if row.tenanted else None
    sends = [subject for kind in row.publishes for subject in _sent(row, kind)]
    heard = [subject for stream in row.follows for subject in stream.subjects]
    heard += [tenant_filter(kind, _TENANT) for kind in row.hears]
    told: dict[str, Any] = {
        "key": f"{row.agent}.nk",
        "inbox": f"{inbox_of(row.agent)}.>",
        "publishes": sends,
        "asks": list(row.asks),
        "subscribes": heard,
    }
    if tenant is not None:
        told["tenant"] = (
            f"{DEFAULT_TENANT}; {row.agent}-{_TENANT} (key {row.agent}-{_TENANT}.nk, inbox "
            f"{inbox_of(f'{row.agent}-{_TENANT}')}.>) is of another, made by `hybridmesh bus keys --tenant {_TENANT}`"
        )
    if row.hears:
        told["looks-up"] = [_looked_up(row, kind) for kind in row.hears]
    return told


def _sent(row: Row, kind: MessageType) -> tuple[str, ...]:
    if not row.tenanted:
        return subjects_of(row, kind)
    return (tenant_filter(kind, _TENANT), *subjects_of(row, kind, DEFAULT_TENANT)[1:])


def _looked_up(row: Row, kind: MessageType) -> dict[str, str]:
    """Return how a reader finds what is stored: the last of a subject, and the one consumer that it may make."""
    return {
        "stream": RESULTS.name,
        "last": subject_for(kind, f"{_TENANT}.{_TASK}"),
        "consumer": reader_of(row.agent, kind),
        "filter": tenant_filter(kind, _TENANT),
    }


def channel_filter(kind: MessageType) -> str:
    """Return the address of a type's channel: its topic is what :func:`topic_of` says."""
    return filter_of(kind).removesuffix(">") + "{topic}"
