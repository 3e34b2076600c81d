"""What an asker hears when the answering agent cannot answer."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hybridmesh.bus.agent import Service
from hybridmesh.bus.envelope import SIGNATURE, signed_bytes
from hybridmesh.bus.errors import MemoryUnavailable, MeshError, UsageError
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.requests import ERROR_HEADER, answer
from hybridmesh.bus.topology import Ask
from hybridmesh.schemas.memory import Forget, ForgetReceipt

PUBLISHER = Identity("publisher", Ed25519PrivateKey.generate())
RING = KeyRing({"publisher": [PUBLISHER.public]})


NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def signed(body: bytes, at: str = NOW.isoformat()) -> dict[str, str]:
    headers = {"ce-source": "/hybridmesh/publisher", "ce-type": "t", "ce-time": at}
    signature = PUBLISHER.sign(signed_bytes(Ask.FORGET, headers, body))
    return {**headers, SIGNATURE: base64.b64encode(signature).decode()}


@pytest.mark.parametrize(
    ("error", "mark"),
    [
        (UsageError("forget what Dana said?", remedy="name it"), "PermanentError:usage"),
        (MemoryUnavailable("Dana"), "MemoryUnavailable:memory-unavailable"),
        (LookupError("Dana"), "TransientError:LookupError"),
    ],
)
async def test_an_error_travels_as_a_kind_and_a_code(error: Exception, mark: str) -> None:
    """Nothing private leaves: bad input is not asked again, and no words of an error go over the bus."""

    async def forget(_: Forget) -> ForgetReceipt:
        raise error

    body = Forget().model_dump_json().encode()
    answered = await answer(Service(Ask.FORGET, Forget, forget), signed(body), body, RING, lambda: NOW)
    assert answered == (b"", {ERROR_HEADER: mark})


async def test_a_request_without_a_signature_reaches_nobody() -> None:
    """Nothing private leaves: the memory hears those alone that the table names."""

    async def forget(_: Forget) -> ForgetReceipt:
        raise MeshError

    _, marks = await answer(Service(Ask.FORGET, Forget, forget), {}, b"{}", RING)
    assert marks == {ERROR_HEADER: "UntrustedMessage:untrusted-message"}


OLD, FUTURE = NOW - timedelta(minutes=61), NOW + timedelta(minutes=61)


@pytest.mark.parametrize("at", [OLD.isoformat(), FUTURE.isoformat(), "", "yesterday", "2026-11-23T09:00:00"])
async def test_a_request_is_not_answered_again_later(at: str) -> None:
    """No one gets in: a request that was kept, or that names no time, reaches nobody, however well it is signed."""

    async def forget(_: Forget) -> ForgetReceipt:
        raise AssertionError

    body = Forget().model_dump_json().encode()
    _, marks = await answer(Service(Ask.FORGET, Forget, forget), signed(body, at), body, RING, lambda: NOW)
    assert marks == {ERROR_HEADER: "UntrustedMessage:untrusted-message"}
