"""No one gets in by the server's own subjects: those of its services, of its cluster, and of others' inboxes."""

import asyncio
import json

import pytest
from nats.aio.msg import Msg

from bus_surface import NAMES, STREAMS, covers, refusals
from guarded_bus import Guarded
from hybridmesh.bus.borders import PROVISIONERS, inbox_of
from hybridmesh.bus.seats import seat_of
from hybridmesh.bus.stores import chunk_subject
from hybridmesh.bus.topology import Bucket, bucket_subject, consumers
from hybridmesh.infra.nats.permissions import permissions_of

# Discovery, leaf nodes, gateways and routes, the system's own account, other protocols, and what JetStream says of
# itself or hears from its servers. An account of its own has them too, and a reply subject may name them.
_SERVERS = (
    "$SRV.PING", "$SRV.INFO.x", "$SRV.STATS.x.y", "$LDS.x", "$GNR.x", "_GR_.x.y.z", "$GR.x", "$NRG.V.x", "$NRG.AE.x.y",
    "$NRG.P.x", "$NRG.R.x", "$JSC.CI.x.y.z", "$JSC.R.x", "$MQTT.msgs.x", "$MQTT.sess.x", "_R_.x", "_R_.x.y",
    "$SYS.REQ.SERVER.PING.VARZ", "$SYS.REQ.SERVER.x.RELOAD", "$SYS.REQ.ACCOUNT.LOCAL.JSZ", "$SYS.REQ.USER.INFO",
    "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.STATZ",
    "$SYS.REQ.CLAIMS.UPDATE", "$SYS.ACCOUNT.LOCAL.CONNECT", "$SYS.SERVER.x.SHUTDOWN",
    "$JS.EVENT.ADVISORY.API", "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.x.y", "$JS.EVENT.METRIC.CONSUMER.ACK.x.y",
    "$JS.SNAPSHOT.ACK.x.y", "$JS.SNAPSHOT.RESTORE.x.y", "$JS.M.x", "$JS.ADVISORY.x", "$JS.hub.API.INFO",
    "$JS.LOCAL.API.STREAM.LIST", "$JS.API.META.LEADER.STEPDOWN", "$JS.API.SERVER.REMOVE", "$JS.API.ACCOUNT.INFO",
    "$JS.API.ACCOUNT.PURGE.LOCAL", "$JS.API.ACCOUNT.STREAM.MOVE.LOCAL.AUDIT", "$JS.API.STREAM.TEMPLATE.CREATE.x",
    "$JS.API.x.y",
)  # fmt: skip


def _everything() -> list[str]:
    """Return a subject for each thing that a server or another client would take for its own."""
    found = [*_SERVERS, "_INBOX.x", "_INBOX.x.y", chunk_subject("x"), "$O.x", "$O.other.M.x", "$KV.other.x"]
    found += [f"{inbox_of(name)}.x.y" for name in (*NAMES, *PROVISIONERS, "submitter-acme", "reader-globex")]
    found += [bucket_subject(bucket, key) for bucket in Bucket for key in ("x.y", *(f"{name}.x" for name in NAMES))]
    for consumer in consumers():
        place = f"{consumer.stream}.{consumer.durable}"
        found += [f"$JS.FC.{place}.x", f"$JS.ACK.{place}.1.1.1.1.1", f"$JS.ACK._.hash.{place}.1.1.1.1.1.x"]
        calls = ("RESET", "UNPIN", "PAUSE", "LEADER.STEPDOWN", "DELETE", "NAMES", "LIST")
        found += [f"$JS.API.CONSUMER.{call}.{place}" for call in calls]
        found += [f"$JS.LOCAL.API.CONSUMER.MSG.NEXT.{place}", f"$JS.CLOUD.API.CONSUMER.MSG.NEXT.{place}"]
    for stream in STREAMS:
        found += [f"$JS.FC.{stream}.x.y", f"$JS.LOCAL.API.STREAM.MSG.GET.{stream}", f"$JS.API.DIRECT.GET.{stream}.x"]
    return sorted(set(found))


_HEARD = (
    "$SRV.>", "$LDS.>", "$GNR.>", "_GR_.>", "$GR.>", "$NRG.>", "$JSC.>", "$MQTT.>", "_R_.>", "$SYS.>", "$SYS.REQ.>",
    "$SYS.ACCOUNT.LOCAL.>", "$SYS.REQ.USER.INFO", "$JS.EVENT.>", "$JS.EVENT.ADVISORY.>", "$JS.ACK.>", "$JS.FC.>",
    "$JS.API.>", "$JS.SNAPSHOT.>", "$JS.M.>", "$JS.*.API.>", "$JSC.CI.>", "$O.>", "$KV.>", "_INBOX.>", "_INBOX.*",
    "*", "*.*", "*.*.*",
)  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES, "submitter-acme", "reader-acme"])
async def test_an_identity_says_nothing_to_servers_and_to_nobody_elses_inbox(visitor: Guarded, name: str) -> None:
    """No one gets in: of what servers, other consumers, other records and other clients would hear, all is refused."""
    client = await visitor.connect(name)
    subjects = _everything()
    for subject in subjects:
        await client.publish(subject, b"")
    allowed = permissions_of(seat_of(name)).publish
    expected = {subject.lower() for subject in subjects if not covers(allowed, subject)}
    assert await refusals(visitor, name, client) == expected
    assert {subject.lower() for subject in _SERVERS} <= expected


@pytest.mark.parametrize("name", [*NAMES, "submitter-acme", "reader-acme"])
async def test_an_identity_hears_nothing_of_servers_and_of_nobody_elses_inbox(visitor: Guarded, name: str) -> None:
    """Nothing private leaves: neither by a plain subscription nor by one of a queue."""
    client = await visitor.connect(name)
    others = [other for other in (*NAMES, *PROVISIONERS, "submitter-acme", "reader-globex") if other != name]
    subjects = [*_HEARD, *(f"{inbox_of(other)}{end}" for other in others for end in ("", ".*", ".>", ".x"))]
    for subject in subjects:
        await client.subscribe(subject)
        await client.subscribe(subject, queue="x")
    expected = {subject.lower() for subject in subjects}
    assert await refusals(visitor, name, client) == expected


@pytest.mark.parametrize("name", PROVISIONERS)
async def test_who_makes_the_streams_of_an_account_has_nothing_of_the_servers(visitor: Guarded, name: str) -> None:
    """No one gets in: it hears what is said in its own account, and the system tells it of that one alone."""
    client = await visitor.connect(name)
    heard: list[str] = []

    async def hear(message: Msg) -> None:
        heard.append(message.subject)

    (other,) = PROVISIONERS.keys() - {name}
    away = await visitor.connect(other)
    await client.subscribe(">", cb=hear)
    said = ("$SYS.REQ.SERVER.PING", "$SYS.ACCOUNT.LOCAL.CONNECT", f"{inbox_of(name)}.x.y", "other.x")
    for subject in said:
        await away.publish(subject, b"", reply=f"{inbox_of(name)}.answer")
        await client.publish(subject, b"", reply=f"{inbox_of(name)}.answer")
    await away.flush()
    await client.flush()
    await asyncio.sleep(0.3)
    assert sorted(heard) == sorted(said)
    told = json.loads((await client.request("$SYS.REQ.ACCOUNT.PING.CONNZ", b"", timeout=5)).data)
    assert {at["cid"] for at in told["data"]["connections"]} == {client.client_id}
