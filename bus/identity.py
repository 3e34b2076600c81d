"""Who is who: one Ed25519 identity an agent, kept in the data folder, and the ring of public keys."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hybridmesh.bus.errors import SetupError

_RING = "ring.json"


class Identity:
    """An agent's private key; signs what the agent publishes."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name = name
        self.key = key

    @property
    def public(self) -> Ed25519PublicKey:
        """The public half."""
        return self.key.public_key()

    def sign(self, content: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature (RFC 8032)."""
        return self.key.sign(content)


class KeyRing:
    """The public key of each agent."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)

    def __getitem__(self, name: str) -> Ed25519PublicKey:
        """Return an agent's public key; raises KeyError."""
        return self._keys[name]

    def holds(self, name: str, signature: bytes, content: bytes) -> bool:
        """Say whether ``signature`` over ``content`` is that of the agent ``name``."""
        key = self._keys.get(name)
        if key is None:
            return False
        try:
            key.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the ring from ``folder``; raises SetupError when it is not there."""
        try:
            raw: dict[str, str] = json.loads((folder / _RING).read_text("utf-8"))
        except FileNotFoundError:
            raise SetupError(
                "no key ring in the keys folder",
                remedy="start `hybridmesh up` once, or copy the keys folder of the mesh here and name it with --keys",
            ) from None
        return cls({name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for name, key in raw.items()})


def read_identity(folder: Path, name: str) -> Identity:
    """Read an agent's private key; raises SetupError when it is not there."""
    try:
        seed = (folder / f"{name}.key").read_bytes()
    except FileNotFoundError:
        raise SetupError(
            f"no key of {name!r} in the keys folder",
            remedy="start `hybridmesh up` once, or copy that key from the mesh's keys folder",
        ) from None
    return Identity(name, Ed25519PrivateKey.from_private_bytes(seed))


def create_identities(folder: Path, names: tuple[str, ...]) -> None:
    """Create the keys that are missing (0600), and the ring; what is there stays."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ring: dict[str, str] = {}
    for name in names:
        path = folder / f"{name}.key"
        if not path.exists():
            write_secret(path, Ed25519PrivateKey.generate().private_bytes_raw())
        ring[name] = read_identity(folder, name).public.public_bytes_raw().hex()
    draft = folder / f".{_RING}.{os.getpid()}"
    draft.write_text(json.dumps(ring, indent=1), "utf-8")
    draft.replace(folder / _RING)


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all; what is there already stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def read_vault_key(folder: Path) -> bytes:
    """Read the vault's 32-byte key-encryption key; raises SetupError when it is not there."""
    try:
        return (folder / "vault.kek").read_bytes()
    except FileNotFoundError:
        raise SetupError(
            "no vault key in the keys folder", remedy="start `hybridmesh up` once, or copy vault.kek here"
        ) from None
