"""Room on the disk, checked before anything is started."""

import os
import shutil
from pathlib import Path

from hybridmesh.bus.errors import SetupError

NEEDED_BYTES = 512 * 1024 * 1024


def check_room(folder: Path, needed: int = NEEDED_BYTES) -> int:
    """Return the free bytes where ``folder`` is or will be.

    Raises:
        SetupError: there is too little room, or the folder cannot be written.

    """
    place = folder
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        raise SetupError("the data folder cannot be written", remedy="choose another with --data")
    free = shutil.disk_usage(place).free
    if free < needed:
        raise SetupError(
            f"only {free // 2**20} MiB are free, {needed // 2**20} MiB are needed",
            remedy="make room, or choose a data folder on another disk with --data",
        )
    return free
