"""A five-hop pipeline with everything that the mesh adds, beside the same in bare nats-py and in plain FastStream."""

import os
import sys
from pathlib import Path

import nats
import pytest

from bench.bare_loop import BESIDE, HOPS, bare_loop
from bench.measuring import Figures, Sizes, measure
from bench.pipeline import faststream_pipeline, mesh_pipeline
from bench.publishing import MESSAGE
from bench.reporting import show, write
from bench.signing import signing_ms
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.topology import AUDIT, RESULTS
from hybridmesh.infra.nats.server import NatsServer

SIZES = Sizes(warm=100, sequential=100, concurrent=600, width=32)

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]


async def test_pipeline(nats_server: NatsServer, keys_folder: Path, tmp_path: Path) -> None:
    """Nothing is lost or hidden: every step of a measured run arrives, with an audit event for each of its hops."""
    load = os.getloadavg()[0]
    settings = MeshSettings(data=tmp_path / "data")
    figures: list[Figures] = []
    admin = await nats.connect(nats_server.url)
    js = admin.jetstream()
    async with bare_loop(nats_server.url) as bare:
        figures.append(await measure(f"bare nats-py, {HOPS} hops", bare, SIZES, js, nats_server.pid))
    async with bare_loop(nats_server.url, BESIDE) as writing:
        figures.append(await measure("bare nats-py, as many writes", writing, SIZES, js, nats_server.pid))
    async with faststream_pipeline(nats_server.url) as plain:
        figures.append(await measure(f"FastStream, {HOPS} hops", plain, SIZES, js, nats_server.pid))
    await provision(js, settings.bus)
    async with mesh_pipeline(nats_server.url, keys_folder, settings) as mesh:
        figures.append(await measure(f"mesh, {HOPS} hops", mesh, SIZES, js, nats_server.pid))
    each = SIZES.warm + SIZES.sequential + SIZES.concurrent
    stored = {name: (await js.stream_info(name)).state.messages for name in (RESULTS.name, AUDIT.name)}
    await admin.close()
    assert stored == {RESULTS.name: each, AUDIT.name: each * HOPS}
    show("five hops, with validation, signatures, state and audit", figures)
    hop_ms = figures[-1].process_cpu_ms / HOPS
    share = round(signing_ms(keys_folder, MESSAGE.encode()) / hop_ms, 3)
    sys.stdout.write(f"signatures take {share:.1%} of a hop's {hop_ms:.2f} ms\n")
    write("pipeline", figures, SIZES, load, signatures_of_a_hop=share)
