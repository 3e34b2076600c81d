"""The options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

from hybridmesh.infra.cli.given import read_path, read_url

_PANEL = "Options of every command"
_BUS_PANEL = "Options of every command that needs a bus or its keys"
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        parser=read_path,
        metavar="FOLDER",
        help="The mesh's data folder (default: .hybridmesh).",
        rich_help_panel=_PANEL,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        parser=read_path,
        metavar="FILE",
        help="A settings file (default: mesh.toml if it is there).",
        rich_help_panel=_PANEL,
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting, by its dotted name.", rich_help_panel=_PANEL),
]
Nats = Annotated[
    str | None,
    typer.Option(
        "--nats",
        parser=read_url,
        metavar="URL",
        help="The bus (default: that of the data folder).",
        rich_help_panel=_BUS_PANEL,
    ),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        parser=read_path,
        metavar="FOLDER",
        help="The folder of keys (default: keys in the data folder).",
        rich_help_panel=_BUS_PANEL,
    ),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="ROLE",
        help="Whose key to take: publisher (default), submitter, reader, observer, or a tenant's, as submitter-acme.",
        rich_help_panel=_BUS_PANEL,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.", rich_help_panel=_PANEL)]
