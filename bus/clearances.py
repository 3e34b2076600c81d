"""Clearances: the classifier's Ed25519 signature over the hash of an exact prompt, made and checked."""

import hashlib
from datetime import datetime

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hybridmesh.bus.errors import UntrustedMessage
from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.privacy import Clearance


def signed_bytes(clearance: Clearance) -> bytes:
    """Return what the signature covers: RFC 8785 canonical JSON of every field but the signature."""
    return rfc8785.dumps(clearance.model_dump(mode="json", exclude={"signature"}))


def key_id_of(public_key: Ed25519PublicKey) -> str:
    """Return the name of a key: the first 16 hex digits of the SHA-256 of its 32 raw bytes."""
    return hashlib.sha256(public_key.public_bytes_raw()).hexdigest()[:16]


def sign_clearance(clearance: Clearance, private_key: Ed25519PrivateKey) -> Clearance:
    """Return the clearance with the key's id and signature."""
    named = clearance.model_copy(update={"key_id": key_id_of(private_key.public_key()), "signature": ""})
    return named.model_copy(update={"signature": private_key.sign(signed_bytes(named)).hex()})


def check_clearance(
    clearance: Clearance | None,
    prompt: Prompt,
    public_key: Ed25519PublicKey,
    now: datetime,
    task_id: str,
    step_id: str,
    attempt: int,
) -> None:
    """Return when the prompt may leave, for this attempt of this step.

    Raises:
        UntrustedMessage: the reason is ``clearance-missing``, ``clearance-unknown-key``, ``clearance-altered``,
            ``clearance-expired``, ``clearance-wrong-step`` or ``clearance-wrong-prompt``.

    """
    if clearance is None or not clearance.signature:
        raise UntrustedMessage(reason="clearance-missing")
    if clearance.key_id != key_id_of(public_key):
        raise UntrustedMessage(reason="clearance-unknown-key")
    try:
        public_key.verify(bytes.fromhex(clearance.signature), signed_bytes(clearance))
    except (InvalidSignature, ValueError) as error:
        raise UntrustedMessage(reason="clearance-altered") from error
    if (clearance.task_id, clearance.step_id, clearance.attempt) != (task_id, step_id, attempt):
        raise UntrustedMessage(reason="clearance-wrong-step")
    if now >= clearance.expires_at:
        raise UntrustedMessage(reason="clearance-expired")
    if clearance.prompt_sha256 != prompt.digest():
        raise UntrustedMessage(reason="clearance-wrong-prompt")
