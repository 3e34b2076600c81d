"""Reads a task's input files: text in UTF-8, within the limit; what is not is named with its remedy."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from hybridmesh.bus.errors import UsageError

STDIN = "-"
CONVERT = "convert it first, such as with iconv -f WINDOWS-1252 -t UTF-8"
_LONGEST_NAME = 200  # as schemas.tasks.Document has it


def read_inputs(files: Sequence[str], limit: int, stdin: BinaryIO) -> dict[str, str]:
    """Return the texts by file name, ``-`` being ``stdin``; ``limit`` is in bytes, for each file.

    Raises:
        UsageError: a file is missing, unreadable, a folder, too large, binary or not UTF-8, or has another's name.

    """
    texts: dict[str, str] = {}
    for file in files:
        name = "stdin" if file == STDIN else Path(file).name
        shown = name.encode("utf-8", "replace").decode()
        if shown != name or len(name) > _LONGEST_NAME:
            raise UsageError(f"{shown[:80]}: the file's name is too long or not Unicode", remedy="rename the file")
        if name in texts:
            raise UsageError(f"two inputs are named {name}", remedy="rename one: a task tells its inputs by name")
        content = stdin.read(limit + 1) if file == STDIN else _read(Path(file), limit)
        texts[name] = _decode(name, content, limit)
    return texts


def _read(path: Path, limit: int) -> bytes:
    if path.is_dir():
        raise UsageError(f"{path} is a folder", remedy="name its files, each with --input")
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}", remedy="check the path, or give - for standard input") from None
    except PermissionError:
        raise UsageError(f"{path} may not be read", remedy="allow it with chmod u+r, or copy the file") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="check the file and its disk") from None


def _decode(name: str, content: bytes, limit: int) -> str:
    if len(content) > limit:
        raise UsageError(
            f"{name} has more than {limit:,} bytes, which is the limit",
            remedy="split it, or raise bus.max_input_bytes in mesh.toml",
        )
    if b"\0" in content:
        raise UsageError(f"{name} is a binary file", remedy="extract its text first, and save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text (byte {error.start})", remedy=CONVERT) from None
