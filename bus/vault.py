"""The vault: surrogate to original, encrypted, one record a scope; to forget a scope is to drop its key.

Each scope (a task, or a conversation) has a random data key, wrapped by the key-encryption key with AES-256-GCM;
each value is AES-256-GCM under the data key, bound to its scope and surrogate. Both stand in one record, so that a
change by compare-and-swap keeps replicas agreed, and one purge leaves nothing.
"""

import os
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hybridmesh.bus.agent import Clock
from hybridmesh.bus.errors import PermanentError, TransientError
from hybridmesh.bus.state import State
from hybridmesh.schemas.message import Frozen

_KEY_BYTES = 32
_NONCE_BYTES = 12
_RECORD_BYTES_MOST = 900_000  # below the server's limit of 1 MiB a message


class VaultRecord(Frozen):
    """A scope as it is stored: the wrapped data key and the encrypted values by surrogate (base64)."""

    wrapped_key: str
    expires_at: datetime
    values: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class ScopeKeys:
    """What an agent needs of an open scope: the key that its surrogates are minted with."""

    scope: str
    surrogate_key: bytes = field(repr=False)


class Vault:
    """Encrypted originals by scope, in a key-value bucket shared by all replicas.

    ``kek`` is the 32-byte key-encryption key; ``ttl_s`` is how long a scope lives after it was opened. Every call
    raises MeshUnavailable when the bus does not answer, and PermanentError (``vault-missing``, ``vault-unreadable``)
    when a scope is gone or does not decrypt: nothing may be sent or restored then.
    """

    def __init__(self, state: State[VaultRecord], kek: bytes, clock: Clock, *, ttl_s: float) -> None:
        if len(kek) != _KEY_BYTES:
            raise ValueError("the key-encryption key has 32 bytes")
        self._state = state
        self._kek = AESGCM(kek)
        self._clock = clock
        self._ttl = timedelta(seconds=ttl_s)

    async def open(self, scope: str) -> ScopeKeys:
        """Return the scope's keys; made at the first call, and the same in every replica from then on."""
        fresh = VaultRecord(wrapped_key=self._wrap(scope, os.urandom(_KEY_BYTES)), expires_at=self._clock() + self._ttl)

        def create(record: VaultRecord | None) -> VaultRecord:
            return fresh if record is None or self._is_over(record) else record

        record = await self._state.change(scope, create)
        data_key = self._unwrap(scope, record)
        return ScopeKeys(scope, HKDF(SHA256(), _KEY_BYTES, None, b"hybridmesh surrogates v1").derive(data_key))

    async def put(self, scope: str, mapping: Mapping[str, str]) -> None:
        """Add surrogates and their originals; those that are there stay.

        Raises:
            TransientError: another replica has given one of the surrogates to another value (``vault-conflict``):
                read the originals again and mint a longer one.
            PermanentError: the scope is gone, or full (``vault-full``).

        """

        def add(record: VaultRecord | None) -> VaultRecord:
            record, cipher = self._read(scope, record)
            stored = {
                surrogate: _decrypt(cipher, scope, surrogate, record)
                for surrogate in mapping
                if surrogate in record.values
            }
            if any(mapping[surrogate] != value for surrogate, value in stored.items()):
                raise TransientError(reason="vault-conflict", retry_after_s=0)
            new = {surrogate: value for surrogate, value in mapping.items() if surrogate not in stored}
            if not new:
                return record
            sealed = {surrogate: _encrypt(cipher, scope, surrogate, value) for surrogate, value in new.items()}
            changed = record.model_copy(update={"values": {**record.values, **sealed}})
            if len(changed.model_dump_json()) > _RECORD_BYTES_MOST:
                raise PermanentError(reason="vault-full")
            return changed

        await self._state.change(scope, add)

    async def originals(self, scope: str) -> dict[str, str]:
        """Return every surrogate of the scope with its original."""
        record, cipher = self._read(scope, await self._state.get(scope))
        return {surrogate: _decrypt(cipher, scope, surrogate, record) for surrogate in record.values}

    async def forget(self, scope: str) -> None:
        """Drop the scope: its key and its values, with their history."""
        await self._state.delete(scope)

    async def sweep(self) -> int:
        """Drop the scopes whose time is over; return how many."""
        return sum([await self._state.discard(scope, self._is_over) for scope in await self._state.records()])

    def _read(self, scope: str, record: VaultRecord | None) -> tuple[VaultRecord, AESGCM]:
        if record is None or self._is_over(record):
            raise PermanentError(reason="vault-missing")
        return record, AESGCM(self._unwrap(scope, record))

    def _is_over(self, record: VaultRecord) -> bool:
        return self._clock() >= record.expires_at

    def _wrap(self, scope: str, key: bytes) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        return b64encode(nonce + self._kek.encrypt(nonce, key, scope.encode())).decode()

    def _unwrap(self, scope: str, record: VaultRecord | None) -> bytes:
        if record is None:
            raise PermanentError(reason="vault-missing")
        return _open(self._kek, record.wrapped_key, scope.encode())


def _encrypt(cipher: AESGCM, scope: str, surrogate: str, value: str) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return b64encode(
        nonce + cipher.encrypt(nonce, value.encode("utf-8", "surrogatepass"), _bound(scope, surrogate))
    ).decode()


def _decrypt(cipher: AESGCM, scope: str, surrogate: str, record: VaultRecord) -> str:
    return _open(cipher, record.values[surrogate], _bound(scope, surrogate)).decode("utf-8", "surrogatepass")


def _open(cipher: AESGCM, sealed: str, bound: bytes) -> bytes:
    try:
        body = b64decode(sealed, validate=True)
        return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], bound)
    except (InvalidTag, BadBase64, ValueError) as error:
        raise PermanentError(reason="vault-unreadable") from error


def _bound(scope: str, surrogate: str) -> bytes:
    return f"{scope}|{surrogate}".encode()
