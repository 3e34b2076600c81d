"""Ids by which streams drop repeats: a producer's own, so that nobody can have another's message dropped."""

import asyncio
import hmac
from datetime import UTC, datetime
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from harness import Bus
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.identity import Identity
from hybridmesh.bus.message_ids import MessageIds
from hybridmesh.bus.publisher import Publisher
from hybridmesh.bus.topology import AUDIT, DEAD, dead_subject, subject_of
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.steps import StepReady
from queue_bench import make_ready, working

pytestmark = pytest.mark.connected

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CLEARED = AuditEvent(agent="classifier", action=Action.PROMPT_CLEARED, at=NOW, task_id=new_task_id(), step_id="a")
DECOY = AuditEvent(agent="consultant", action=Action.AGENT_STARTED, at=NOW)


async def recorded(bus: Bus) -> list[str]:
    """Whose events the log has."""
    count = await bus.count(AUDIT.name)
    return [AuditEvent.model_validate_json(body).agent for body in await bus.collect(AuditEvent, count)]


@pytest.mark.parametrize("through", ["client", "publisher"])
async def test_nobody_takes_anothers_place_in_the_log(bus: Bus, through: str) -> None:
    """Nothing is hidden: an event is stored also where somebody has been there under its name."""
    consultant, classifier = await bus.links("consultant"), await bus.links("classifier")
    sealed = seal(DECOY, consultant.identity, NOW)
    sealed.headers["Nats-Msg-Id"] = CLEARED.identity()
    if through == "client":
        await bus.js.publish(sealed.subject, sealed.body, headers=dict(sealed.headers))
    else:
        await consultant.publisher.send(sealed)
    await classifier.publisher.record(CLEARED)
    assert await recorded(bus) == ["consultant", "classifier"]


async def test_nobody_takes_a_dead_letters_place(bus: Bus) -> None:
    """Nothing is lost: what is buried is there, whoever has published under the number of its place."""
    ready = subject_of(make_ready())
    await bus.js.publish(dead_subject(ready), b"decoy", headers={"Nats-Msg-Id": "dead:WORK_CLASSIFIER.1"})

    async def fail(_: StepReady) -> tuple[()]:
        raise AssertionError

    async with working(bus, fail):
        await bus.js.publish(ready, b"junk")
        async with asyncio.timeout(20):
            while await bus.count(DEAD.name) < 2:
                await asyncio.sleep(0.05)


async def test_replicas_store_a_message_once(bus: Bus) -> None:
    """Nothing is done twice: replicas share their key, and so their ids."""
    for _ in range(2):
        await (await bus.links("classifier")).publisher.record(CLEARED)
    assert await recorded(bus) == ["classifier"]


async def test_a_stored_id_tells_nothing_and_the_events_own_stays(bus: Bus) -> None:
    """Nothing is hidden: readers find the event's id, signed, and a stranger to the key cannot make the stored one."""
    links = await bus.links("classifier")
    await links.publisher.record(CLEARED)
    stored = cast("dict[str, str]", (await bus.js.get_msg(AUDIT.name, seq=1)).headers or {})
    assert stored["ce-id"] == CLEARED.identity()
    assert stored["Nats-Msg-Id"] == MessageIds(links.identity).of(CLEARED.identity())
    other = Identity("classifier", Ed25519PrivateKey.generate())
    await Publisher(bus.js, other, max_body_bytes=9).record(CLEARED)
    assert await bus.count(AUDIT.name) == 2


def test_the_key_of_ids_is_derived_as_the_standard_says() -> None:
    """Nothing is hidden: by HKDF of the key that signs, which no id can give away."""
    identity = Identity("router", Ed25519PrivateKey.generate())
    key = HKDF(SHA256(), length=32, salt=None, info=b"hybridmesh message ids").derive(identity.key.private_bytes_raw())
    assert MessageIds(identity).of("a/b") == hmac.digest(key, b"a/b", "sha256").hex()[:32]
