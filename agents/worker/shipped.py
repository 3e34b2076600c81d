"""The frameworks that come with the worker: ``frameworks/<key>.json``, data of this package."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from hybridmesh.schemas.frameworks import Framework


@cache
def shipped_framework(key: str) -> Framework | None:
    """Return the framework of a key as ``frameworks.keys_for`` makes them, or None."""
    found = files("hybridmesh.agents.worker").joinpath("frameworks", *f"{key}.json".split("/"))
    return Framework.model_validate_json(found.read_bytes()) if found.is_file() else None


@cache
def shipped_frameworks() -> dict[str, Framework]:
    """Return every shipped framework by key."""
    root = Path(str(files("hybridmesh.agents.worker").joinpath("frameworks")))
    found = sorted(root.rglob("*.json"))
    return {
        path.relative_to(root).with_suffix("").as_posix(): Framework.model_validate_json(path.read_bytes())
        for path in found
    }
