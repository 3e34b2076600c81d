"""``vault``: a new key for all scopes, and forgetting one."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import tell, write, write_json
from hybridmesh.infra.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh
    from hybridmesh.bus.receipts import Receipt
    from hybridmesh.infra.vault_upkeep import Rotation

app = typer.Typer(no_args_is_help=True, help="The vault of private values: keys and forgetting.")

_SCOPE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@app.command()
@command
def rotate(call: Invocation) -> None:
    """Wrap every scope by a new key, and destroy the old one; agents go on. Run it again if it was cut off.

    The keys folder must be the one that the agents read; where it is a copy, copy its vault*.kek files again.
    """
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.infra.vault_upkeep import rotate as rotate_keys

    folder = call.keys_folder

    async def work(mesh: "Mesh") -> "Rotation":
        return await rotate_keys(mesh.links, folder, tell)

    done = on_mesh(call, work)
    if call.json:
        facts = {"key_id": done.key_id, "scopes": done.scopes, "unreadable": done.unreadable, "resumed": done.resumed}
        write_json(facts)
        return
    tell("the rotation that was cut off is finished" if done.resumed else "the vault has a new key")
    write(f"key {done.key_id} wraps {done.scopes} scopes; the old key is destroyed")
    if done.unreadable:
        tell(f"warning: {done.unreadable} scopes are wrapped by a key that is not in this folder, and stay unreadable")


@app.command()
@command
def forget(
    call: Invocation,
    scope: Annotated[str, typer.Argument(metavar="SCOPE", help="A task's id, or c- and a conversation's name.")],
) -> None:
    """Destroy a scope's key and values, and print the signed receipt: scope, when, how many values, which keys."""
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.infra.vault_upkeep import forget as forget_scope

    if not _SCOPE.fullmatch(scope):
        raise UsageError("that is no scope", remedy="give the id that `hybridmesh submit` printed")
    folder = call.keys_folder

    async def work(mesh: "Mesh") -> "Receipt":
        return await forget_scope(mesh.links, folder, scope)

    receipt = on_mesh(call, work)
    if call.json:
        write_json(receipt)
    else:
        for name, value in receipt.model_dump(mode="json").items():
            write(f"{name:<14} {value}")
        tell("the values are gone; what was put into results before is not")
