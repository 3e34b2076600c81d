"""The options that commands share, and the settings tree they give."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybridmesh.bus.errors import UsageError

if TYPE_CHECKING:
    from hybridmesh.bus.settings import MeshSettings

_PANEL = "Options of every command"
_BUS_PANEL = "Options of every command that needs a bus or its keys"

Data = Annotated[
    Path | None,
    typer.Option("--data", help="The mesh's data folder (default: .hybridmesh).", rich_help_panel=_PANEL),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="A settings file (default: mesh.toml if it is there).", rich_help_panel=_PANEL),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting, by its dotted name.", rich_help_panel=_PANEL),
]
Nats = Annotated[
    str | None,
    typer.Option(
        "--nats", metavar="URL", help="The bus (default: that of the data folder).", rich_help_panel=_BUS_PANEL
    ),
]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", help="The folder of keys (default: keys in the data folder).", rich_help_panel=_BUS_PANEL),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.", rich_help_panel=_PANEL)]


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
