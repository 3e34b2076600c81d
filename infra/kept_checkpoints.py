"""Checkpoints that a reader wrote down earlier and kept outside the mesh: what a cut tail cannot hide from."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hybridmesh.bus.errors import UsageError


class KeptCheckpoint(BaseModel):
    """A size and its root (hex); ``covered`` is what ``audit verify --json`` calls the size."""

    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True)

    size: int = Field(ge=1, validation_alias=AliasChoices("size", "covered"))
    root: str = Field(pattern=r"^[0-9a-f]{64}$")


_Several = Annotated[list[KeptCheckpoint], Field(min_length=1)]  # none would pass for nothing to hold against
_FILE: TypeAdapter[KeptCheckpoint | list[KeptCheckpoint]] = TypeAdapter(KeptCheckpoint | _Several)


def read_kept(file: Path) -> list[KeptCheckpoint]:
    """Read one checkpoint or a list of them, such as what ``audit verify --json`` printed; raises UsageError."""
    try:
        found = _FILE.validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", remedy="check the path") from None
    except ValidationError:
        raise UsageError(
            f"{file} holds no checkpoints",
            remedy="give what `hybridmesh audit verify --json` printed, or a list of objects with size and root",
        ) from None
    return found if isinstance(found, list) else [found]
