"""The types of the catalog: what a model is made from, where its files come from, and what it may be used for."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from hybridmesh.infra.models.packing import Profile

Kind = Literal["causal", "token-classifier", "embedder"]


@dataclass(frozen=True, slots=True)
class Wheel:
    """A pinned wheel that is used as a mere archive: it is never installed and never imported."""

    package: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """Return the name under which package indexes serve it."""
        return f"{self.package.replace('-', '_')}-{self.version}-py3-none-any.whl"


@dataclass(frozen=True, slots=True)
class Part:
    """A member of a wheel that is, or is a consecutive piece of, a source file."""

    wheel: Wheel
    member: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file on the model hub at a fixed revision."""

    repository: str
    revision: str
    path: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file a model is built from; ``filename`` is what to call it in a folder of your own."""

    filename: str
    sha256: str
    size: int
    parts: tuple[Part, ...]
    hub: HubFile | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the catalog; ``prepared_bytes`` is an estimate for the disk check."""

    name: str
    kind: Kind
    title: str
    licence: str
    notice: str
    files: tuple[SourceFile, ...]
    prepared_bytes: int
    profile: Profile = "exact"

    @property
    def source_bytes(self) -> int:
        """Bytes of all source files."""
        return sum(file.size for file in self.files)

    def fingerprint(self, build_revision: str) -> str:
        """Return what the prepared files depend on, as a hash: sources, profile and the builder's revision."""
        facts = [build_revision, self.kind, self.profile, *(file.sha256 for file in self.files)]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()
