"""Models that are not in the catalog: exported from a folder of the user's, and known by their manifest alone."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.models.build import fingerprint
from hybridmesh.infra.models.catalog import CATALOG
from hybridmesh.infra.models.entry import Entry, Kind
from hybridmesh.infra.models.manifest import Manifest
from hybridmesh.schemas.measured import LARGE_B, billions

EXPORTED: Final = "export"  # the source that the manifest names
ROUNDED: Final = 1.1  # sizes in names are round figures
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")  # no path, and not hidden


def exported_entry(name: str, kind: Kind, title: str, size: int) -> Entry:
    """Return the entry of a model that is to be exported, of about ``size`` bytes; raises UsageError for odd names."""
    if not NAME.fullmatch(name):
        raise UsageError("a model's name has small letters, digits, dots and dashes", remedy="give it another name")
    return Entry(name, kind, title, "as its source says", "", (), prepared_bytes=size)


def check_size(name: str, weights: int) -> None:
    """Hold the size in a name against the weights, as agents rely by it on a model that was not measured."""
    if billions(name) >= LARGE_B > weights / 1e9 * ROUNDED:
        raise UsageError(
            f"{name} says that it has {billions(name):g} billion weights, it has {weights / 1e9:.2f}",
            remedy="give it another name: agents rely on a model that was not measured by the size in its name",
        )


def read_exported(root: Path, name: str) -> Entry | None:
    """Return the entry of a model that was exported, or None."""
    if not NAME.fullmatch(name):
        return None
    manifest = Manifest.read(root / name)
    if manifest is None or manifest.source != EXPORTED or manifest.name != name:
        return None
    return exported_entry(name, manifest.kind, manifest.title, manifest.size)


def revision_of(manifest: Manifest) -> str:
    """Return what figures of a prepared model are good for: its build, and of an exported one its very files."""
    if manifest.source != EXPORTED:
        return manifest.fingerprint
    files = [f"{name} {record.sha256}" for name, record in sorted(manifest.files.items())]
    return hashlib.sha256("\n".join([manifest.fingerprint, *files]).encode()).hexdigest()


def builds_of(root: Path, name: str) -> frozenset[str]:
    """Return which revisions of a local model may run here: the prepared one, else those that may be prepared."""
    entry = CATALOG.get(name) or read_exported(root, name)
    if entry is None or entry.kind != "causal":
        return frozenset()
    builds = {fingerprint(entry, half=half) for half in (False, True)}
    manifest = Manifest.read(root / name)
    if manifest is not None and manifest.fingerprint in builds:
        return frozenset({revision_of(manifest)})
    return frozenset(builds if name in CATALOG else ())


def list_exported(root: Path) -> Iterator[Entry]:
    """Give the entries of all models that were exported, by name."""
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if found := read_exported(root, folder.name):
            yield found
