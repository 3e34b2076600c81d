"""``model use``: which local model answers, in every worker and from now on."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.infra.cli.console import tell, write_json
from hybridmesh.infra.cli.invocation import Invocation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hybridmesh.bus.client import Mesh
    from hybridmesh.schemas.inference import Purpose


class Work(StrEnum):
    """What a model may be used for."""

    CHECKS = "checks"
    DRAFTS = "drafts"


def use(
    call: Invocation,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="As `model list` shows it.")] = None,
    work: Annotated[Work | None, typer.Option("--for", help="For one of the two only; else for both.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Take back what was chosen: as the settings say.")] = False,
) -> None:
    """Have every worker answer with this model from now on: it is loaded while the old one goes on."""
    from hybridmesh.bus.errors import UsageError
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.infra.model_setup import check_causal

    if (name is None) != reset:
        raise UsageError("a model's name or --reset is needed, not both", remedy="see `hybridmesh model list`")
    if name is not None:
        check_causal(call.settings, name)
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
