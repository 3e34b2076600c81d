"""Who is who: one Ed25519 identity an agent, kept in the data folder, and the ring of public keys."""

import json
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import BadSignatureError

from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.secret_files import heir_of, take_place, write_file, write_secret

_RING = "ring.json"
_LOOK_S = 1.0
_VAULT_KEY_BYTES = 32
_LIVE = 2  # keys of an identity that count: the present one, and the one before while what it signed is under way


class Identity:
    """An agent's private key, which signs what the agent publishes, and the seed by which the bus lets it in.

    They are two keys: a server has its clients sign bytes of its own choice, and must not get a signature of the mesh.
    """

    def __init__(self, name: str, key: Ed25519PrivateKey, seed: str | None = None) -> None:
        self.name = name
        self.key = key
        self.seed = seed
        self._pair = key.private_bytes_raw() + key.public_key().public_bytes_raw()  # as libsodium has it

    @property
    def public(self) -> Ed25519PublicKey:
        """The public half."""
        return self.key.public_key()

    def sign(self, content: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature (RFC 8032)."""
        return crypto_sign(content, self._pair)[:crypto_sign_BYTES]  # in two thirds of OpenSSL's time


class KeyRing:
    """The public keys of each agent, the present one first; those long past count for :meth:`whole` alone.

    A ring that was read from a ``folder`` looks there again when a signature does not hold, and once in a second when
    they do: whoever runs while an identity is rotated takes what its new key signs.
    """

    def __init__(
        self, keys: Mapping[str, Sequence[Ed25519PublicKey]], live: int | None = _LIVE, folder: Path | None = None
    ) -> None:
        self._live = live
        self._folder = folder
        self._seen: _Stamp | None = None  # unknown: the first look reads
        self._looked_at = time.monotonic()
        self._whole: KeyRing | None = None
        self._take(keys)

    def __reduce__(self) -> tuple[object, ...]:
        """Return what the ring is made from again in another process: OpenSSL's keys cannot be sent there."""
        return _ring_of, (
            {name: [key.public_bytes_raw() for key in keys] for name, keys in self._keys.items()},
            self._live,
            self._folder,
        )

    def whole(self) -> "KeyRing":
        """Return a ring in which every key counts that ever did: for reading what was stored long ago."""
        if self._live is None:
            return self
        if self._whole is None:
            self._whole = KeyRing(self._keys, None, self._folder)
        return self._whole

    def __getitem__(self, name: str) -> Ed25519PublicKey:
        """Return an agent's present public key; raises KeyError."""
        return self._keys[name][0]

    def first(self, name: str) -> bytes:
        """Return the first key that an agent ever had, which no rotation changes; empty where it never had one."""
        keys = self._keys.get(name)
        return keys[-1].public_bytes_raw() if keys else b""

    def holds(self, name: str, signature: bytes, content: bytes) -> bool:
        """Say whether ``signature`` over ``content`` is that of the agent ``name``."""
        if time.monotonic() - self._looked_at > _LOOK_S:
            self._reread()  # a key that was rotated away twice stops to count, also where no new one is seen
        return self._knows(name, signature, content) or (self._reread() and self._knows(name, signature, content))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the ring from ``folder``; raises SetupError when it is not there, or is none."""
        seen = _stamp(folder)
        known = _keys_of(_checked_ring(folder))
        if not known:
            raise SetupError(
                f"no key ring in {folder}",
                remedy="start `hybridmesh up` once, or copy the keys folder of the mesh here and name it with --keys",
            )
        ring = cls(known, folder=folder)
        ring._seen = seen
        return ring

    def _knows(self, name: str, signature: bytes, content: bytes) -> bool:
        return any(_verifies(key, signature, content) for key in self._checks.get(name, ()))

    def _take(self, keys: Mapping[str, Sequence[Ed25519PublicKey]]) -> None:
        self._keys = dict(keys)
        # libsodium verifies in half of OpenSSL's time, and every message of the mesh is verified.
        self._checks = {
            name: [key.public_bytes_raw() for key in keys[: self._live]] for name, keys in self._keys.items()
        }

    def _reread(self) -> bool:
        """Read the file again if it is another one than before; say whether it is.

        It is asked at each signature that does not hold, and not once in a while: who signs by a new key may do so the
        moment that it is there. That costs a tenth of what the check did, and the file is read once a change.
        """
        self._looked_at = time.monotonic()
        if self._folder is None:
            return False
        now = _stamp(self._folder)
        if now is None or now == self._seen:
            return False
        self._seen = now
        try:
            keys = _keys_of(_read_ring(self._folder))
        except (OSError, ValueError, TypeError, AttributeError):
            return False  # no ring as we write it: what is known goes on counting
        self._take(keys or self._keys)
        return True


_Stamp = tuple[int, int, int]


def _stamp(folder: Path) -> _Stamp | None:
    """Return what tells one ring file from the next: it is never written in place."""
    try:
        about = (folder / _RING).stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_ino, about.st_size


def _ring_of(keys: Mapping[str, Sequence[bytes]], live: int | None, folder: Path | None) -> KeyRing:
    made = {name: [Ed25519PublicKey.from_public_bytes(key) for key in old] for name, old in keys.items()}
    return KeyRing(made, live, folder)


def _keys_of(raw: Mapping[str, Sequence[str]]) -> dict[str, list[Ed25519PublicKey]]:
    return {name: [_public(key) for key in keys] for name, keys in raw.items()}


def _public(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))


def _verifies(key: bytes, signature: bytes, content: bytes) -> bool:
    if len(signature) != crypto_sign_BYTES:
        return False  # what is opened is one piece: a longer one would take its end from the content
    try:
        crypto_sign_open(signature + content, key)
    except BadSignatureError:
        return False
    return True


def read_keys(folder: Path, name: str) -> tuple[Identity, KeyRing]:
    """Return an identity and the ring beside it; raises SetupError when one is not there, or knows the other not.

    What is signed by another key than the mesh knows is taken, and buried without a word to who sent it.
    """
    identity, ring = read_identity(folder, name), KeyRing.read(folder)
    if ring.first(name) and not ring.holds(name, identity.sign(b""), b""):
        raise SetupError(
            f"the key of {name} in {folder} is not the one that the ring beside it names",
            remedy="copy the keys and ring.json of the same mesh",
        )
    return identity, ring


def read_identity(folder: Path, name: str) -> Identity:
    """Read an agent's private key; raises SetupError when it is not there, or is none."""
    try:
        key = _read_key(folder / f"{name}.key")
    except FileNotFoundError:
        raise SetupError(
            f"no key of {name!r} in {folder}",
            remedy="start `hybridmesh up` once, or copy that key from the mesh's keys folder",
        ) from None
    return Identity(name, key, read_seed(folder, name))


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except ValueError:
        raise _damaged(path) from None


def read_seed(folder: Path, name: str) -> str | None:
    """Return the nkey seed of an identity, or None where the folder has none: a bus that lets everybody in.

    Raises:
        SetupError: the file holds no seed.

    """
    path = folder / f"{name}.nk"
    try:
        seed = path.read_bytes()
    except FileNotFoundError:
        return None
    nkeys: Any = import_module("nkeys")  # has no types of its own
    try:
        nkeys.from_seed(bytearray(seed))
    except nkeys.NkeysError:
        raise _damaged(path) from None
    return seed.decode("ascii")


def _damaged(path: Path) -> SetupError:
    return SetupError(f"{path} is damaged", remedy="put it there again from the mesh's keys folder, or a copy of it")


def create_users(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Create the nkeys that are missing (0600); return the public nkey of each name.

    Raises:
        SetupError: one that is there is none.

    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    nkeys: Any = import_module("nkeys")  # has no types of its own
    for name in names:
        path = folder / f"{name}.nk"
        take_place(path)
        write_secret(path, nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER))
    return {name: nkey for name, nkey in read_users(folder).items() if name in names}


def read_users(folder: Path) -> dict[str, str]:
    """Return the public nkey of each identity that has one in the folder; raises SetupError where one is none."""
    nkeys: Any = import_module("nkeys")  # has no types of its own
    users: dict[str, str] = {}
    for path in folder.glob("[!.]*.nk"):
        if (seed := read_seed(folder, path.stem)) is not None:
            users[path.stem] = nkeys.from_seed(bytearray(seed.encode())).public_key.decode()
    return users


def create_identities(folder: Path, names: tuple[str, ...]) -> None:
    """Create the keys that are missing (0600), and the ring; what is there stays.

    Raises:
        SetupError: a key or a ring that is there is none.

    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = _checked_ring(folder)
    ring: dict[str, list[str]] = {}
    for name in names:
        path = folder / f"{name}.key"
        if not path.exists():
            write_secret(path, Ed25519PrivateKey.generate().private_bytes_raw())
        present = _read_key(heir_of(path) if heir_of(path).exists() else path).public_key().public_bytes_raw().hex()
        ring[name] = [present, *(key for key in before.get(name, []) if key != present)]
    draft = folder / f".{_RING}.{os.getpid()}"
    write_file(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), json.dumps(ring, indent=1).encode())
    draft.replace(folder / _RING)
    for name in names:  # not before: whoever is cut off leaves keys that the ring knows
        take_place(folder / f"{name}.key")


def rotate_identity(folder: Path, name: str) -> None:
    """Make new keys for an identity, which :func:`create_identities` and :func:`create_users` put in their place."""
    nkeys: Any = import_module("nkeys")  # has no types of its own
    for path, content in (
        (folder / f"{name}.key", Ed25519PrivateKey.generate().private_bytes_raw()),
        (folder / f"{name}.nk", nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)),
    ):
        if path.exists():
            write_secret(heir_of(path), content)


def _read_ring(folder: Path) -> dict[str, list[str]]:
    try:
        found: dict[str, str | list[str]] = json.loads((folder / _RING).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    # One key a name is how rings were written before keys could be rotated.
    return {name: [keys] if isinstance(keys, str) else keys for name, keys in found.items()}


def _checked_ring(folder: Path) -> dict[str, list[str]]:
    try:
        raw = _read_ring(folder)
        _keys_of(raw)
    except (ValueError, TypeError, AttributeError):
        raise _damaged(folder / _RING) from None
    return raw


def read_vault_key(folder: Path) -> bytes:
    """Read the vault's 32-byte key-encryption key; raises SetupError when it is not there, or is none."""
    path = folder / "vault.kek"
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        raise SetupError(
            f"no vault key in {folder}", remedy="start `hybridmesh up` once, or copy vault.kek here"
        ) from None
    if len(key) != _VAULT_KEY_BYTES:
        raise _damaged(path)
    return key
