"""A five-hop pipeline with everything that the mesh adds, beside the same in bare nats-py and in plain FastStream.

Each kind runs with all hops in one process, and with each in a process of its own, as agents are run.
"""

import os
import sys
from pathlib import Path

import nats
import pytest

from bench.bare_loop import HOPS
from bench.hops import Kind, hops_apart, hops_together, sender_of
from bench.measuring import Figures, Sizes, measure
from bench.publishing import MESSAGE
from bench.reporting import show, write
from bench.signing import signing_ms
from hybridmesh.bus.topology import AUDIT, RESULTS
from hybridmesh.infra.nats.server import NatsServer

SIZES = Sizes(warm=100, sequential=100, concurrent=600, width=32)

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]


async def test_pipeline(nats_server: NatsServer, keys_folder: Path) -> None:
    """Nothing is lost or hidden: every step of a measured run arrives, with an audit event for each of its hops."""
    load = os.getloadavg()[0]
    url = nats_server.url
    admin = await nats.connect(url)
    js = admin.jetstream()
    figures: list[Figures] = []
    for place, running in (("", hops_together), (", a process each", hops_apart)):
        for kind in Kind:
            async with sender_of(kind, url, keys_folder) as task, running(kind, url, keys_folder) as others:
                name = f"{kind.value}, {HOPS} hops{place}"
                figures.append(await measure(name, task, SIZES, js, nats_server.pid, others))
    each = 2 * (SIZES.warm + SIZES.sequential + SIZES.concurrent)
    stored = {name: (await js.stream_info(name)).state.messages for name in (RESULTS.name, AUDIT.name)}
    await admin.close()
    assert stored == {RESULTS.name: each, AUDIT.name: each * HOPS}
    show("five hops, with validation, signatures, state and audit", figures)
    together, apart = figures[: len(Kind)], figures[len(Kind) :]
    for rows, place in ((together, "in one process"), (apart, "in processes of their own")):
        mesh = rows[-1].tasks_per_s
        told = ", ".join(f"{mesh / row.tasks_per_s:.2f} of {row.name}" for row in rows[:-1])
        sys.stdout.write(f"tasks a second, {place}: {told}\n")
    hop_ms = together[-1].process_cpu_ms / HOPS
    share = round(signing_ms(keys_folder, MESSAGE.encode()) / hop_ms, 3)
    sys.stdout.write(f"signatures take {share:.1%} of a hop's {hop_ms:.2f} ms\n")
    write("pipeline", figures, SIZES, load, signatures_of_a_hop=share)
