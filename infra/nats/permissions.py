"""What each identity may do on the bus, derived from the topology: subjects to publish, and to hear.

A subject that is named here is the only one: JetStream's interface too is reached by exact subjects alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hybridmesh.bus.borders import begun_subject, has_store, inbox_of, presence_subject, subjects_of
from hybridmesh.bus.seats import Seat, reader_of
from hybridmesh.bus.topology import (
    BODIES,
    BODIES_STREAM,
    DEAD,
    ENDED,
    RESULTS,
    TOPOLOGY,
    Account,
    Bucket,
    Consumer,
    Row,
    Stream,
    bucket_stream,
    bucket_subject,
    consumers,
    consumers_of,
    dead_subject,
    filter_of,
    stream_of,
    tenant_filter,
)

_API = "$JS.API"
API = f"{_API}.>"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What an identity may publish and subscribe to; ``responds``: also once to the reply subject of a request."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    responds: bool = False


def permissions_of(seat: Seat) -> Permissions:
    """Return what an identity may do in its account."""
    row = seat.row
    heard = [subject for stream in row.follows for subject in stream.subjects]
    if row.consumes:
        heard += ENDED.subjects
    if seat.tenant is not None:
        heard += [tenant_filter(kind, seat.tenant) for kind in row.hears]
    return Permissions(
        publish=tuple(sorted(set(_published(seat)))),
        subscribe=tuple(sorted({f"{inbox_of(seat.name)}.>", *row.answers, *heard})),
        responds=bool(row.answers),
    )


def _published(seat: Seat) -> Iterator[str]:
    row = seat.row
    for kind in row.publishes:
        yield from subjects_of(row, kind, seat.tenant)
    yield from _hearing(seat)
    yield from row.asks
    for bucket in (*row.keeps, *row.governs):
        yield bucket_subject(bucket, ">")
    for place in _seen(row):
        yield from _looking(place)
    for stream in row.follows:
        yield from _following(stream)
    yield from _working(row)
    if has_store(row):
        yield from _bodies()
    if row.operates:
        yield from _operating()
    if row.surveys:
        for consumer in consumers():
            if consumer.account is row.account:
                yield f"{_API}.STREAM.INFO.{consumer.stream}"


def _seen(row: Row) -> Iterator[str]:
    """Yield the streams that a row may look into."""
    for place in (*row.keeps, *row.governs, *row.obeys, *row.reads, *row.follows):
        yield bucket_stream(place) if isinstance(place, Bucket) else place.name


def _working(row: Row) -> Iterator[str]:
    """Yield what an agent's application needs: its queues, where its dead letters go, its notes, its sign of life."""
    if row.outside:
        return
    yield presence_subject(row)
    if (begun := begun_subject(row)) is not None:
        yield begun
        yield f"{_API}.STREAM.MSG.GET.{bucket_stream(Bucket.BEGUN)}"
    if row.account is Account.LOCAL:
        yield from DEAD.subjects  # what died in its queue need not be of a type that belongs there
    for kind in row.consumes:
        yield dead_subject(filter_of(kind))
    for consumer in consumers_of(row.agent):
        yield from _taking(consumer)
    if row.consumes:
        ends = (RESULTS if row.account is Account.LOCAL else ENDED).name
        yield f"{_API}.DIRECT.GET.{ends}"
        yield f"{_API}.DIRECT.GET.{ends}.>"


def _taking(consumer: Consumer) -> Iterator[str]:
    yield f"{_API}.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.durable}"
    yield f"$JS.ACK.{consumer.stream}.{consumer.durable}.>"


def _looking(stream: str) -> Iterator[str]:
    yield f"{_API}.STREAM.INFO.{stream}"
    yield f"{_API}.STREAM.MSG.GET.{stream}"
    yield f"{_API}.DIRECT.GET.{stream}"
    yield f"{_API}.DIRECT.GET.{stream}.>"


def _following(stream: Stream) -> Iterator[str]:
    """Yield what a reader needs to make a consumer of its own, which is gone when the reader is."""
    yield f"{_API}.CONSUMER.CREATE.{stream.name}"
    yield f"{_API}.CONSUMER.CREATE.{stream.name}.>"
    yield f"{_API}.CONSUMER.DELETE.{stream.name}.>"
    yield f"{_API}.CONSUMER.INFO.{stream.name}.>"
    yield f"{_API}.CONSUMER.MSG.NEXT.{stream.name}.>"
    yield f"$JS.ACK.{stream.name}.>"
    yield f"$JS.FC.{stream.name}.>"


def _hearing(seat: Seat) -> Iterator[str]:
    """Yield what reads one tenant's messages, and nothing else of a stream that all tenants' are in.

    What is read stands in the subject of the request, as it does not where a sequence is asked for: the last of a
    subject, and a consumer whose name and filter are these. No pattern has a star before its last token, or where a
    tenant could stand: a star lets a ``>`` pass, and the server would then read on from there.
    """
    if seat.tenant is None:
        return
    for kind in seat.row.hears:
        stream, own = stream_of(filter_of(kind)).name, reader_of(seat.name, kind)
        subjects = tenant_filter(kind, seat.tenant)
        yield f"{_API}.DIRECT.GET.{stream}.{subjects}"
        yield f"{_API}.CONSUMER.CREATE.{stream}.{own}.{subjects}"
        yield f"{_API}.CONSUMER.MSG.NEXT.{stream}.{own}"
        yield f"{_API}.CONSUMER.DELETE.{stream}.{own}"
        yield f"$JS.ACK.{stream}.{own}.>"


def _bodies() -> Iterator[str]:
    yield f"$O.{BODIES}.>"
    yield f"{_API}.STREAM.INFO.{BODIES_STREAM}"
    yield f"{_API}.STREAM.MSG.GET.{BODIES_STREAM}"
    yield f"{_API}.STREAM.PURGE.{BODIES_STREAM}"


def _operating() -> Iterator[str]:
    """Yield what sees to the queues and puts dead letters back where they died."""
    for row in TOPOLOGY:
        yield from map(filter_of, (*row.consumes, *row.timers))
    for consumer in consumers():
        if consumer.account is Account.LOCAL:
            yield f"{_API}.CONSUMER.INFO.{consumer.stream}.{consumer.durable}"
    yield f"{_API}.STREAM.MSG.DELETE.{DEAD.name}"
