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
from nats.js.errors import BucketNotFoundError, NotFoundError

from hybridmesh.bus.settings import BusSettings, RetentionSettings
from hybridmesh.bus.stores import BODIES_AGE_S, BUCKET_AGES_S, DAY_S, account_of
from hybridmesh.bus.topology import (
    AUDIT,
    BODIES,
    CHECKPOINTS,
    DEAD,
    EGRESS,
    RESULTS,
    Account,
    Bucket,
    Consumer,
    Stream,
    consumers,
    streams,
)

# Repeats of a message id within this time are dropped by the server; later ones meet idempotent handlers.
DUPLICATE_WINDOW_S = 600.0


async def provision(
    js: JetStreamContext, settings: BusSettings, *, replicas: int = 1, accounts: Collection[Account] = tuple(Account)
) -> None:
    """Create what is missing and bring what is there in line with the table; safe to run again.

    ``accounts`` are those that ``js`` is in: one, or on a bus that lets everybody in, all of them.
    """
    for stream in streams():
        if stream.account in accounts:
            await _ensure_stream(js, _stream_config(stream, replicas, settings.retention))
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


async def _ensure_bodies(js: JetStreamContext, replicas: int) -> None:
    try:
        await js.object_store(BODIES)
    except NotFoundError:
        await js.create_object_store(BODIES, ObjectStoreConfig(bucket=BODIES, replicas=replicas, ttl=BODIES_AGE_S))


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
