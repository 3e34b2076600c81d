"""The vault's key-encryption keys in the keys folder: the current one, and those that scopes may still be wrapped by.

``vault.kek`` is the current key, ``vault-ID.kek`` a former one that a rotation has not finished with, and
``vault-next.kek`` one that is about to be the current one. They are read anew whenever it matters, so that agents
follow a rotation while they run.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from hybridmesh.bus.errors import PermanentError
from hybridmesh.bus.secret_files import write_secret

KEY_BYTES = 32
CURRENT, NEXT = "vault.kek", "vault-next.kek"


@dataclass(frozen=True, slots=True)
class VaultKey:
    """A key-encryption key; ``id`` tells keys apart and nothing of the key."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError("the key-encryption key has 32 bytes")

    @property
    def id(self) -> str:
        """The first 16 hex digits of a SHA-256 that is used for nothing else."""
        return sha256(b"hybridmesh vault key id\x00" + self.secret).hexdigest()[:16]


class VaultKeys(Protocol):
    """Where the vault gets its keys; PermanentError (``vault-key-missing``) when they are gone."""

    def current(self) -> VaultKey:
        """Return the key that new scopes are wrapped by."""
        ...

    def every(self) -> Iterator[VaultKey]:
        """Yield each key that a scope may be wrapped by, the likeliest first."""
        ...


class OneKey:
    """A single key that does not change."""

    def __init__(self, secret: bytes) -> None:
        self._key = VaultKey(secret)

    def current(self) -> VaultKey:
        """Return the key."""
        return self._key

    def every(self) -> Iterator[VaultKey]:
        """Yield the key."""
        yield self._key


class KeyFolder:
    """The keys as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def current(self) -> VaultKey:
        """Return the key that new scopes are wrapped by."""
        return self._read(self._folder / CURRENT)

    def every(self) -> Iterator[VaultKey]:
        """Yield the current key, former ones, and the one that is about to be current."""
        yield self.current()
        for path in (*self._formers(), self._folder / NEXT):
            if path.exists():
                yield self._read(path)

    def is_rotating(self) -> bool:
        """Say whether a rotation was begun that has not ended."""
        return (self._folder / NEXT).exists() or bool(self._formers())

    def advance(self) -> None:
        """Make a new key the current one and keep the old one beside it; finishes what an earlier call began.

        Whenever it is cut off, each key that a scope may be wrapped by is in the folder.
        """
        if not self.is_rotating():
            write_secret(self._folder / NEXT, secrets.token_bytes(KEY_BYTES))
        if not (self._folder / NEXT).exists():
            return
        old = self.current()
        write_secret(self._folder / f"vault-{old.id}.kek", old.secret)
        (self._folder / NEXT).replace(self._folder / CURRENT)
        self._sync()

    def retire(self) -> None:
        """Destroy the former keys: what is still wrapped by one of them is lost."""
        for path in self._formers():
            path.unlink(missing_ok=True)
        self._sync()

    def _formers(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("vault-*.kek") if path.name != NEXT)

    def _sync(self) -> None:
        if sys.platform == "win32":
            return  # folders cannot be opened there
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @staticmethod
    def _read(path: Path) -> VaultKey:
        try:
            return VaultKey(path.read_bytes())
        except (OSError, ValueError):
            raise PermanentError("a key of the vault cannot be read", reason="vault-key-missing") from None
