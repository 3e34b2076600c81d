"""No one gets in by a header: what a message asks of the stream that keeps it, beyond being kept."""

import asyncio

import pytest
from nats.js import JetStreamContext
from nats.js.errors import APIError

from bus_surface import NAMES, concrete
from guarded_bus import SETTINGS, Guarded
from hybridmesh.bus.borders import PROVISIONERS
from hybridmesh.bus.presence import BEAT_S, Attendance, Presence
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.seats import seat_of
from hybridmesh.bus.stores import BUCKET_AGES_S, BUCKETS_IN_PARTS, account_of
from hybridmesh.bus.topology import Account, Bucket, bucket_stream, bucket_subject, row_of, streams
from hybridmesh.infra.nats.permissions import permissions_of
from hybridmesh.infra.provision import provision_bus

_ROLL_UP = "Nats-Rollup"


def _kept() -> dict[str, tuple[Account, str]]:
    """Return a subject of each stream, whose message is somebody else's, and in which account it is."""
    found = {stream.name: (stream.account, concrete(stream.subjects[0])) for stream in streams()}
    return found | {bucket_stream(item): (account_of(item), bucket_subject(item, "other.x")) for item in Bucket}


async def _sides(guarded: Guarded) -> dict[Account, JetStreamContext]:
    return {home: (await guarded.connect(name)).jetstream() for name, home in PROVISIONERS.items()}


@pytest.mark.parametrize("name", NAMES)
async def test_an_identity_rolls_up_nothing_but_what_is_all_its_own(guarded: Guarded, name: str) -> None:
    """Nothing is lost: whoever may write one key of a bucket, or one type of a queue, empties it of no other."""
    sides = await _sides(guarded)
    for account, subject in _kept().values():
        await sides[account].publish(subject, b"{}")
    client = await guarded.connect(name)
    for subject in permissions_of(seat_of(name)).publish:
        if not subject.startswith(("$JS.", "$O.")):
            for scope in ("all", "sub"):
                await client.publish(concrete(subject), b"{}", headers={_ROLL_UP: scope})
    await client.flush()
    await asyncio.sleep(0.3)
    row = row_of(name)
    own = {bucket_stream(bucket) for bucket in (*row.keeps, *row.governs)}
    emptied = {
        stream
        for stream, (account, subject) in _kept().items()
        if not (await sides[account].stream_info(stream, subjects_filter=subject)).state.subjects
    }
    assert emptied <= own


@pytest.mark.parametrize("name", ["router", "consultant"])
async def test_an_agent_that_leaves_takes_its_record_away(guarded: Guarded, name: str) -> None:
    """Nothing is hidden: it needs no header for that, in its own account and over the border."""
    links = await guarded.links(name)
    attendance = Attendance(links.state(Bucket.AGENTS, Presence), name, utc_now)
    records = (await guarded.links("publisher")).state(Bucket.AGENTS, Presence)
    await attendance.renew(0, 0)
    assert [record.agent for record in (await records.records()).values()] == [name]
    await attendance.leave()
    assert await records.records() == {}


async def test_a_bucket_of_before_is_brought_in_line(guarded: Guarded) -> None:
    """Nothing is lost: provisioning takes the header away from buckets that are there, and keeps their records."""
    js = (await guarded.connect("provisioner")).jetstream()
    for bucket in BUCKETS_IN_PARTS:
        config = (await js.stream_info(bucket_stream(bucket))).config
        await js.update_stream(config.evolve(allow_rollup_hdrs=True, max_age=30.0, duplicate_window=30.0))
        await js.publish(bucket_subject(bucket, "other.x"), b"{}")
    await provision_bus(guarded.server.url, SETTINGS, replicas=1, keys=guarded.keys)
    for bucket in BUCKETS_IN_PARTS:
        with pytest.raises(APIError, match="rollup"):
            await js.publish(bucket_subject(bucket, "x.x"), b"{}", headers={_ROLL_UP: "all"})
        assert (await js.stream_info(bucket_stream(bucket))).config.max_age == BUCKET_AGES_S[bucket]
        assert await guarded.stored(bucket_stream(bucket)) == 1


def test_who_was_killed_is_gone_from_the_list_when_its_fourth_beat_is_missed() -> None:
    """Nothing is hidden: a replica whose beat fails once by the time that it may take is there all the same."""
    assert BUCKET_AGES_S[Bucket.AGENTS] == 4 * BEAT_S
