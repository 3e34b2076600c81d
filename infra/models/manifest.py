"""The manifest beside a prepared model: what it was made from, by which versions, and the hash of every file."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import Entry, Kind
from hybridmesh.infra.models.file_hash import hash_file

FILENAME: Final = "manifest.json"
BUILT_WITH: Final = (
    "gguf", "numpy", "onnx", "onnxruntime", "onnxruntime-gpu",
)  # fmt: skip


class FileRecord(BaseModel):
    """Size in bytes and SHA-256 of one prepared file."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str


class Manifest(BaseModel):
    """What a prepared folder holds; ``fingerprint`` says from what and how it was built."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Kind
    title: str
    licence: str
    source: str
    fingerprint: str
    built_with: dict[str, str]
    files: dict[str, FileRecord]

    @classmethod
    def describe(cls, entry: Entry, folder: Path, *, source: str, fingerprint: str) -> Self:
        """Hash every file of a finished folder."""
        return cls(
            name=entry.name,
            kind=entry.kind,
            title=entry.title,
            licence=entry.licence,
            source=source,
            fingerprint=fingerprint,
            built_with=installed_versions(),
            files={
                path.name: FileRecord(size=path.stat().st_size, sha256=hash_file(path))
                for path in sorted(folder.iterdir())
            },
        )

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the manifest of a folder, or None where there is none that can be read."""
        try:
            return cls.model_validate_json((folder / FILENAME).read_bytes())
        except (OSError, ValidationError):
            return None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(record.size for record in self.files.values())

    def sizes_fit(self, folder: Path) -> bool:
        """Tell cheaply whether every file is there in its size."""
        try:
            return all(
                (folder / name).is_file() and (folder / name).stat().st_size == record.size
                for name, record in self.files.items()
            )
        except OSError:  # replaced or removed between two looks, or not ours to read
            return False

    def check(self, folder: Path) -> None:
        """Raise SetupError naming the first file that is missing, changed, or not in the manifest."""
        present = {path.name for path in folder.iterdir()} - {FILENAME}
        for name in sorted(present | set(self.files)):
            record = self.files.get(name)
            if record is None or name not in present or hash_file(folder / name) != record.sha256:
                raise SetupError(
                    f"{self.name}: {name} is not the file that was prepared",
                    remedy=f"remove {self.name} and prepare it again",
                )


def installed_versions() -> dict[str, str]:
    """Return the versions of the packages that a build depends on, as far as they are installed."""
    found: dict[str, str] = {}
    for package in BUILT_WITH:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
