"""Room on the disk, checked before anything is started."""

import os
import shutil
from pathlib import Path

from hybridmesh.bus.errors import SetupError

NEEDED_BYTES = 512 * 1024 * 1024


def free_bytes(folder: Path) -> int:
    """Return how many bytes are free where ``folder`` is or will be."""
    return shutil.disk_usage(_nearest(folder)).free


def check_room(folder: Path, needed: int = NEEDED_BYTES) -> int:
    """Return the free bytes where ``folder`` is or will be.

    Raises:
        SetupError: there is too little room, or the folder cannot be written, or is none.

    """
    if not (nearest := _nearest(folder)).is_dir():
        raise SetupError(f"{nearest} is no folder", remedy="choose another with --data")
    if not os.access(nearest, os.W_OK):
        raise SetupError("the data folder cannot be written", remedy="choose another with --data")
    free = free_bytes(folder)
    if free < needed:
        raise SetupError(
            f"only {free // 2**20} MiB are free, {needed // 2**20} MiB are needed",
            remedy="make room, or choose a data folder on another disk with --data",
        )
    return free


def _nearest(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())
