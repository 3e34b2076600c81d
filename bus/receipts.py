"""Receipts: a signed statement that a scope of the vault was forgotten, to be kept by whoever asked for it."""

from datetime import datetime

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hybridmesh.bus.clearances import key_id_of
from hybridmesh.bus.errors import UntrustedMessage
from hybridmesh.bus.identity import Identity
from hybridmesh.bus.vault import Forgotten
from hybridmesh.schemas.message import Frozen


class Receipt(Frozen):
    """What was forgotten, when and by whom; how many values, never which.

    ``key_id`` and ``data_key_id`` are those of :class:`~hybridmesh.bus.vault.Forgotten`; ``signer_key_id`` names the
    signer's public key, and ``signature`` is Ed25519 (hex) over the RFC 8785 JSON of all other fields.
    """

    scope: str
    at: datetime
    values: int
    key_id: str
    data_key_id: str
    signer: str
    signer_key_id: str
    signature: str = ""


def sign_receipt(forgotten: Forgotten, signer: Identity) -> Receipt:
    """Return the receipt in the signer's name."""
    receipt = Receipt(
        scope=forgotten.scope,
        at=forgotten.at,
        values=forgotten.values,
        key_id=forgotten.key_id,
        data_key_id=forgotten.data_key_id,
        signer=signer.name,
        signer_key_id=key_id_of(signer.public),
    )
    return receipt.model_copy(update={"signature": signer.sign(_signed_bytes(receipt)).hex()})


def check_receipt(receipt: Receipt, public_key: Ed25519PublicKey) -> None:
    """Return when the receipt is that key's, word for word; raises UntrustedMessage (``receipt-altered``)."""
    try:
        public_key.verify(bytes.fromhex(receipt.signature), _signed_bytes(receipt))
    except (InvalidSignature, ValueError) as error:
        raise UntrustedMessage(reason="receipt-altered") from error


def _signed_bytes(receipt: Receipt) -> bytes:
    return rfc8785.dumps(receipt.model_dump(mode="json", exclude={"signature"}))
