"""``doctor``: what is here, what is missing, and how to get it."""

import typer

from hybridmesh.infra.cli.console import write, write_json
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.cli.invocation import Invocation, local_command


@local_command
def doctor(call: Invocation) -> None:
    """Look whether a mesh can start here; exits with 5 when something is missing."""
    from hybridmesh.infra.doctor import can_start, examine
    from hybridmesh.infra.doctor_probes import look

    findings = examine(look(call.settings))
    ready = can_start(findings)
    if call.json:
        lines = [{"name": it.name, "state": it.state, "text": it.text, "remedy": it.remedy} for it in findings]
        write_json({"can_start": ready, "findings": lines})
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            write(f"{finding.state:<8} {finding.name:<{width}}  {finding.text}")
            if finding.remedy:
                write(f"{'':<8} {'':<{width}}  remedy: {finding.remedy}")
    raise typer.Exit(ExitCode.OK if ready else ExitCode.SETUP)
