"""What the shared options give: places that are named, and the settings tree."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmesh.bus.errors import UsageError

if TYPE_CHECKING:
    from hybridmesh.bus.settings import MeshSettings


def read_url(text: str) -> str:
    """Return what was given; nothing, as of a shell's variable that is not set, is not the mesh of the data folder."""
    if not text.strip():
        raise UsageError("an option has an empty value", remedy="name a place after it, or leave the option out")
    return text


def read_path(text: str) -> Path:
    """Return a path that was given; an empty one is not the current folder."""
    return Path(read_url(text))


def read_settings(data: Path | None, config: Path | None, sets: list[str] | None) -> "MeshSettings":
    """Return the settings tree; raises UsageError."""
    from hybridmesh.infra.settings import SECRETS, load_settings

    flags: dict[str, Any] = {"data": data}
    for item in sets or []:
        name, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"--set {item} has no value", remedy="write it as --set bus.max_tries=8")
        if name in SECRETS:
            raise UsageError(
                f"{name} on a command line can be read by everybody on this machine",
                remedy=f"set the variable {SECRETS[name].variable}, or put it into mesh.toml",
            )
        flags[name] = value
    return load_settings(flags, file=config)


def inherited(config: Path | None, sets: list[str] | None) -> list[str]:
    """Return the flags that give a child process the same settings; its data folder is named apart."""
    words = [] if config is None else ["--config", str(config.resolve())]
    for item in sets or []:
        words += ["--set", item]
    return words
