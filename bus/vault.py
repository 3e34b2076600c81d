"""The vault: surrogate to original, encrypted, one record a scope; to forget a scope is to drop its key.

Each scope (a task, or a conversation) has a random data key, wrapped by a key-encryption key with AES-256-GCM;
each value is AES-256-GCM under the data key, bound to its scope and surrogate. Both stand in one record, so that a
change by compare-and-swap keeps replicas agreed, and one purge leaves nothing.
"""

import os
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hybridmesh.bus.agent import Clock
from hybridmesh.bus.errors import PermanentError, TransientError
from hybridmesh.bus.state import State
from hybridmesh.bus.vault_keys import KEY_BYTES, OneKey, VaultKey, VaultKeys
from hybridmesh.schemas.message import Frozen
from hybridmesh.schemas.surrogates import stands_for_number

_NONCE_BYTES = 12
_RECORD_BYTES_MOST = 900_000  # below the server's limit of 1 MiB a message


class Forgotten(Frozen):
    """What is known of a scope that was forgotten; no values.

    ``key_id`` names the key-encryption key that the scope's data key was wrapped by (empty: not noted at the time),
    ``data_key_id`` is the SHA-256 (16 hex digits) of the wrapped data key that was dropped.
    """

    scope: str
    at: datetime
    values: int
    key_id: str
    data_key_id: str


class VaultRecord(Frozen):
    """A scope as it is stored: the wrapped data key and the encrypted values by surrogate (base64).

    ``key_id`` names the key-encryption key. Of a ``forgotten`` scope neither key nor values are left.
    """

    wrapped_key: str
    expires_at: datetime
    values: dict[str, str] = {}
    key_id: str = ""
    forgotten: Forgotten | None = None


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What a pass over all scopes did: how many got the current key, and how many no key here can read."""

    moved: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class ScopeKeys:
    """What an agent needs of an open scope: the key that its surrogates are minted with."""

    scope: str
    surrogate_key: bytes = field(repr=False)


class Vault:
    """Encrypted originals by scope, in a key-value bucket shared by all replicas.

    ``keys`` are the key-encryption keys, or the 32 bytes of the only one; ``ttl_s`` is how long a scope lives after it
    was opened, ``most_bytes`` how large its record may become. Every call raises MeshUnavailable when the bus does not
    answer, and PermanentError (``vault-missing``, ``vault-unreadable``, ``vault-key-missing``) when a scope or key is
    gone or does not decrypt: nothing may be sent or restored then.
    """

    def __init__(
        self,
        state: State[VaultRecord],
        keys: VaultKeys | bytes,
        clock: Clock,
        *,
        ttl_s: float,
        most_bytes: int = _RECORD_BYTES_MOST,
    ) -> None:
        self._state = state
        self._keys = OneKey(keys) if isinstance(keys, bytes) else keys
        self._clock = clock
        self._ttl = timedelta(seconds=ttl_s)
        self._most_bytes = most_bytes

    async def open(self, scope: str) -> ScopeKeys:
        """Return the scope's keys; made at the first call, and the same in every replica from then on."""
        fresh = os.urandom(KEY_BYTES)

        def create(record: VaultRecord | None) -> VaultRecord:
            if record is not None and not self._is_over(record):
                return record
            current = self._keys.current()  # at each try: a rotation may have come in between
            wrapped = _wrap(current, scope, fresh)
            return VaultRecord(wrapped_key=wrapped, key_id=current.id, expires_at=self._clock() + self._ttl)

        record = await self._state.change(scope, create)
        data_key = self._unwrap(scope, record)
        return ScopeKeys(scope, HKDF(SHA256(), KEY_BYTES, None, b"hybridmesh surrogates v1").derive(data_key))

    async def put(self, scope: str, mapping: Mapping[str, str]) -> None:
        """Add surrogates and their originals; those that are there stay.

        Raises:
            TransientError: another replica has given one of the surrogates to another value, or one of the values
                another surrogate of its form, text or number (``vault-conflict``): read the originals again and go
                by them.
            PermanentError: the scope is gone, or full (``vault-full``).

        """

        def add(record: VaultRecord | None) -> VaultRecord:
            record, cipher = self._read(scope, record)
            stored = {surrogate: _decrypt(cipher, scope, surrogate, record) for surrogate in record.values}
            new = {surrogate: value for surrogate, value in mapping.items() if stored.get(surrogate) != value}
            if not new:
                return record
            if new.keys() & stored.keys() or _forms(new) & _forms(stored):
                raise TransientError(reason="vault-conflict", retry_after_s=0)
            sealed = {surrogate: _encrypt(cipher, scope, surrogate, value) for surrogate, value in new.items()}
            changed = record.model_copy(update={"values": {**record.values, **sealed}})
            if len(changed.model_dump_json()) > self._most_bytes:
                raise PermanentError(reason="vault-full")
            return changed

        await self._state.change(scope, add)

    async def originals(self, scope: str) -> dict[str, str]:
        """Return every surrogate of the scope with its original."""
        record, cipher = self._read(scope, await self._state.get(scope))
        return {surrogate: _decrypt(cipher, scope, surrogate, record) for surrogate in record.values}

    async def forget(self, scope: str) -> Forgotten:
        """Drop the scope's key and values, and return what the receipt says; the same when it was forgotten before.

        The note that is left goes with :meth:`erase`, once the receipt is on record.

        Raises:
            PermanentError: there is no such scope (``vault-missing``).

        """
        now = self._clock()

        def empty(record: VaultRecord | None) -> VaultRecord | None:
            if record is None or record.forgotten is not None:
                return record
            note = Forgotten(
                scope=scope,
                at=now,
                values=len(record.values),
                key_id=record.key_id,
                data_key_id=sha256(record.wrapped_key.encode()).hexdigest()[:16],
            )
            return VaultRecord(wrapped_key="", expires_at=now + self._ttl, forgotten=note)

        record = await self._state.change(scope, empty)
        if record is None or record.forgotten is None:
            raise PermanentError("nothing is kept of that scope", reason="vault-missing")
        return record.forgotten

    async def erase(self, scope: str) -> None:
        """Remove all that is stored under the scope, with its history."""
        await self._state.delete(scope)

    async def rewrap(self) -> Rewrapped:
        """Wrap the data key of every living scope by the current key; values stay as they are. Safe at any time."""
        moved = unreadable = 0
        trail = self._state.trail()
        async for scope, seen in trail.readable():
            if seen is None or self._is_over(seen) or seen.key_id == self._keys.current().id:
                continue
            try:
                after = await self._state.change(scope, partial(self._moved, scope))
            except PermanentError:
                unreadable += 1
            else:
                moved += after is not None
        return Rewrapped(moved, unreadable + trail.unreadable)

    async def sweep(self) -> int:
        """Drop the scopes whose time is over; return how many. One that cannot be read holds none of the others up."""
        removed = 0
        async for scope, seen in self._state.trail().readable():
            if seen is not None and self._is_past(seen):
                removed += await self._state.discard(scope, self._is_past)
        return removed

    def _moved(self, scope: str, record: VaultRecord | None) -> VaultRecord | None:
        current = self._keys.current()
        if record is None or self._is_over(record) or record.key_id == current.id:
            return record
        wrapped = _wrap(current, scope, self._unwrap(scope, record))
        return record.model_copy(update={"wrapped_key": wrapped, "key_id": current.id})

    def _read(self, scope: str, record: VaultRecord | None) -> tuple[VaultRecord, AESGCM]:
        if record is None or self._is_over(record):
            raise PermanentError(reason="vault-missing")
        return record, AESGCM(self._unwrap(scope, record))

    def _is_over(self, record: VaultRecord) -> bool:
        return record.forgotten is not None or self._is_past(record)

    def _is_past(self, record: VaultRecord) -> bool:
        return self._clock() >= record.expires_at

    def _unwrap(self, scope: str, record: VaultRecord | None) -> bytes:
        """Try the keys that the record may be wrapped by: those of its id, or all where none was noted."""
        if record is None:
            raise PermanentError(reason="vault-missing")
        for key in self._keys.every():
            if record.key_id in ("", key.id):
                try:
                    return open_sealed(key.secret, record.wrapped_key, scope.encode())
                except PermanentError:
                    continue
        raise PermanentError(reason="vault-unreadable")


def _forms(mapping: Mapping[str, str]) -> set[tuple[str, bool]]:
    """Return the values, each with whether it is a number of JSON: as text and as number it has a surrogate each."""
    return {(value, stands_for_number(surrogate)) for surrogate, value in mapping.items()}


def _wrap(key: VaultKey, scope: str, data_key: bytes) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return b64encode(nonce + AESGCM(key.secret).encrypt(nonce, data_key, scope.encode())).decode()


def _encrypt(cipher: AESGCM, scope: str, surrogate: str, value: str) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return b64encode(
        nonce + cipher.encrypt(nonce, value.encode("utf-8", "surrogatepass"), _bound(scope, surrogate))
    ).decode()


def _decrypt(cipher: AESGCM, scope: str, surrogate: str, record: VaultRecord) -> str:
    return _open(cipher, record.values[surrogate], _bound(scope, surrogate)).decode("utf-8", "surrogatepass")


def open_sealed(key: bytes, sealed: str, bound: bytes) -> bytes:
    """Return what was sealed under a key and bound to its place; raises PermanentError (``vault-unreadable``)."""
    return _open(AESGCM(key), sealed, bound)


def _open(cipher: AESGCM, sealed: str, bound: bytes) -> bytes:
    try:
        body = b64decode(sealed, validate=True)
        return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], bound)
    except (InvalidTag, BadBase64, ValueError) as error:
        raise PermanentError(reason="vault-unreadable") from error


def _bound(scope: str, surrogate: str) -> bytes:
    return f"{scope}|{surrogate}".encode()
