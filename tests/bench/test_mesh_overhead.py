"""The mesh's own time for a task of one step, beside a bare nats-py loop of five hops on the same server.

The first figure is what a task takes while nothing else runs, the second how many get through with sixteen under
way. Models and cloud are instant; all agents share this one process and so one core, which in earnest they do not.
"""

import os
from functools import partial
from pathlib import Path

import nats
import pytest

from bench.bare_loop import HOPS
from bench.crew import crew
from bench.hops import Kind, hops_together, sender_of
from bench.measuring import Figures, Sizes, measure
from bench.publishing import publishing
from bench.reporting import show, write
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.settings import CloudSettings, MeshSettings
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.schemas.routing import Lane

SIZES = Sizes(warm=32, sequential=100, concurrent=200, width=16)

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]


async def test_mesh_overhead(nats_server: NatsServer, keys_folder: Path, tmp_path: Path) -> None:
    """Nothing is lost: every task of a measured run ends, on the lane that it was meant for."""
    load = os.getloadavg()[0]
    settings = MeshSettings(data=tmp_path / "data", cloud=CloudSettings(provider="simulated"))
    figures: list[Figures] = []
    admin = await nats.connect(nats_server.url)
    js = admin.jetstream()
    async with (
        sender_of(Kind.BARE, nats_server.url, keys_folder) as bare,
        hops_together(Kind.BARE, nats_server.url, keys_folder),
    ):
        figures.append(await measure(f"bare nats-py, {HOPS} hops", bare, SIZES, js, nats_server.pid))
    await provision(js, settings.bus)
    async with (
        crew(nats_server.url, keys_folder, settings),
        publishing(nats_server.url, keys_folder, settings) as publisher,
    ):
        for lane in (Lane.LOCAL, Lane.REDACTED):
            task = partial(publisher.submit, lane)
            figures.append(await measure(f"mesh, {lane.value}", task, SIZES, js, nats_server.pid))
        lanes = publisher.completed()
    await admin.close()
    each = SIZES.warm + SIZES.sequential + SIZES.concurrent
    assert lanes == [Lane.LOCAL] * each + [Lane.REDACTED] * each
    show("the mesh's own time for a task of one step, models and cloud instant", figures)
    write("mesh_overhead", figures, SIZES, load)
