"""``terms``: the organisation's own terms, live in every classifier within a second."""

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import tell, write, write_json
from hybridmesh.infra.cli.inputs import read_list
from hybridmesh.infra.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh
    from hybridmesh.bus.terms import Terms

app = typer.Typer(no_args_is_help=True, help="The organisation's own terms: what is private only to you.")

Named = Annotated[list[str] | None, typer.Argument(metavar="TERM...", help="Code names, customers, products.")]
File = Annotated[str | None, typer.Option("--file", metavar="FILE", help="A term a line; - is standard input.")]


@app.command("ls")
@command
def list_terms(call: Invocation) -> None:
    """List the terms that are kept on the bus, one a line; those of mesh.toml hold beside them."""
    from hybridmesh.infra.cli.session import on_mesh

    async def work(mesh: "Mesh") -> list[str]:
        return await (await _terms(mesh)).read()

    found = on_mesh(call, work)
    if call.json:
        write_json({"terms": found})
    elif found:
        write("\n".join(found))


@app.command()
@command
def add(call: Invocation, terms: Named = None, file: File = None) -> None:
    """Add terms: found in any case, at word borders, in all texts from now on."""
    _change(call, _gather(terms, file), "added", lambda kept, given: kept.add(given))


@app.command()
@command
def remove(call: Invocation, terms: Named = None, file: File = None) -> None:
    """Take terms away, each written as `terms ls` shows it."""
    _change(call, _gather(terms, file), "removed", lambda kept, given: kept.remove(given))


def _change(
    call: Invocation, given: list[str], done: str, change: "Callable[[Terms, list[str]], Awaitable[int]]"
) -> None:
    from hybridmesh.infra.cli.recording import record
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.schemas.audits import Action

    async def work(mesh: "Mesh") -> int:
        changed = await change(await _terms(mesh), given)
        if changed:
            await record(mesh, Action.POLICY_CHANGED, {"policy": "terms", done: changed})
        return changed

    changed = on_mesh(call, work)
    if call.json:
        write_json({done: changed, "given": len(given)})
    else:
        rest = len(given) - changed
        tell(f"{done}: {changed}" + (f"; {rest} changed nothing" if rest else ""))


def _gather(terms: list[str] | None, file: str | None) -> list[str]:
    from hybridmesh.bus.terms import read_term

    given = list(terms or [])
    if file is not None:
        _, content = read_list(file, sys.stdin.buffer)
        given += [line for line in content.splitlines() if line.strip()]
    if not given:
        raise UsageError("which terms?", remedy="name them, or a file of them with --file")
    return sorted(set(map(read_term, given)))


async def _terms(mesh: "Mesh") -> "Terms":
    from hybridmesh.bus.terms import Terms
    from hybridmesh.bus.topology import Bucket
    from hybridmesh.schemas.policies import TermShard

    return Terms(mesh.links.state(Bucket.POLICY, TermShard))
