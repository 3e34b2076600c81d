"""SHA-256 of files, and the error for a file that is not the pinned one."""

import hashlib
from pathlib import Path

from hybridmesh.bus.errors import SetupError


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hex, reading it in pieces."""
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: Path, sha256: str, remedy: str) -> None:
    """Raise SetupError naming the file unless its bytes are the pinned ones."""
    if hash_file(path) != sha256:
        raise SetupError(f"{path.name} is not the pinned file: its SHA-256 differs", remedy=remedy)
