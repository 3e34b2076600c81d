"""The folder of an embedded memory: one owner, one shard, and a rewrite of it that survives a crash at any point.

The shard is replaced by two renames. Whatever stands in the folder after a crash tells how far they came:
a ``shard`` is always whole; without one, ``shard.new`` is whole, since it was closed before the first rename.
"""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from hybridmesh.agents.memory.edge_shard import EdgeShard

LOCK_POLL_S = 0.05


class FolderOwnedError(Exception):
    """Another process owns this folder."""


@contextlib.contextmanager
def own(folder: Path, wait_s: float) -> Generator[None]:
    """Hold the folder's lock, waiting up to ``wait_s`` for an owner that is just ending.

    The lock ends with the process, however it ends. Where the system has no flock the engine's own lock on
    its log must do.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield
        return
    import fcntl

    deadline = time.monotonic() + wait_s
    with (folder / "owner.lock").open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise FolderOwnedError from None
                time.sleep(LOCK_POLL_S)
            else:
                yield
                return


class EdgeFolder:
    """The shard of an owned folder; ``shard`` changes when it is rewritten.

    Two marks outlive a crash: ``residue`` says that the files hold bytes of rows removed or replaced,
    ``erasing`` that a promise to leave none is under way, so opening the folder keeps it.
    """

    def __init__(self, folder: Path, dense_name: str, dense_size: int) -> None:
        self._folder = folder
        self._dense_name, self._dense_size = dense_name, dense_size
        self._current, self._fresh, self._old = (folder / n for n in ("shard", "shard.new", "shard.old"))
        self._residue, self._erasing = folder / "residue", folder / "erasing"
        self._settle()
        if self._current.exists():
            self.shard = self._load()
        else:
            self._create(self._fresh).close()
            self._fresh.rename(self._current)
            self._sync()
            self.shard = self._load()
        self.shard.flush()  # what a killed owner left in the log only is answered as a repeat, so it must be on disk
        if self._erasing.exists():
            self.rebuild()

    def note_residue(self) -> None:
        """Remember that a row was removed or replaced, before it is."""
        self._mark(self._residue)

    def erase(self, ids: Sequence[str]) -> bool:
        """Remove rows and every byte of them; False when there was nothing to remove or to clean."""
        if not ids and not self._residue.exists():
            return False
        self._mark(self._erasing)
        if ids:
            self.shard.delete(ids)
        self.rebuild()
        return True

    def rebuild(self) -> None:
        """Copy the living rows into a fresh shard, swap it in, remove the old one."""
        fresh = self._create(self._fresh)
        for rows in self.shard.pages():
            if rows:
                fresh.insert(rows)
        fresh.close()
        self.shard.close()
        self._current.rename(self._old)
        self._fresh.rename(self._current)
        self._sync()
        shutil.rmtree(self._old)
        self.shard = self._load()
        for mark in (self._residue, self._erasing):
            mark.unlink(missing_ok=True)
        self._sync()

    def _load(self) -> EdgeShard:
        return EdgeShard.load(self._current, self._dense_name, self._dense_size)

    def _create(self, folder: Path) -> EdgeShard:
        if folder.exists():
            shutil.rmtree(folder)
        return EdgeShard.create(folder, self._dense_name, self._dense_size)

    def _settle(self) -> None:
        if not self._current.exists() and self._old.exists():
            self._fresh.rename(self._current)
            self._sync()
        for leftover in (self._fresh, self._old):
            if leftover.exists():
                shutil.rmtree(leftover)

    def _mark(self, mark: Path) -> None:
        if not mark.exists():
            mark.touch(mode=0o600)
            self._sync()

    def _sync(self) -> None:
        if sys.platform != "win32":
            handle = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
