"""``memory``: your own records, which results are checked against; added, found, and forgotten."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import tell, write_json, write_table
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.cli.inputs import read_list
from hybridmesh.infra.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh
    from hybridmesh.schemas.memory import ForgetReceipt, Hits, WriteResult

app = typer.Typer(no_args_is_help=True, help="The private memory: records that results are checked against.")

_AT_ONCE = 64  # items of one request, which has its vectors made before it is answered


@app.command()
@command
def add(
    call: Invocation, file: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines; - is standard input.")]
) -> None:
    """Keep items, each a line: {"text": "…"} with, if wanted, "kind", "key", "subject", "data" and "expires_at".

    A kind is record (the default), document or preference; a key, such as a customer's number, finds an item exactly;
    a subject is whom it is about. What is there already is not kept twice.
    """
    from hybridmesh.bus.requests import RemoteMemory
    from hybridmesh.infra.cli.memory_lines import read_items
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.schemas.memory import Remember

    name, content = read_list(file, sys.stdin.buffer)

    async def work(mesh: "Mesh") -> "dict[int, WriteResult]":
        links = mesh.links
        items = read_items(content, source=f"file:{name}", author=links.identity.name, now=links.clock())
        memory, numbers = RemoteMemory(links.asker), list(items)
        found: dict[int, WriteResult] = {}
        for begin in range(0, len(numbers), _AT_ONCE):
            some = numbers[begin : begin + _AT_ONCE]
            kept = await memory.remember(Remember(items=tuple(items[number] for number in some)))
            found |= dict(zip(some, kept.results, strict=True))
        return found

    results = on_mesh(call, work)
    refused = {number: result.reason for number, result in results.items() if result.outcome == "refused"}
    fresh = sum(result.outcome in ("created", "superseded") for result in results.values())
    if call.json:
        counts = {"added": fresh, "known": len(results) - fresh - len(refused), "refused": len(refused)}
        write_json({**counts, "ids": [result.id for result in results.values()]})
    else:
        known = len(results) - fresh - len(refused)
        tell(f"added: {fresh}" + (f"; {known} were there" if known else ""))
    for number, reason in refused.items():
        tell(f"line {number} is refused: {reason}")
    raise typer.Exit(ExitCode.DATA if refused else ExitCode.OK)


@app.command()
@command
def search(
    call: Invocation,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Words, or a question.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, metavar="N", help="How many at most.")] = 5,
) -> None:
    """Find items by meaning and words, the best first, as the agents do."""
    from hybridmesh.bus.requests import RemoteMemory
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.schemas.memory import Search

    if not query.strip():
        raise UsageError("what is looked for?", remedy="give words, or a question")

    async def work(mesh: "Mesh") -> "Hits":
        return await RemoteMemory(mesh.links.asker).search(Search(query=query, limit=limit))

    hits = on_mesh(call, work).hits
    if call.json:
        write_json({"hits": [hit.model_dump(mode="json") for hit in hits]})
        return
    columns = ("id", "kind", "key", "subject", "source", "text")
    items = [hit.item for hit in hits]
    write_table(columns, [(item.id, item.kind, item.key, item.subject, item.source, item.text) for item in items])


@app.command()
@command
def forget(
    call: Invocation,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="As `memory search` shows them.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", metavar="WHO", help="All that is about them.")] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="SOURCE", help="All that came from there.")] = None,
) -> None:
    """Remove items, what was made from them and the versions that they replaced, for good."""
    from hybridmesh.bus.requests import RemoteMemory
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.schemas.memory import Forget

    if not (ids or subject or source):
        raise UsageError("what is to be forgotten?", remedy="name ids, a --subject or a --source")

    async def work(mesh: "Mesh") -> "ForgetReceipt":
        request = Forget(ids=tuple(ids or ()), subject=subject, source=source)
        return await RemoteMemory(mesh.links.asker).forget(request)

    receipt = on_mesh(call, work)
    if call.json:
        write_json(receipt)
    else:
        tell(f"forgotten: {receipt.removed}")
