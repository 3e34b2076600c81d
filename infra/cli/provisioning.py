"""``provision``: a bus that runs elsewhere, made ready for agents."""

from typing import Annotated

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import tell, write_json
from hybridmesh.infra.cli.invocation import Invocation, bus_command


@bus_command
def provision(
    call: Invocation,
    stream_replicas: Annotated[
        int, typer.Option("--stream-replicas", min=1, max=5, metavar="N", help="How many servers hold each stream.")
    ] = 1,
) -> None:
    """Make a bus ready: streams, queues and buckets, and the keys in a folder that is there; safe to run again.

    `hybridmesh up` needs none of it: it does the same for its own server.
    """
    url = call.url or call.settings.nats_url
    if url is None:
        raise UsageError("which bus?", remedy="name it with --nats, such as --nats nats://127.0.0.1:4222")
    import asyncio

    from hybridmesh.infra.provision import provision_bus

    folder = call.settings.data / "keys"
    keys = call.keys or (folder if folder.is_dir() else None)
    asyncio.run(provision_bus(url, call.settings, replicas=stream_replicas, keys=keys))
    # The URL is not repeated: it may hold a password.
    if call.json:
        write_json({"provisioned": True, "keys": None if keys is None else str(keys)})
    else:
        tell("the bus is ready" if keys is None else f"the bus is ready, and the keys are in {keys}")
