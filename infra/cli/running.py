"""``up`` and ``run``: a whole mesh, or one agent anywhere."""

import asyncio
from typing import Annotated

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import tell
from hybridmesh.infra.cli.options import Config, Data, Keys, Nats, Sets, inherited, read_settings

Replicas = Annotated[list[str] | None, typer.Option("--replicas", metavar="AGENT=N", help="More of one agent.")]


def up(data: Data = None, config: Config = None, sets: Sets = None, replicas: Replicas = None) -> None:
    """Run a whole mesh on this machine until Ctrl-C: the server, the memory, each agent a process."""
    from hybridmesh.infra.up import Options, serve_until_stopped

    settings = read_settings(data, config, sets)
    options = Options(flags=inherited(config, sets), replicas=dict(map(_replicas, replicas or [])))
    asyncio.run(serve_until_stopped(settings, options, tell))


def run(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Its name, such as worker.")],
    nats: Nats = None,
    replicas: Annotated[int, typer.Option("--replicas", min=1, help="How many processes share its work.")] = 1,
    data: Data = None,
    config: Config = None,
    sets: Sets = None,
    keys: Keys = None,
) -> None:
    """Run one agent on any bus; several replicas share its work."""
    from hybridmesh.infra.run import run_agent, run_replicas

    settings = read_settings(data, config, sets)
    if replicas == 1:
        asyncio.run(run_agent(agent, settings, url=nats, keys=keys))
        return
    words = ["--data", str(settings.data.resolve()), *inherited(config, sets)]
    words += ["--nats", nats] if nats else []
    words += ["--keys", str(keys.resolve())] if keys else []
    asyncio.run(run_replicas(agent, replicas, words, settings, tell))


def _replicas(item: str) -> tuple[str, int]:
    from hybridmesh.bus.topology import AGENTS

    agent, _, number = item.partition("=")
    if agent not in AGENTS or not number.isdigit() or int(number) < 1:
        raise UsageError(f"--replicas {item} is not understood", remedy="write it as --replicas worker=2")
    return agent, int(number)
