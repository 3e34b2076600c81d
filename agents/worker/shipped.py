"""The frameworks that come with the worker: ``frameworks/<key>.json``, data of this package."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from hybridmesh.schemas.frameworks import Framework

_SUFFIX = ".json"


@cache
def shipped_frameworks() -> Mapping[str, Framework]:
    """Return all frameworks that ship, by key."""
    folder = files("hybridmesh.agents.worker").joinpath("frameworks")
    return MappingProxyType({key: Framework.model_validate_json(file.read_bytes()) for key, file in _files(folder, "")})


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield prefix + entry.name.removesuffix(_SUFFIX), entry
