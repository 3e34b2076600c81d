"""``dead-letters``: messages that nobody could handle; look at them, send them again, or drop them."""

import base64
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybridmesh.bus.errors import MeshError, PermanentError, UsageError
from hybridmesh.infra.cli.console import tell, write, write_json, write_table
from hybridmesh.infra.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridmesh.bus.client import Mesh
    from hybridmesh.infra.dead_letters import DeadLetters, Letter

app = typer.Typer(no_args_is_help=True, help="Messages that nobody could handle.")

Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As `dead-letters ls` shows it.")]

_COLUMNS = ("number", "type", "reason", "buried_by", "buried_at", "bytes", "replays", "detail")


@app.command("ls")
@command
def list_letters(call: Invocation) -> None:
    """List the dead letters, without their bodies."""
    from hybridmesh.infra.cli.session import on_mesh

    async def work(mesh: "Mesh") -> list[dict[str, object]]:
        return [letter.facts() for letter in await _letters(mesh).read_all()]

    found = on_mesh(call, work)
    if call.json:
        write_json({"dead_letters": found})
    else:
        write_table(_COLUMNS, [[facts[name] for name in _COLUMNS] for facts in found])


@app.command()
@command
def show(
    call: Invocation,
    number: Number,
    raw: Annotated[bool, typer.Option("--raw", help="Also the body, which may be private; the audit log notes it.")] = (
        False
    ),
) -> None:
    """Show a dead letter: its headers and reason, and with --raw its body."""
    from hybridmesh.infra.cli.session import on_mesh

    async def work(mesh: "Mesh") -> tuple[dict[str, Any], bytes | None]:
        letters = _letters(mesh)
        letter = await letters.read(number)
        shown = {**letter.facts(), "headers": letter.envelope.headers}
        return shown, await letters.open_body(letter) if raw else None

    facts, body = on_mesh(call, work)
    if call.json:
        write_json(facts if body is None else {**facts, **_as_json(body)})
        return
    headers = facts.pop("headers")
    for name, value in {**facts, **headers}.items():
        write(f"{name}: {value}")
    if body is not None:
        write("\n" + body.decode("utf-8", "backslashreplace"))


@app.command()
@command
def replay(
    call: Invocation,
    number: Annotated[int | None, typer.Argument(metavar="NUMBER", min=1, help="As `ls` shows it.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were not replayed yet.")] = False,
) -> None:
    """Send a dead letter again to where it died, as it was; it stays among the dead letters, marked.

    One whose agent would do nothing with it is refused: its task is over, or its signature is too old.
    """
    from hybridmesh.infra.cli.session import on_mesh

    if (number is None) != everything:
        raise UsageError("one letter or all of them?", remedy="give a number, or --all")

    async def work(mesh: "Mesh") -> tuple[list[int], list[MeshError]]:
        letters = _letters(mesh)
        if number is not None:
            return await _send_again(letters, [await letters.read(number)])
        return await _send_again(letters, [letter for letter in await letters.read_all() if not letter.replays])

    sent, failures = on_mesh(call, work)
    if call.json and (sent or not failures):
        write_json({"replayed": sent})
    elif sent or not failures:
        tell(f"replayed: {', '.join(map(str, sent)) or 'nothing'}")
    for error in failures[:-1]:
        tell(f"error: {error}")
    if failures:
        raise failures[-1]


@app.command()
@command
def drop(
    call: Invocation,
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER…", min=1, help="As `dead-letters ls` shows them.")],
) -> None:
    """Erase dead letters for good; the audit log keeps that there were such, and who dropped them."""
    from hybridmesh.infra.cli.session import on_mesh

    async def work(mesh: "Mesh") -> None:
        letters = _letters(mesh)
        for letter in [await letters.read(number) for number in dict.fromkeys(numbers)]:
            await letters.drop(letter)

    on_mesh(call, work)
    if call.json:
        write_json({"dropped": list(dict.fromkeys(numbers))})
    else:
        tell(f"dropped: {', '.join(map(str, dict.fromkeys(numbers)))}")


async def _send_again(letters: "DeadLetters", chosen: "Sequence[Letter]") -> tuple[list[int], list[MeshError]]:
    """Return the numbers of those that were sent, and why others were not; after one that may pass none is tried."""
    sent: list[int] = []
    failures: list[MeshError] = []
    for letter in chosen:
        try:
            await letters.replay(letter)
        except (UsageError, PermanentError) as error:
            failures.append(error)
        except MeshError as error:
            return sent, [*failures, error]
        else:
            sent.append(letter.number)
    return sent, failures


def _letters(mesh: "Mesh") -> "DeadLetters":
    from hybridmesh.infra.dead_letters import DeadLetters

    links = mesh.links
    return DeadLetters(links.js, links.publisher, links.ring, links.settings.bus.signed_within, links.clock)


def _as_json(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
