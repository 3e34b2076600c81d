"""Reads files that people name: text in UTF-8, within a limit; what is not is named with its remedy."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from hybridmesh.bus.errors import UsageError

STDIN = "-"
CONVERT = "convert it first, such as with iconv -f WINDOWS-1252 -t UTF-8"
_LONGEST_NAME = 200  # as schemas.tasks.Document has it
_LIST_BYTES = 64 * 1024 * 1024
_LARGER_INPUTS = "split it, or raise bus.max_input_bytes in mesh.toml"


def read_inputs(files: Sequence[str], limit: int, stdin: BinaryIO) -> dict[str, str]:
    """Return the texts by file name, ``-`` being ``stdin``; ``limit`` is in bytes, for each file.

    Raises:
        UsageError: a file is missing, unreadable, a folder, empty, too large, binary or not UTF-8, or has another's
            name.

    """
    texts: dict[str, str] = {}
    for file in files:
        name = "stdin" if file == STDIN else Path(file).name
        shown = name.encode("utf-8", "replace").decode()
        if shown != name or len(name) > _LONGEST_NAME:
            raise UsageError(f"{shown[:80]}: the file's name is too long or not Unicode", remedy="rename the file")
        if name in texts:
            raise UsageError(f"two inputs are named {name}", remedy="rename one: a task tells its inputs by name")
        texts[name] = _read_text(file, name, limit, stdin, _LARGER_INPUTS)
        if not texts[name].strip():
            raise UsageError(f"{name} is empty", remedy="check the file, or leave it out")
    return texts


def read_list(file: str, stdin: BinaryIO) -> tuple[str, str]:
    """Return the name and the text of a file of lines, up to 64 MB; raises UsageError as ``read_inputs`` does."""
    name = "stdin" if file == STDIN else Path(file).name.encode("utf-8", "replace").decode()
    return name, _read_text(file, name, _LIST_BYTES, stdin, "split it")


def _read_text(file: str, name: str, limit: int, stdin: BinaryIO, if_too_large: str) -> str:
    content = stdin.read(limit + 1) if file == STDIN else _read(Path(file), limit)
    if len(content) > limit:
        raise UsageError(f"{name} has more than {limit:,} bytes, which is the limit", remedy=if_too_large)
    return _decode(name, content)


def _read(path: Path, limit: int) -> bytes:
    if path.is_dir():
        raise UsageError(f"{path} is a folder", remedy="name a file in it")
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}", remedy="check the path, or give - for standard input") from None
    except PermissionError:
        raise UsageError(f"{path} may not be read", remedy="allow it with chmod u+r, or copy the file") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="check the file and its disk") from None


def _decode(name: str, content: bytes) -> str:
    if b"\0" in content:
        raise UsageError(f"{name} is a binary file", remedy="extract its text first, and save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text (byte {error.start})", remedy=CONVERT) from None
