"""``model``: the prepared local models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.infra.cli.console import tell, write_json, write_table
from hybridmesh.infra.cli.invocation import Invocation, command, local_command
from hybridmesh.infra.cli.model_use import use

if TYPE_CHECKING:
    from hybridmesh.bus.settings import MeshSettings
    from hybridmesh.infra.models.entry import Entry
    from hybridmesh.infra.models.packing import Profile
    from hybridmesh.infra.models.store import PreparedModel

app = typer.Typer(no_args_is_help=True, help="The local models, prepared once.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `model list` shows it.")]


@app.command("list")
@local_command
def list_models(call: Invocation) -> None:
    """List the models of the catalog, which of them are prepared, and those that were exported."""
    from hybridmesh.infra.model_setup import needed_models, open_store
    from hybridmesh.infra.models.catalog import CATALOG

    ready = {model.name: model for model in open_store(call.settings).list()}
    shown: dict[str, Entry | PreparedModel] = {**CATALOG}
    shown |= {name: model for name, model in ready.items() if name not in CATALOG}
    needed = needed_models(call.settings)
    rows: list[dict[str, object]] = []
    for name, entry in shown.items():
        prepared = ready.get(name)
        rows.append(
            {
                "name": name,
                "kind": entry.kind,
                "title": entry.title,
                "licence": entry.licence,
                "needed": name in needed,
                "needed_for": _needed(name, call.settings),
                "prepared": prepared is not None,
                "size_bytes": prepared.size_bytes if prepared else None,
                "folder": str(prepared.folder) if prepared else None,
            }
        )
    if call.json:
        write_json({"models": rows})
        return
    write_table(
        ("name", "kind", "state", "needed", "size", "licence", "title"),
        [
            (
                row["name"],
                row["kind"],
                "prepared" if row["prepared"] else "-",
                row["needed_for"],
                f"{row['size_bytes'] / 1_000_000:.0f} MB" if isinstance(row["size_bytes"], int) else "",
                row["licence"],
                row["title"],
            )
            for row in rows
        ],
    )


@app.command()
@local_command
def prepare(call: Invocation, name: Name) -> None:
    """Fetch a model's files, build and test it; at once when it is there."""
    from hybridmesh.infra.model_setup import open_store
    from hybridmesh.infra.models.progress import ProgressLines

    _show(call, open_store(call.settings).prepare(name, ProgressLines(name, tell)), "ready")


app.command()(command(use))


@app.command()
@local_command
def export(
    call: Invocation,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="As downloaded from the model hub.")],
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="What to call it here.")],
    small: Annotated[bool, typer.Option("--small", help="4 bits where a decoder bears it, instead of 8.")] = False,
) -> None:
    """Make a model of your own ready: a decoder for the worker, or (with the extra `export`) an encoder."""
    from hybridmesh.infra.model_setup import open_store
    from hybridmesh.infra.models.exporting import export_model
    from hybridmesh.infra.models.progress import ProgressLines

    profile: Profile = "small" if small else "exact"
    _show(call, export_model(open_store(call.settings), folder, name, profile, ProgressLines(name, tell)), "ready")


@app.command()
@local_command
def verify(call: Invocation, name: Name) -> None:
    """Hash a prepared model's files again."""
    from hybridmesh.infra.model_setup import open_store

    _show(call, open_store(call.settings).verify(name), "every file is as it was prepared")


@app.command()
@local_command
def remove(call: Invocation, name: Name) -> None:
    """Delete a prepared model."""
    from hybridmesh.infra.model_setup import open_store
    from hybridmesh.infra.models.progress import ProgressLines

    removed = open_store(call.settings).remove(name, ProgressLines(name, tell))
    if call.json:
        write_json({"name": name, "removed": removed})
    else:
        tell(f"{name}: {'removed' if removed else 'was not prepared'}")


def _needed(name: str, settings: "MeshSettings") -> str:
    """Return whether the settings need a model, and what for where two share the work."""
    from hybridmesh.infra.model_setup import needed_models

    purposes = [purpose for purpose, of in settings.models.names.items() if of == name]
    if len(purposes) == 1:
        return f"for {purposes[0]}s"
    return "yes" if name in needed_models(settings) else ""


def _show(call: Invocation, model: "PreparedModel", words: str) -> None:
    if call.json:
        facts = {"name": model.name, "kind": model.kind, "folder": str(model.folder)}
        write_json({**facts, "size_bytes": model.size_bytes, "licence": model.licence})
    else:
        tell(f"{model.name}: {words}, {model.size_bytes / 1_000_000:.0f} MB in {model.folder}")
