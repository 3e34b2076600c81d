"""Room on the disk and in memory for preparing a model, checked before anything is fetched."""

import shutil
from pathlib import Path
from typing import Final

import psutil

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import Entry

SPARE_BYTES: Final = 200_000_000  # one wheel, and room for everybody else on that disk
BUILD_BYTES: Final = 400_000_000  # what a build takes at most
LOADED_RATIO: Final = 1.6  # memory of a loaded model that works on a prompt, by the size of its files
CGROUP: Final = Path("/sys/fs/cgroup")


def check_room(entry: Entry, root: Path, fetched_bytes: int) -> None:
    """Raise SetupError when ``root`` has no room for the sources still to come and the model, or memory is short."""
    wanted = entry.source_bytes + entry.prepared_bytes + SPARE_BYTES - min(fetched_bytes, entry.source_bytes)
    free = shutil.disk_usage(root).free
    if free < wanted:
        raise SetupError(
            f"{entry.name} needs {wanted // 1_000_000} MB of disk while it is prepared,"
            f" {free // 1_000_000} MB are free",
            remedy="free some space, or choose a smaller model or another cache folder",
        )
    wanted = max(BUILD_BYTES if entry.kind == "causal" else 0, int(entry.prepared_bytes * LOADED_RATIO))
    free = free_memory()
    if free < wanted:
        raise SetupError(
            f"{entry.name} needs {wanted // 1_000_000} MB of memory while it is tested,"
            f" {free // 1_000_000} MB are free",
            remedy="end other programs, or choose a smaller model",
        )


def free_memory(cgroup: Path = CGROUP) -> int:
    """Return the bytes that this process can still get: of the machine, or of its container where that is less."""
    free = psutil.virtual_memory().available
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return free
    return min(free, max(0, limit - used + _cached(cgroup)))


def _cached(cgroup: Path) -> int:
    """Return how much of what a container uses are pages of files, which make room when memory is wanted."""
    try:
        lines = (cgroup / "memory.stat").read_text().splitlines()
        sizes = {name: int(size) for name, size in (line.split() for line in lines)}
    except (OSError, ValueError):
        return 0
    return sizes.get("active_file", 0) + sizes.get("inactive_file", 0)
