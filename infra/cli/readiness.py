"""``ready``: whether agents are at work, with their models loaded; for scripts that start a mesh and go on then."""

import contextlib
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.infra.cli.console import tell, write_json, write_table
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.cli.invocation import Invocation, command
from hybridmesh.infra.cli.names import check_known
from hybridmesh.infra.cli.tasks import Timeout, check_waiting

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh
    from hybridmesh.bus.presence import Presence

_LOOK_AGAIN_S = 0.5


@command
def ready(
    call: Invocation,
    agents: Annotated[
        list[str] | None, typer.Argument(metavar="AGENT...", help="Who is meant (default: all agents).")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Look again until they are.")] = False,
    timeout: Timeout = None,
) -> None:
    """Say whether a replica of each agent is at work, with its models loaded; exits with 1 when not.

    With --wait it looks again until they are, also while there is no mesh yet.
    """
    from hybridmesh.bus.topology import AGENTS

    check_waiting(wait, timeout)
    for name in agents or ():
        check_known("agent", name, AGENTS)
    problems = _look(call, agents, until=time.monotonic() + (timeout or float("inf")) if wait else 0.0)
    if call.json:
        write_json({"ready": not any(problems.values()), "agents": problems})
    else:
        write_table(("agent", "state"), [(name, problem or "ready") for name, problem in problems.items()])
    raise typer.Exit(ExitCode.TASK_FAILED if any(problems.values()) else ExitCode.OK)


def _look(call: Invocation, named: Collection[str] | None, until: float) -> Mapping[str, str | None]:
    """Return what is wrong with each agent, None for nothing, as soon as nothing is or the time is over."""
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.infra.readiness import problem_of

    async def work(mesh: "Mesh") -> "list[Presence]":
        from hybridmesh.bus.presence import Presence
        from hybridmesh.bus.topology import Bucket

        return list((await mesh.links.state(Bucket.AGENTS, Presence).records()).values())

    told = ""
    while True:
        is_last = time.monotonic() >= until
        try:
            found = on_mesh(call, work)
        except MeshUnavailable as error:
            if is_last:
                raise
            waits = str(error)
        else:
            problems = {name: problem_of(name, found) for name in named or _expected(call)}
            if is_last or not any(problems.values()):
                return problems
            waits = f"not ready: {', '.join(name for name, problem in problems.items() if problem)}"
        if waits != told:
            tell(f"waiting; {waits}")
            told = waits
        time.sleep(min(_LOOK_AGAIN_S, max(until - time.monotonic(), 0)))


def _expected(call: Invocation) -> list[str]:
    """Return all agents, but for the consultant where there is nobody to ask it."""
    from hybridmesh.bus.endpoint import Endpoint
    from hybridmesh.bus.topology import AGENTS

    cloud: str = call.settings.cloud.provider
    if call.url is None and call.settings.nats_url is None:
        with contextlib.suppress(MeshUnavailable):  # it ended just now
            cloud = Endpoint.read(call.settings.data).cloud
    return [name for name in AGENTS if name != "consultant" or cloud != "none"]
