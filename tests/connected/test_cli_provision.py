"""``provision``: a bare server made ready for agents, once or many times."""

import asyncio
import socket
from pathlib import Path

import nats
import pytest

from command_line import Ran, run_command
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.topology import AGENTS, Bucket, streams
from hybridmesh.infra.nats.server import NatsServer

pytestmark = pytest.mark.connected


async def provision(*words: str) -> Ran:
    """Run the command beside this loop."""
    return await asyncio.to_thread(run_command, "provision", words)


async def test_a_bare_server_becomes_a_bus(nats_server: NatsServer, tmp_path: Path) -> None:
    """It runs on what you have: streams, buckets and keys are made once, and a second run changes nothing."""
    keys = tmp_path / "keys"
    words = ("--nats", nats_server.url, "--keys", str(keys))
    assert (await provision(*words)).code == 0
    before = {file.name: file.read_bytes() for file in keys.iterdir() if file.is_file()}
    client = await nats.connect(nats_server.url)
    try:
        js = client.jetstream()
        for stream in streams():
            assert (await js.stream_info(stream.name)).config.num_replicas == 1
        for bucket in Bucket:
            await js.key_value(bucket)
        again = await provision(*words, "--json")
    finally:
        await client.close()
    assert again.json == {"provisioned": True, "keys": str(keys)}
    assert {file.name: file.read_bytes() for file in keys.iterdir() if file.is_file()} == before
    ring = KeyRing.read(keys)
    for agent in AGENTS:
        identity = read_identity(keys, agent)
        assert ring.holds(agent, identity.sign(b"x"), b"x")


@pytest.mark.usefixtures("impatient")
async def test_what_cannot_be_provisioned_is_said(nats_server: NatsServer, tmp_path: Path) -> None:
    """Nothing is hidden: no bus named, nobody there, or too few servers for the replicas."""
    assert (await provision("--data", str(tmp_path))).code == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = await provision("--nats", f"nats://127.0.0.1:{taken.getsockname()[1]}")
    assert nobody.code == 3
    alone = await provision("--nats", nats_server.url, "--stream-replicas", "3")
    assert alone.code == 5
    assert "cluster" in alone.err
