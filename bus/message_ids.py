"""By what a stream drops repeats: ids that their producer alone can make, alike in all its replicas.

What a message is about names it (``task/step/stage/attempt``), and anybody can work such a name out. Who published
first under it would have the stream take the real message for a repeat, and its producer would hear that it is stored.
"""

import hmac

from hybridmesh.bus.identity import Identity

MESSAGE_ID = "Nats-Msg-Id"
_PURPOSE = b"hybridmesh message ids"
_BYTES = 16


class MessageIds:
    """The ids of one identity's messages; they give away neither its key nor what they are made from."""

    def __init__(self, identity: Identity) -> None:
        # HKDF-SHA256 (RFC 5869) without a salt, one block.
        extracted = hmac.digest(bytes(32), identity.key.private_bytes_raw(), "sha256")
        self._key = hmac.digest(extracted, _PURPOSE + b"\x01", "sha256")

    def of(self, name: str) -> str:
        """Return the id of what has this name."""
        return hmac.digest(self._key, name.encode("utf-8", "surrogatepass"), "sha256")[:_BYTES].hex()
