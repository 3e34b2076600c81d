"""The frameworks that come with the worker: ``frameworks/<key>.json``, data of this package."""

from functools import cache
from importlib.resources import files

from hybridmesh.schemas.frameworks import Framework


@cache
def shipped_framework(key: str) -> Framework | None:
    """Return the framework of a key as ``frameworks.keys_for`` makes them, or None."""
    found = files(__package__).joinpath("frameworks", *f"{key}.json".split("/"))
    return Framework.model_validate_json(found.read_bytes()) if found.is_file() else None
