"""``up`` and ``run``: a whole mesh, or one agent anywhere."""

import os
from pathlib import Path
from typing import Annotated

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import tell, write_json
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.cli.given import inherited, read_settings
from hybridmesh.infra.cli.options import Config, Data, Json, Keys, Nats, Sets

Replicas = Annotated[list[str] | None, typer.Option("--replicas", metavar="AGENT=N", help="More of one agent.")]
ReadyFile = Annotated[Path | None, typer.Option(metavar="FILE", help="There while it is at work: what a probe needs.")]


def up(
    data: Data = None, config: Config = None, sets: Sets = None, replicas: Replicas = None, as_json: Json = False
) -> None:
    """Run a whole mesh on this machine until Ctrl-C: the server, the memory, each agent a process.

    With --json, one object on stdout says where it is, once every agent is ready.
    """
    import asyncio

    from hybridmesh.infra.up import Options, Running, serve_until_stopped

    settings = read_settings(data, config, sets)
    options = Options(flags=inherited(config, sets), replicas=dict(map(_replicas, replicas or [])))

    def came_up(mesh: Running) -> None:
        if as_json:
            where = {"url": mesh.url, "data": str(settings.data.resolve()), "cloud": mesh.cloud.value}
            write_json({"state": "up", **where, "pids": mesh.pids()})

    if not asyncio.run(serve_until_stopped(settings, options, tell, came_up)):
        raise typer.Exit(ExitCode.INTERRUPTED)


def run(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Its name, such as worker.")],
    nats: Nats = None,
    replicas: Annotated[int, typer.Option("--replicas", min=1, help="How many processes share its work.")] = 1,
    data: Data = None,
    config: Config = None,
    sets: Sets = None,
    keys: Keys = None,
    ready_file: ReadyFile = None,
    as_json: Json = False,
) -> None:
    """Run one agent on any bus; several replicas share its work.

    With --json, one object on stdout says what was started; that it works is on the bus: `hybridmesh agents`.
    """
    import asyncio

    from hybridmesh.infra.run import check_agent, run_agent, run_replicas

    settings = read_settings(data, config, sets)
    check_agent(agent)
    if ready_file is not None and replicas > 1:
        raise UsageError("one file cannot tell of several replicas", remedy="run each by itself, with its own file")
    if as_json:
        write_json({"state": "started", "agent": agent, "replicas": replicas, "pid": os.getpid()})
    if replicas == 1:
        asyncio.run(run_agent(agent, settings, url=nats, keys=keys, ready_file=ready_file))
        return
    words = ["--data", str(settings.data.resolve()), *inherited(config, sets)]
    words += ["--nats", nats] if nats else []
    words += ["--keys", str(keys.resolve())] if keys else []
    asyncio.run(run_replicas(agent, replicas, words, settings, tell))


def _replicas(item: str) -> tuple[str, int]:
    from hybridmesh.bus.topology import AGENTS

    agent, _, number = item.partition("=")
    if agent not in AGENTS or not number.isdecimal() or int(number) < 1:
        raise UsageError(
            f"--replicas {item} is not understood",
            remedy=f"write it as --replicas worker=2, with one of {', '.join(AGENTS)}",
        )
    return agent, int(number)
