"""Room on the disk and in memory for preparing a model, checked before anything is fetched."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import Entry
from hybridmesh.infra.models.free_memory import free_memory

SPARE_BYTES: Final = 200_000_000  # one wheel, and room for everybody else on that disk
BUILD_BYTES: Final = 400_000_000  # what a build takes at most
LOADED_RATIO: Final = 1.72  # memory of a model while it is loaded and works on a prompt, by the size of its files


def check_room(entry: Entry, root: Path, fetched_bytes: int, scratch_bytes: int = 0) -> None:
    """Raise SetupError when ``root`` has no room for the sources still to come and the model, or memory is short.

    ``scratch_bytes`` of disk are needed in between.
    """
    wanted = room_for([entry]) - min(fetched_bytes, entry.source_bytes) + scratch_bytes
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


def room_for(entries: Sequence[Entry]) -> int:
    """Return how many bytes of disk preparing some models takes, one by one: sources go when a model is ready."""
    sources = max((entry.source_bytes for entry in entries), default=0)
    return sum(entry.prepared_bytes for entry in entries) + sources + SPARE_BYTES
