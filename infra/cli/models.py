"""``model``: the prepared local models."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.infra.cli.console import tell, write_json, write_table
from hybridmesh.infra.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hybridmesh.bus.client import Mesh
    from hybridmesh.bus.settings import MeshSettings
    from hybridmesh.infra.models.packing import Profile
    from hybridmesh.infra.models.store import PreparedModel
    from hybridmesh.schemas.inference import Purpose

app = typer.Typer(no_args_is_help=True, help="The local models, prepared once.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `model list` shows it.")]


@app.command("list")
@command
def list_models(call: Invocation) -> None:
    """List the models of the catalog, and which of them are prepared."""
    from hybridmesh.infra.model_setup import needed_models, open_store
    from hybridmesh.infra.models.catalog import CATALOG

    ready = {model.name: model for model in open_store(call.settings).list()}
    needed = needed_models(call.settings)
    rows: list[dict[str, object]] = []
    for name, entry in CATALOG.items():
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
@command
def prepare(call: Invocation, name: Name) -> None:
    """Fetch a model's files, build and test it; at once when it is there."""
    from hybridmesh.infra.model_setup import open_store
    from hybridmesh.infra.models.progress import ProgressLines

    _show(call, open_store(call.settings).prepare(name, ProgressLines(name, tell)), "ready")


class Work(StrEnum):
    """What a model may be used for."""

    CHECKS = "checks"
    DRAFTS = "drafts"


@app.command()
@command
def use(
    call: Invocation,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="As `model list` shows it.")] = None,
    work: Annotated[Work | None, typer.Option("--for", help="For one of the two only; else for both.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Take back what was chosen: as the settings say.")] = False,
) -> None:
    """Have every worker answer with this model from now on: it is loaded while the old one goes on."""
    from hybridmesh.bus.errors import UsageError
    from hybridmesh.infra.cli.session import on_mesh

    if (name is None) != reset:
        raise UsageError("a model's name or --reset is needed, not both", remedy="see `hybridmesh model list`")
    if name is not None:
        _check_causal(call.settings, name)
    purposes: dict[Work, Purpose] = {Work.CHECKS: "check", Work.DRAFTS: "draft"}
    names: dict[Purpose, str | None] = {purpose: name for of, purpose in purposes.items() if work in (None, of)}

    async def change(mesh: "Mesh") -> bool:
        return await _choose(mesh, names)

    changed = on_mesh(call, change)
    if call.json:
        write_json({"name": name, "for": sorted(names), "changed": changed})
    else:
        chosen = name or "as the settings say"
        tell(f"{chosen}: {'workers load it now; see `hybridmesh agents`' if changed else 'it was so before'}")


@app.command()
@command
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
@command
def verify(call: Invocation, name: Name) -> None:
    """Hash a prepared model's files again."""
    from hybridmesh.infra.model_setup import open_store

    _show(call, open_store(call.settings).verify(name), "every file is as it was prepared")


@app.command()
@command
def remove(call: Invocation, name: Name) -> None:
    """Delete a prepared model."""
    from hybridmesh.infra.model_setup import open_store

    removed = open_store(call.settings).remove(name)
    if call.json:
        write_json({"name": name, "removed": removed})
    else:
        tell(f"{name}: {'removed' if removed else 'was not prepared'}")


def _check_causal(settings: "MeshSettings", name: str) -> None:
    """Raise UsageError unless the worker can use a model of this name."""
    from hybridmesh.bus.errors import UsageError
    from hybridmesh.infra.model_setup import open_store
    from hybridmesh.infra.models.catalog import CATALOG

    known = {
        **{model.name: model.kind for model in open_store(settings).list()},
        **{n: e.kind for n, e in CATALOG.items()},
    }
    if known.get(name) != "causal":
        usable = ", ".join(sorted(other for other, kind in known.items() if kind == "causal"))
        raise UsageError(f"{name} is no model that a worker can use", remedy=f"choose one of: {usable}")


async def _choose(mesh: "Mesh", names: "Mapping[Purpose, str | None]") -> bool:
    """Write the choice, and into the audit log what was chosen."""
    from hybridmesh.bus.model_choice import choose
    from hybridmesh.bus.topology import Bucket
    from hybridmesh.schemas.audits import Action, AuditEvent
    from hybridmesh.schemas.policies import ModelChoice

    changed = await choose(mesh.links.state(Bucket.POLICY, ModelChoice), names)
    if changed:
        now = mesh.links.clock()
        event = AuditEvent(
            agent=mesh.links.identity.name, action=Action.POLICY_CHANGED, at=now, nonce=now.isoformat(),
            facts={"policy": "models", **{purpose: name or "reset" for purpose, name in names.items()}},
        )  # fmt: skip
        await mesh.links.publisher.record(event)
    return changed


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
