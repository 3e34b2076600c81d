"""All that anybody could publish, ask or hear on the bus, and what the server said to who tried."""

import asyncio
from collections.abc import Iterable

from nats.aio.client import Client

from guarded_bus import Guarded
from hybridmesh.bus.borders import inbox_of
from hybridmesh.bus.seats import seat_of
from hybridmesh.bus.topology import (
    BODIES,
    ROOT,
    TOPOLOGY,
    Ask,
    Bucket,
    bucket_stream,
    bucket_subject,
    consumers,
    dead_subject,
    filter_of,
    message_types,
    streams,
)
from hybridmesh.infra.nats.permissions import permissions_of

NAMES = tuple(row.agent for row in TOPOLOGY)
STREAMS = (*(stream.name for stream in streams()), *map(bucket_stream, Bucket), f"OBJ_{BODIES}")
# What JetStream would do for whoever may ask, by stream.
API = (
    "STREAM.CREATE.{s}", "STREAM.UPDATE.{s}", "STREAM.DELETE.{s}", "STREAM.PURGE.{s}", "STREAM.INFO.{s}",
    "STREAM.MSG.GET.{s}", "STREAM.MSG.DELETE.{s}", "STREAM.SNAPSHOT.{s}", "STREAM.RESTORE.{s}",
    "STREAM.PEER.REMOVE.{s}", "STREAM.LEADER.STEPDOWN.{s}", "DIRECT.GET.{s}", "DIRECT.GET.{s}.x.y",
    "CONSUMER.CREATE.{s}", "CONSUMER.CREATE.{s}.x", "CONSUMER.CREATE.{s}.x.y", "CONSUMER.DURABLE.CREATE.{s}.x",
    "CONSUMER.DELETE.{s}.x", "CONSUMER.INFO.{s}.x", "CONSUMER.LIST.{s}", "CONSUMER.NAMES.{s}",
    "CONSUMER.MSG.NEXT.{s}.x", "CONSUMER.PAUSE.{s}.x", "CONSUMER.LEADER.STEPDOWN.{s}.x",
)  # fmt: skip
EVERYWHERE = (
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$SYS.REQ.SERVER.PING",
    "$SYS.x",
    "other.x",
)


def published() -> list[str]:
    """Return a subject for each thing that anybody could publish to: messages, requests, records, bodies, the API."""
    found = [f"{ROOT}.x", *EVERYWHERE, *Ask, f"$O.{BODIES}.x"]
    for kind in message_types().values():
        found += [concrete(filter_of(kind)), concrete(dead_subject(filter_of(kind)))]
    for name in NAMES:
        found += [f"{ROOT}.audit.recorded.{name}.x", f"{inbox_of(name)}.x", bucket_subject(Bucket.AGENTS, f"{name}.x")]
        found += map(concrete, permissions_of(seat_of(name)).publish)
    found += [bucket_subject(bucket, "x") for bucket in Bucket]
    for stream in STREAMS:
        found += [f"$JS.API.{call.format(s=stream)}" for call in API] + [f"$JS.ACK.{stream}.x.1.1.1.1.1"]
    for consumer in consumers():
        found += [
            f"$JS.API.CONSUMER.{call}.{consumer.stream}.{consumer.durable}"
            for call in ("MSG.NEXT", "INFO", "DELETE", "DURABLE.CREATE", "CREATE")
        ]
        found.append(f"$JS.ACK.{consumer.stream}.{consumer.durable}.1.1.1.1.1")
    return sorted(set(found))


def heard() -> list[str]:
    """Return what anybody could listen to."""
    found = [">", "*.>", f"{ROOT}.>", "$JS.>", "$KV.>", "$SYS.>", "$JS.EVENT.>", "_INBOX.>", f"$O.{BODIES}.>", *Ask]
    found += [filter_of(kind) for kind in message_types().values()]
    found += [f"{inbox_of(name)}.>" for name in NAMES]
    found += [bucket_subject(bucket, ">") for bucket in Bucket]
    return sorted(set(found))


def concrete(pattern: str) -> str:
    """Return a subject that a pattern matches."""
    return pattern.replace("*", "x").replace(">", "x")


def covers(allowed: Iterable[str], subject: str) -> bool:
    """Say whether one of the patterns matches, by the rules of NATS."""
    return any(_matches(pattern.split("."), subject.split(".")) for pattern in allowed)


def _matches(pattern: list[str], subject: list[str]) -> bool:
    for place, word in enumerate(pattern):
        if word == ">":
            return len(subject) > place
        if place >= len(subject) or word not in ("*", subject[place]):
            return False
    return len(pattern) == len(subject)


async def refusals(guarded: Guarded, name: str, client: Client) -> set[str]:
    """Return the subjects that the server has named in its refusals so far."""
    await client.flush()
    await asyncio.sleep(0.2)
    return {error.split('"')[1].lower() for error in guarded.refused[name] if '"' in error}
