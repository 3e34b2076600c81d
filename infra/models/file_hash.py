"""SHA-256 of files, and the error for a file that is not the pinned one."""

import hashlib
from pathlib import Path
from typing import Final

from hybridmesh.bus.errors import SetupError

CHUNK: Final = 1 << 18  # stays in a core's cache between reading and hashing


class GrowingHash:
    """The SHA-256 of a file that is still being written: what is final is hashed meanwhile, and not read again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self._at = 0

    def follow(self, end: int | None = None) -> str:
        """Return the SHA-256 in hex of the first ``end`` bytes, of which none may change any more; None: of all."""
        buffer = memoryview(bytearray(CHUNK))
        with self._path.open("rb", buffering=0) as file:
            file.seek(self._at)
            while size := file.readinto(buffer if end is None else buffer[: max(0, end - self._at)]):
                self._hash.update(buffer[:size])
                self._at += size
        return self._hash.hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hex, reading it in pieces."""
    return GrowingHash(path).follow()


def check_file(path: Path, sha256: str, remedy: str) -> None:
    """Raise SetupError naming the file unless its bytes are the pinned ones."""
    check_hash(path, hash_file(path), sha256, remedy)


def check_hash(path: Path, found: str, sha256: str, remedy: str) -> None:
    """Raise SetupError naming the file unless the hash that was found of it is the pinned one."""
    if found != sha256:
        raise SetupError(f"{path.name} is not the pinned file: its SHA-256 differs", remedy=remedy)
