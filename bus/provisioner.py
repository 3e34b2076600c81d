"""Makes streams, consumers and buckets from the topology. Nothing else does, and agents may not."""

import contextlib
from collections.abc import Collection, Mapping

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    KeyValueConfig,
    ObjectStoreConfig,
    RePublish,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, BucketNotFoundError, NotFoundError

from hybridmesh.bus.settings import BusSettings, RetentionSettings
from hybridmesh.bus.stores import BODIES_AGE_S, BUCKET_AGES_S, BUCKETS_IN_PARTS, DAY_S, account_of, bucket_stream
from hybridmesh.bus.topology import (
    AUDIT,
    BODIES,
    CHECKPOINTS,
    DEAD,
    EGRESS,
    RESULTS,
    TOPOLOGY,
    Account,
    Bucket,
    Consumer,
    Stream,
    consumers,
    intake_stream,
    lanes_stream,
    streams,
)

# Repeats of a message id within this time are dropped by the server; later ones meet idempotent handlers.
DUPLICATE_WINDOW_S = 600.0
# So much of the store may be filled by what waits to be taken on, as who submits is outside and may send large texts:
# what is under way, its results and the log go on. A server with less room bounds it lower, or not at all.
INTAKE_BYTES = (2 * 1024**3, 256 * 1024**2, -1)
_INTAKES = {name for row in TOPOLOGY if row.admits for name in (intake_stream(row.agent), lanes_stream(row.agent))}


async def provision(
    js: JetStreamContext, settings: BusSettings, *, replicas: int = 1, accounts: Collection[Account] = tuple(Account)
) -> None:
    """Create what is missing and bring what is there in line with the table; safe to run again.

    ``accounts`` are those that ``js`` is in: one, or on a bus that lets everybody in, all of them.
    """
    for stream in streams():
        if stream.account in accounts:
            ensure = _ensure_intake if stream.name in _INTAKES else _ensure_stream
            await ensure(js, _stream_config(stream, replicas, settings.retention))
    for consumer in consumers():
        if consumer.account in accounts:
            await js.add_consumer(consumer.stream, _consumer_config(consumer, settings))
    for bucket in Bucket:
        if account_of(bucket) in accounts:
            await _ensure_bucket(js, bucket, replicas)
    if Account.LOCAL in accounts:
        await _ensure_bodies(js, replicas)


async def part(sides: Mapping[Account, JetStreamContext]) -> None:
    """Remove what lies in an account and belongs to another, as it did before there were accounts.

    It would take what is meant for the other side. On a bus that lets everybody in there is one side, and nothing is
    removed.
    """
    for stream in streams():
        mine = (await sides[stream.account].stream_info(stream.name)).created
        for account, js in sides.items():
            if account is not stream.account:
                with contextlib.suppress(NotFoundError):
                    if (await js.stream_info(stream.name)).created != mine:
                        await js.delete_stream(stream.name)


async def _ensure_bucket(js: JetStreamContext, bucket: Bucket, replicas: int) -> None:
    try:
        await js.key_value(bucket)
    except BucketNotFoundError:
        ttl = BUCKET_AGES_S.get(bucket)
        await js.create_key_value(
            KeyValueConfig(bucket=bucket, history=1, ttl=ttl, storage=StorageType.FILE, replicas=replicas)
        )
    if bucket in BUCKETS_IN_PARTS:
        config = (await js.stream_info(bucket_stream(bucket))).config
        age_s = BUCKET_AGES_S[bucket]
        window_s = min(config.duplicate_window or age_s, age_s)
        await js.update_stream(config.evolve(allow_rollup_hdrs=False, max_age=age_s, duplicate_window=window_s))


async def _ensure_bodies(js: JetStreamContext, replicas: int) -> None:
    try:
        await js.object_store(BODIES)
    except NotFoundError:
        await js.create_object_store(BODIES, ObjectStoreConfig(bucket=BODIES, replicas=replicas, ttl=BODIES_AGE_S))


async def _ensure_intake(js: JetStreamContext, config: StreamConfig) -> None:
    for most in INTAKE_BYTES:
        try:
            await _ensure_stream(js, config.evolve(max_bytes=most))
        except APIError:
            if most == INTAKE_BYTES[-1]:
                raise
        else:
            return


async def _ensure_stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.stream_info(str(config.name))
    except NotFoundError:
        await js.add_stream(config)
    else:
        await js.update_stream(config)


def _age_s(stream: Stream, retention: RetentionSettings) -> float:
    """Return how long a stream keeps an entry: what the settings say, else the table.

    A checkpoint outlives what it was signed over, since a log that has lost its beginning hangs on it, also after the
    mesh was out of use for a while.
    """
    days = {
        AUDIT.name: retention.audit_days,
        CHECKPOINTS.name: retention.audit_days and retention.audit_days + 90,
        RESULTS.name: retention.results_days,
        EGRESS.name: retention.egress_days,
        DEAD.name: retention.dead_letters_days,
    }
    return days[stream.name] * DAY_S if stream.name in days else stream.max_age_s


def _stream_config(stream: Stream, replicas: int, retention: RetentionSettings) -> StreamConfig:
    work = stream.retention == "work"
    age_s = _age_s(stream, retention)
    return StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.WORK_QUEUE if work else RetentionPolicy.LIMITS,
        # A full queue refuses: the submitter hears MeshBusy, and nothing that was acknowledged is dropped.
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        num_replicas=replicas,
        max_age=age_s,
        max_msgs=stream.max_messages,
        max_msgs_per_subject=stream.max_a_subject,
        discard_new_per_subject=stream.max_a_subject > 0,
        duplicate_window=min(DUPLICATE_WINDOW_S, age_s or DUPLICATE_WINDOW_S),
        deny_delete=stream.protected,
        deny_purge=stream.protected,
        allow_direct=True,
        republish=None if stream.announced is None else RePublish(*stream.announced, headers_only=True),
    )


def _consumer_config(consumer: Consumer, settings: BusSettings) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=consumer.durable,
        filter_subject=consumer.filter,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=settings.ack_wait_s,
        # The work loop counts tries and buries; the server must never stop delivering by itself.
        max_deliver=-1,
        max_ack_pending=-1 if consumer.timers else 1000,
    )
