"""Fills the settings tree from flags, ``HYBRIDMESH_*`` variables and ``mesh.toml``; alone reads the environment."""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError

from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.settings import MeshSettings, ProfileSettings, default_profiles

PREFIX = "HYBRIDMESH_"
FILE = "mesh.toml"
_KEY_VARIABLE = "ANTHROPIC_API_KEY"


@dataclass(frozen=True, slots=True)
class Secret:
    """A setting that only its ``owner`` among the agents may know, and the variable that people set it by."""

    owner: str
    variable: str


SECRETS: Mapping[str, Secret] = {
    "cloud.api_key": Secret("consultant", _KEY_VARIABLE),
    "memory.api_key": Secret("memory", f"{PREFIX}MEMORY__API_KEY"),
}
"""Every secret setting by its dotted name."""

Tree = dict[str, Any]


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> MeshSettings:
    """Return the settings; ``flags`` maps dotted names to values, None meaning not given.

    Raises:
        UsageError: a file that cannot be read, an unknown key (with the nearest known one) or a bad value.

    """
    variables = os.environ if environment is None else environment
    tree = _read_file(file)
    for name, value in variables.items():
        if name.startswith(PREFIX) and value:  # an empty one is as good as none, as compose files write it
            _set(tree, name.removeprefix(PREFIX).lower().split("__"), value)
    for name, value in (flags or {}).items():
        if value is not None:
            _set(tree, name.split("."), value)
    if key := variables.get(_KEY_VARIABLE):
        _table(tree.setdefault("cloud", {}), "cloud").setdefault("api_key", key)
    _check_keys(tree, MeshSettings, "")
    tree["profiles"] = _merge_profiles(_table(tree.get("profiles", {}), "profiles"))
    try:
        return MeshSettings.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{place}: {first['msg']}", remedy="correct it in mesh.toml, the variable or the flag"
        ) from None


def child_environment(agent: str | None = None) -> dict[str, str]:
    """Return the environment of a child process; only the consultant's holds the cloud key, the memory's its own."""
    return {name: value for name, value in os.environ.items() if _may_know(agent, _place(name))}


def settings_of(agent: str, settings: MeshSettings) -> MeshSettings:
    """Return what an agent may know of the settings: the keys that are another's are not among it."""
    known = settings
    for place in SECRETS:
        if not _may_know(agent, place):
            section, _, name = place.partition(".")
            part: BaseModel = getattr(known, section)
            known = known.model_copy(update={section: part.model_copy(update={name: None})})
    return known


def _may_know(agent: str | None, place: str) -> bool:
    return place not in SECRETS or SECRETS[place].owner == agent


def _place(variable: str) -> str:
    """Return where in the tree a variable goes; names are read without regard to case."""
    if variable == _KEY_VARIABLE:
        return "cloud.api_key"
    return variable.removeprefix(PREFIX).lower().replace("__", ".") if variable.startswith(PREFIX) else ""


def _read_file(file: Path | None) -> Tree:
    path = file or Path(FILE)
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if file is None:
            return {}
        raise UsageError(f"there is no file {file}", remedy="leave --config out to use the defaults") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="name a settings file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}", remedy="correct the file") from None


def _set(tree: Tree, names: list[str], value: object) -> None:
    *folders, leaf = names
    for depth, folder in enumerate(folders, 1):
        tree = _table(tree.setdefault(folder, {}), ".".join(folders[:depth]))
    tree[leaf] = value


def _table(value: object, path: str) -> Tree:
    """Return a part of the tree that has names of its own; raises UsageError where there is a mere value."""
    if not isinstance(value, dict):
        raise UsageError(
            f"{path} is no single value, but a table of settings", remedy=f"set what is in it, as {path}.NAME"
        )
    return cast("Tree", value)


def _merge_profiles(given: Tree) -> Tree:
    """Lay the user's profiles over those that ship: a shipped one keeps what is not named.

    A name that is nearly another's would leave that one as it is, and nobody would notice: most are not chosen often.
    """
    merged: Tree = {name: profile.model_dump() for name, profile in default_profiles().items()}
    for name, changes in given.items():
        if (meant := next((known for known in merged if _alike(known, name)), name)) != name:
            hint = f"write it as profiles.{meant}, in mesh.toml or with --set"
            raise UsageError(f"the profile {name} is named like {meant}", remedy=hint)
        merged[name] = {**merged.get(name, ProfileSettings().model_dump()), **_table(changes, f"profiles.{name}")}
    return merged


def _alike(one: str, other: str) -> bool:
    return one.casefold().replace("-", "_") == other.casefold().replace("-", "_")


def _check_keys(tree: Mapping[str, Any], model: type[BaseModel], path: str) -> None:
    known = model.model_fields
    for name, value in tree.items():
        if name not in known:
            near = list(_named(name, MeshSettings)) or [
                path + match for match in difflib.get_close_matches(name, known, n=1)
            ]
            hint = f"did you mean {' or '.join(near)}?" if near else f"known here: {', '.join(sorted(known))}"
            raise UsageError(f"unknown setting {path}{name}", remedy=hint)
        section = known[name].annotation
        if Path in (section, *get_args(section)) and not str(value).strip():
            raise UsageError(f"{path}{name} is an empty path", remedy="name a file or a folder, or leave it out")
        if isinstance(section, type) and issubclass(section, BaseModel):
            _check_keys(_table(value, f"{path}{name}"), section, f"{path}{name}.")
        elif ProfileSettings in get_args(section):
            for profile, fields in _table(value, f"{path}{name}").items():
                place = f"{path}{name}.{profile}"
                _check_keys(_table(fields, place), ProfileSettings, f"{place}.")


def _named(name: str, model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Yield the dotted names of the settings that are called so in any section."""
    for field, about in model.model_fields.items():
        if isinstance(about.annotation, type) and issubclass(about.annotation, BaseModel):
            yield from _named(name, about.annotation, f"{path}{field}.")
        elif field == name:
            yield path + field
