"""Files that only their owner can read, and how a new one takes the place of the one that is there: whole, or not."""

import contextlib
import os
import re
import tempfile
from pathlib import Path

from hybridmesh.bus.claimed_files import claim, open_claimed

# A draft may be a second name of a key that is used: left there, it would outlive the key's destruction.
_DRAFT = re.compile(r"\..+\.(key|nk|kek)(\.next|\.copy)?\.[a-z0-9_]{8}")


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all; what is there already stays.

    Drafts in its folder whose writers were killed are removed.
    """
    clear_drafts(path.parent)
    while not os.path.lexists(path):
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        draft = Path(name)
        try:
            if claim(descriptor):  # else one who clears drafts took it for a dead one's
                write_file(os.dup(descriptor), content)
                with contextlib.suppress(FileExistsError, FileNotFoundError):
                    os.link(draft, path)
        finally:
            os.close(descriptor)
            draft.unlink(missing_ok=True)


def clear_drafts(folder: Path) -> None:
    """Remove the drafts of secrets in a folder that nobody is writing any more."""
    for path in folder.iterdir():
        if _DRAFT.fullmatch(path.name) and (descriptor := open_claimed(path)) is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)


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
