"""Files that only their owner can read, and how a new one takes the place of the one that is there: whole, or not."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all; what is there already stays."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        write_file(descriptor, content)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()


def copy_secret(source: Path, path: Path) -> None:
    """Have a file that only its owner can read be as another one is, at every moment whole."""
    content = source.read_bytes()
    if not path.exists() or path.read_bytes() != content:
        draft = path.with_name(f".{path.name}.copy")
        draft.unlink(missing_ok=True)
        write_secret(draft, content)
        draft.replace(path)


def write_file(descriptor: int, content: bytes) -> None:
    """Write all there is to an open file, close it, and return when it is on disk."""
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def heir_of(path: Path) -> Path:
    """Return where a key is kept until it takes the place of the one that is there."""
    return path.with_name(f"{path.name}.next")


def take_place(path: Path) -> None:
    """Have what is to take the place of a file take it, if there is something."""
    with contextlib.suppress(FileNotFoundError):
        heir_of(path).replace(path)
