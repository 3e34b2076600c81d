"""``approvals``: what waits for a person, and the answer."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import tell, write, write_json, write_table
from hybridmesh.infra.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh
    from hybridmesh.bus.state import State
    from hybridmesh.schemas.approvals import ApprovalRecord

app = typer.Typer(no_args_is_help=True, help="What waits for a person: texts that would leave, drafts under review.")

Question = Annotated[str, typer.Argument(metavar="ID", help="As `approvals ls` shows it.")]
By = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who answers, in one word; of several words the log has a hash.")
]

_KEY = re.compile(r"[0-9a-f-]{36}\.[a-z0-9_-]{1,40}\.\d+\.(egress|review)")
_UNKNOWN = "`hybridmesh approvals ls --all` shows them"


@app.command("ls")
@command
def list_questions(
    call: Invocation, everything: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False
) -> None:
    """List the questions that are open; their texts only show with `show`."""
    from hybridmesh.infra.cli.session import on_mesh

    async def work(mesh: "Mesh") -> "dict[str, ApprovalRecord]":
        found = await (await _records(mesh)).records()
        return {key: record for key, record in found.items() if everything or record.open}

    found = on_mesh(call, work)
    rows = [
        (key, _state(record), record.request.purpose, record.request.due_at.isoformat(), record.request.cost_usd)
        for key, record in found.items()
    ]
    columns = ("id", "state", "purpose", "due_at", "cost_usd")
    if call.json:
        objects = [dict(zip(columns, (*row[:4], None if row[4] is None else str(row[4])), strict=True)) for row in rows]
        write_json({"approvals": objects})
    else:
        write_table(columns, rows)


@app.command()
@command
def show(call: Invocation, question: Question) -> None:
    """Show a question with its text: what would leave, word for word, or the draft under review."""
    from hybridmesh.infra.cli.session import on_mesh

    key = _key(question)
    record = on_mesh(call, lambda mesh: _record(mesh, key))
    request = record.request
    if call.json:
        write_json({"id": key, "state": _state(record), **request.model_dump(mode="json")})
        return
    tell(f"{key}: {_state(record)}, due {request.due_at.isoformat()}")
    for reason in request.reasons:
        tell(f"reason: {reason}")
    write(request.preview)


@app.command()
@command
def approve(call: Invocation, question: Question, by: By = "publisher") -> None:
    """Say yes: the text leaves as it was shown, or the draft is the result."""
    _answer(call, question, approved=True, by=by)


@app.command()
@command
def deny(call: Invocation, question: Question, by: By = "publisher") -> None:
    """Say no: the step stays local, or the draft is turned down."""
    _answer(call, question, approved=False, by=by)


def _answer(call: Invocation, question: str, *, approved: bool, by: str) -> None:
    from hybridmesh.infra.cli.session import on_mesh

    key = _key(question)

    async def work(mesh: "Mesh") -> None:
        record = await _record(mesh, key)
        if not record.open:
            raise UsageError(f"that question is closed: {_state(record)}", remedy="`approvals ls` shows open ones")
        await mesh.answer(record.request, approved=approved, by=by)

    on_mesh(call, work)
    if call.json:
        write_json({"id": key, "approved": approved, "by": by})
    else:
        tell("approved" if approved else "denied")


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise UsageError("that is no question's id", remedy=_UNKNOWN)
    return text


def _state(record: "ApprovalRecord") -> str:
    if record.answer is not None:
        return f"{'approved' if record.answer.approved else 'denied'} by {record.answer.by}"
    return "lapsed" if record.lapsed else "open"


async def _records(mesh: "Mesh") -> "State[ApprovalRecord]":
    from hybridmesh.bus.topology import Bucket
    from hybridmesh.schemas.approvals import ApprovalRecord

    return mesh.links.state(Bucket.APPROVALS, ApprovalRecord)


async def _record(mesh: "Mesh", key: str) -> "ApprovalRecord":
    record = await (await _records(mesh)).get(key)
    if record is None:
        raise UsageError("there is no such question", remedy=_UNKNOWN)
    return record
