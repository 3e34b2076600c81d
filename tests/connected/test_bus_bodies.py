"""Bodies in the object store whose record is not what we write: damaged on disk, or put there by a stolen key."""

import base64
import json

import pytest

from harness import Bus
from hybridmesh.bus.bodies import DAMAGED, fetch_body, forget_bodies, keep_body, put_body
from hybridmesh.bus.envelope import BODY_REFERENCE
from hybridmesh.bus.errors import BodyMissing, MeshUnavailable
from hybridmesh.bus.stores import body_subject
from hybridmesh.bus.topology import BODIES

pytestmark = pytest.mark.connected

TASK = "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11"


async def note(bus: Bus, token: str, record: bytes) -> None:
    """Put a record there, as anybody can who may store a body."""
    await bus.js.publish(body_subject(token), record)


def token_of(name: bytes) -> str:
    """Return what stands in the subject for a name."""
    return base64.urlsafe_b64encode(name).decode()


@pytest.mark.parametrize("told", [b"junk", b"", b"[]", {"size": "9"}, {"digest": 5}, {"nuid": ">"}, {"nuid": None}])
async def test_a_record_that_cannot_be_read_is_a_damaged_body(bus: Bus, told: bytes | dict[str, object]) -> None:
    """Nothing is lost: its message is buried in the end, and not tried for ever as if the bus were away."""
    await put_body(bus.js, "whole", b"x" * 300_000)
    info = await (await bus.js.object_store(BODIES)).get_info("whole")
    fields = {"bucket": BODIES, "nuid": info.nuid, "size": info.size, "chunks": 3, "digest": info.digest}
    record = told if isinstance(told, bytes) else json.dumps({"name": "odd", **fields, **told}).encode()
    await note(bus, token_of(b"odd"), record)
    with pytest.raises(MeshUnavailable) as caught:
        await fetch_body(bus.js, {BODY_REFERENCE: "odd"}, b"")
    assert caught.value.reason == DAMAGED
    assert await keep_body(bus.js, {BODY_REFERENCE: "odd", "ce-id": "x"}, "QUEUE:1") is None


async def test_a_record_that_cannot_be_read_keeps_no_other_body_of_its_task(bus: Bus) -> None:
    """Nothing private stays behind: what was stored for a task goes, whatever else bears its name."""
    await note(bus, token_of(TASK.encode() + b"\xff\xff\xff"), b"{}")
    await note(bus, token_of(f"{TASK}_a".encode()), b"junk")
    await put_body(bus.js, f"{TASK}_b", b"private")
    assert await forget_bodies(bus.js, TASK) == 1
    with pytest.raises(BodyMissing):
        await fetch_body(bus.js, {BODY_REFERENCE: f"{TASK}_b"}, b"")
