"""Where a running mesh is found: a small file in its data folder."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from hybridmesh.bus.errors import NO_MESH, MeshUnavailable

_FILE = "mesh.json"


class Endpoint(BaseModel):
    """What a client must know of a running mesh."""

    model_config = ConfigDict(frozen=True)

    url: str
    pid: int
    cloud: str = "none"

    def write(self, folder: Path) -> None:
        """Write the file, whole or not at all."""
        draft = folder / f".{_FILE}.{os.getpid()}"
        draft.write_text(self.model_dump_json(), "utf-8")
        draft.replace(folder / _FILE)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the file; raises MeshUnavailable when no mesh runs there."""
        try:
            return cls.model_validate_json((folder / _FILE).read_bytes())
        except (FileNotFoundError, ValidationError):
            raise MeshUnavailable("no mesh runs on this data folder", reason=NO_MESH) from None

    @staticmethod
    def remove(folder: Path) -> None:
        """Take the file away when the mesh ends."""
        (folder / _FILE).unlink(missing_ok=True)
