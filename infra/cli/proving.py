"""``audit prove`` and ``audit verifier``: proofs for somebody outside, and the program that checks them."""

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import tell, write
from hybridmesh.infra.cli.invocation import Invocation, command, local_command
from hybridmesh.infra.cli.names import read_task_id

if TYPE_CHECKING:
    from hybridmesh.bus.log_proofs import SealedLog


@command
def prove(
    call: Invocation,
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help="Whose events are in the log.")] = None,
    since: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="A checkpoint that was kept: prove that the log grew from it."),
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="From an export, without a mesh.")] = None,
) -> None:
    """Print a proof as JSON: that a task's events are in the log, or that the log grew from a kept checkpoint.

    Whoever has the ring of public keys can check it without the log and without this program: see `audit verifier`.
    """
    from hybridmesh.agents.auditor.bundle import entry_fields
    from hybridmesh.bus.log_proofs import prove_growth, prove_task
    from hybridmesh.infra.kept_checkpoints import read_kept

    if (task is None) == (since is None):
        raise UsageError("what is to be proved?", remedy="name a task, or a kept checkpoint with --since")
    task_id = None if task is None else read_task_id(task)
    kept = None if since is None else max(read_kept(since), key=lambda claim: claim.size)
    log = _sealed(call, file, task_id)
    proof: dict[str, Any] = {"checkpoint": entry_fields("checkpoints", log.seal)}
    if task_id is not None:
        proof |= {
            "proves": "inclusion",
            "task": task_id,
            "entries": [
                {"entry": entry_fields("log", item.entry), "index": item.index, "path": [h.hex() for h in item.path]}
                for item in prove_task(log)
            ],
        }
    elif kept is not None:
        path = prove_growth(log, kept)
        since_fields = {"size": kept.size, "root": kept.root}
        proof |= {"proves": "consistency", "since": since_fields, "path": [h.hex() for h in path]}
    write(json.dumps(proof, ensure_ascii=False, indent=None if call.json else 1))


@local_command
def verifier(call: Invocation) -> None:
    """Print the program that checks exports and proofs: Python's standard library and `cryptography`, one file.

    python verify.py EXPORT-OR-PROOF ring.json [KEPT.json]
    """
    write((files("hybridmesh.infra") / "offline_verifier.py").read_text("utf-8").rstrip("\n"))
    if not call.json:
        tell("check with: python verify.py EXPORT-OR-PROOF ring.json [KEPT.json]")


def _sealed(call: Invocation, file: Path | None, task_id: str | None) -> "SealedLog":
    """Return what can be proved of the log of the mesh, or of an export."""
    from hybridmesh.bus.identity import KeyRing
    from hybridmesh.infra.audit_proofs import sealed_file, sealed_log
    from hybridmesh.infra.cli.roles import Right
    from hybridmesh.infra.cli.session import on_mesh

    if file is not None:
        return sealed_file(file, KeyRing.read(call.keys_folder), task_id)
    return on_mesh(call, lambda mesh: sealed_log(mesh.links.js, mesh.links.ring, task_id), Right.LOG)
