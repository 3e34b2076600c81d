"""What signatures take of a hop: its message checked, its audit event and the next message signed."""

import time
from base64 import b64encode
from pathlib import Path

from hybridmesh.bus.envelope import SIGNATURE, Envelope, signature_problem, signed_bytes
from hybridmesh.bus.identity import Identity, KeyRing, read_identity

_ROUNDS = 2000
_SIGNED = 2  # a hop: an audit event, and what follows


def signing_ms(keys: Path, body: bytes) -> float:
    """Return the CPU milliseconds a hop, hashing and encoding included, of messages with such a body."""
    identity, ring = read_identity(keys, "router"), KeyRing.read(keys)
    envelope = _signed(identity, body)
    begun = time.process_time()
    for _ in range(_ROUNDS):
        for _ in range(_SIGNED):
            _signed(identity, body)
        if problem := signature_problem(envelope.subject, envelope.headers, body, ring):
            raise AssertionError(problem)
    return (time.process_time() - begun) / _ROUNDS * 1e3


def _signed(identity: Identity, body: bytes) -> Envelope:
    subject = "a.subject.of.usual.length"
    headers = {"ce-id": "0" * 40, "ce-type": "step.local.v1", "ce-source": "/hybridmesh/router", "ce-time": "0" * 24}
    signature = identity.sign(signed_bytes(subject, headers, body))
    return Envelope(subject, {**headers, SIGNATURE: b64encode(signature).decode()}, body)
