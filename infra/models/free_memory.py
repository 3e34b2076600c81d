"""The memory that this process can still get: of the machine, or of the control groups that it is in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

CGROUP: Final = Path("/sys/fs/cgroup")
OWN: Final = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class _Names:
    """Where a version of control groups has its tree, and what its files are called."""

    tree: str
    limit: str
    used: str
    files: tuple[str, str]  # pages of files, which make room when memory is wanted


FIRST: Final = _Names(
    "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", ("total_active_file", "total_inactive_file")
)
SECOND: Final = _Names("", "memory.max", "memory.current", ("active_file", "inactive_file"))


def free_memory(cgroup: Path = CGROUP, own: Path = OWN) -> int:
    """Return the bytes that this process can still get: a container or a service may have a limit of its own."""
    free = psutil.virtual_memory().available
    for folder, names in _groups(cgroup, own):
        try:
            limit = int((folder / names.limit).read_text())
            used = int((folder / names.used).read_text())
        except (OSError, ValueError):  # no group that is seen from here, or one without a limit ("max")
            continue
        free = min(free, max(0, limit - used + _cached(folder, names)))
    return free


def _groups(cgroup: Path, own: Path) -> Iterator[tuple[Path, _Names]]:
    """Give each group that this process is in, with those above it: the least of their limits holds.

    Inside a container the path may be its host's, and only the top be there.
    """
    paths = {FIRST: "", SECOND: ""}
    try:
        for line in own.read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0" and not controllers:
                paths[SECOND] = path
            elif "memory" in controllers.split(","):
                paths[FIRST] = path
    except (OSError, ValueError):
        pass
    for names, path in paths.items():
        folder = cgroup / names.tree
        yield folder, names
        for part in path.split("/"):
            if part not in ("", ".."):
                folder /= part
                yield folder, names


def _cached(folder: Path, names: _Names) -> int:
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
        sizes = {name: int(size) for name, size in (line.split() for line in lines)}
    except (OSError, ValueError):
        return 0
    return sum(sizes.get(name, 0) for name in names.files)
