"""The model store: prepares a model once, and hands out the folder in which it lies.

Under ``root``: ``<name>/`` with the finished files and ``manifest.json``; ``.fetched/<name>/`` with what was
downloaded so far, ``.building/<name>/`` while one is made, ``.locks/<name>`` against a second maker. A folder with a
manifest is complete: it got there in one rename.
"""

import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hybridmesh.bus.errors import SetupError, UsageError
from hybridmesh.infra.models import manifest as manifests
from hybridmesh.infra.models.build import build_model, fingerprint
from hybridmesh.infra.models.catalog import CATALOG, find_entry
from hybridmesh.infra.models.durable import put_in_place, sync_folder
from hybridmesh.infra.models.entry import Entry, Kind
from hybridmesh.infra.models.exported import EXPORTED, list_exported, read_exported
from hybridmesh.infra.models.folder_source import FolderSource
from hybridmesh.infra.models.hub_source import HubSource
from hybridmesh.infra.models.index_source import IndexSource
from hybridmesh.infra.models.manifest import Manifest
from hybridmesh.infra.models.process_lock import process_lock
from hybridmesh.infra.models.progress import Progress, silent
from hybridmesh.infra.models.room import check_room
from hybridmesh.infra.models.sources import Fetched, Source, fetch_files
from hybridmesh.infra.models.trial import try_model

Build = Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A model that is ready for use."""

    name: str
    kind: Kind
    title: str
    folder: Path
    size_bytes: int
    licence: str


class ModelStore:
    """The cache of prepared models at ``root``.

    ``sources`` is a folder of the user's own files, asked first; ``hub`` and ``index`` allow the network. ``half`` is
    for a machine whose GPU works: its decoders are prepared in 16 bit, and those of other machines prepared again.
    """

    def __init__(
        self,
        root: Path,
        sources: Path | None = None,
        *,
        hub: bool = True,
        index: bool = True,
        half: bool = False,
        catalog: Mapping[str, Entry] = CATALOG,
    ) -> None:
        self._root = root
        self._catalog = catalog
        self.half = half
        chosen: list[Source] = [FolderSource(sources)] if sources is not None else []
        chosen += [HubSource()] if hub else []
        chosen += [IndexSource()] if index else []
        self._sources: Sequence[Source] = chosen

    def prepare(self, name: str, progress: Progress) -> PreparedModel:
        """Return the model, making it first where needed; blocks for seconds to minutes.

        ``progress`` gets plain words and how far they are (None: unknown). A second caller, in any process, waits
        and finds the model ready. After a break, or a kill, the next call goes on with what was downloaded.

        Raises:
            UsageError: there is no such model in the catalog.
            SetupError: too little disk or memory, no source, a file that is not the pinned one, or a model that
                fails its load test. Nothing half-made is left at ``path(name)``.

        """
        entry = self._entry(name)
        left = (self._fetched(name), self._rooms(name))  # by a killed maker: it is cleared away below
        if (ready := self._current(entry)) and not any(folder.exists() for folder in left):
            return ready  # also from a cache that cannot be written
        with self._workshop(name, progress) as work:
            if ready := self._current(entry):
                shutil.rmtree(self._fetched(name), ignore_errors=True)  # of a maker that was killed at its very end
                return ready
            if not entry.files:
                raise SetupError(f"{name} was exported by another version", remedy="export it again")
            fetched_folder = self._fetched(name)
            check_room(entry, self._root, _folder_bytes(fetched_folder))
            fetched = self._fetch(entry, fetched_folder, progress)
            finished = work / "finished"
            finished.mkdir()
            build_model(entry, fetched.files, work, finished, progress, half=self.half)
            prepared = self._finish(entry, finished, fetched.source, progress)
            shutil.rmtree(fetched_folder, ignore_errors=True)
            progress("ready", None)
            return prepared

    def adopt(self, entry: Entry, build: Build, progress: Progress, scratch_bytes: int = 0) -> PreparedModel:
        """Put in place what ``build(work, target)`` writes for an entry of ``exported``, replacing what was there.

        ``build`` may write ``scratch_bytes`` into ``work``.

        Raises:
            UsageError: the catalog has a model of that name.
            SetupError: too little disk or memory, or a model that fails its load test.

        """
        if entry.name in self._catalog:
            raise UsageError("the catalog has a model of that name", remedy="give it another name")
        with self._workshop(entry.name, progress) as work:
            check_room(entry, self._root, 0, scratch_bytes)
            finished = work / "finished"
            finished.mkdir()
            build(work, finished)
            adopted = self._finish(entry, finished, EXPORTED, progress)
            progress("ready", None)
            return adopted

    def path(self, name: str) -> Path | None:
        """Return the folder of a prepared model, or None; only looks whether it is there.

        None also for a model of another version of this program, whose graph the engine may not know.
        """
        ready = self._current(self._entry(name))
        return ready.folder if ready else None

    def verify(self, name: str) -> PreparedModel:
        """Hash every file again; raises SetupError naming the first that is missing, changed or unknown."""
        self._entry(name)
        manifest = Manifest.read(self._root / name)
        if manifest is None:
            raise SetupError(f"{name} is not prepared", remedy=f"prepare {name} first")
        manifest.check(self._root / name)
        return self._describe(manifest)

    def list(self) -> tuple[PreparedModel, ...]:
        """Return the models that are prepared, in the catalog's order, and then those that were exported."""
        entries = (*self._catalog.values(), *list_exported(self._root))
        return tuple(ready for entry in entries if (ready := self._current(entry)))

    def remove(self, name: str, progress: Progress = silent) -> bool:
        """Delete a prepared model, and what was downloaded for it; False when there was no such model."""
        folder = self._root / self._entry(name).name
        with self._workshop(name, progress) as work:
            shutil.rmtree(self._fetched(name), ignore_errors=True)
            if not folder.exists():
                return False
            folder.rename(work / "removed")  # from here on nobody finds it; the workshop is emptied at the end
            return True

    def _fetch(self, entry: Entry, folder: Path, progress: Progress) -> Fetched:
        try:
            return fetch_files(self._sources, entry, folder, progress)
        except (SetupError, OSError):
            # A disk that has filled up meanwhile looks like a source that does not serve: pip says no more than that.
            check_room(entry, self._root, _folder_bytes(folder))
            raise

    def _finish(self, entry: Entry, finished: Path, source: str, progress: Progress) -> PreparedModel:
        """Test the finished files, describe and sync them meanwhile, and put them where readers look."""
        progress("load test", None)
        made_of = fingerprint(entry, half=self.half)
        with ThreadPoolExecutor(2) as pool:
            described = pool.submit(Manifest.describe, entry, finished, source=source, fingerprint=made_of)
            synced = pool.submit(sync_folder, finished)
            try_model(entry.kind, finished, known=source != EXPORTED)
            synced.result()
            manifest = described.result()
        (finished / manifests.FILENAME).write_text(manifest.model_dump_json(indent=1), "utf-8")
        put_in_place(finished, self._root / entry.name, finished.parent / "replaced")
        return self._describe(manifest)

    def _entry(self, name: str) -> Entry:
        """Return the entry of the catalog, or of a model that was exported."""
        if name not in self._catalog and (found := read_exported(self._root, name)):
            return found
        return find_entry(name, self._catalog)

    @contextmanager
    def _workshop(self, name: str, progress: Progress) -> Generator[Path]:
        """Hold the model's lock, with an empty folder to work in: what a killed maker left goes away first.

        The folder has a new name each time, since a child of the killed one may still be writing into the old one.
        """
        rooms = self._rooms(name)
        waiting = "waiting for another process that prepares or removes this model"
        with process_lock(self._root / ".locks" / name, lambda: progress(waiting, None)):
            shutil.rmtree(rooms, ignore_errors=True)
            rooms.mkdir(parents=True, exist_ok=True)
            try:
                yield Path(tempfile.mkdtemp(dir=rooms))
            finally:
                shutil.rmtree(rooms, ignore_errors=True)

    def _rooms(self, name: str) -> Path:
        return self._root / ".building" / name

    def _fetched(self, name: str) -> Path:
        return self._root / ".fetched" / name

    def _current(self, entry: Entry) -> PreparedModel | None:
        folder = self._root / entry.name
        manifest = Manifest.read(folder)
        if manifest is None or manifest.fingerprint != fingerprint(entry, half=self.half):
            return None
        return self._describe(manifest) if manifest.sizes_fit(folder) else None

    def _describe(self, manifest: Manifest) -> PreparedModel:
        folder = self._root / manifest.name
        return PreparedModel(manifest.name, manifest.kind, manifest.title, folder, manifest.size, manifest.licence)


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
