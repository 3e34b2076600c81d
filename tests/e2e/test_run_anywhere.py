"""The same agent started elsewhere: a second worker that only knows the bus and the keys takes its share."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Generator

import pytest

from harness import eventually
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.schemas.tasks import TaskCompleted
from mesh_process import PROGRAM, MeshProcess, present

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.timeout(180)]


@contextlib.contextmanager
def second_worker(mesh: MeshProcess) -> Generator[int]:
    """Run a worker by URL, as on another machine, and yield its process id; it must drain when asked to."""
    url = Endpoint.read(mesh.data).url
    log = mesh.data.parent / "second-worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*PROGRAM, "run", "worker", "--nats", url, "--json", *mesh.flags],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=dict(os.environ),
        )
    try:
        yield process.pid
        started = json.loads(next(line for line in log.read_text("utf-8").splitlines() if line.startswith("{")))
        assert started == {"state": "started", "agent": "worker", "replicas": 1, "pid": process.pid}
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text("utf-8")


async def test_two_workers_share_the_queue(mesh: MeshProcess) -> None:
    """It runs on what you have: one more process is more hands, and nothing has to be told about it."""
    async with mesh.client() as client:
        with second_worker(mesh) as pid:
            first = mesh.processes()["worker"].pid

            async def both_there() -> bool:
                return {first, pid} <= set(await present(client))

            await eventually(both_there, 60)
            before = (await present(client))[first].handled
            mails = [f"Mail {number}: the line is down.\nJane Miller\n" for number in range(16)]
            ids = [await client.submit("Write a short reply to this mail.", inputs={"mail": mail}) for mail in mails]
            ends = await asyncio.gather(*(client.result(task_id, timeout_s=120) for task_id in ids))

            async def both_worked() -> bool:
                there = await present(client)
                return there[first].handled > before and there[pid].handled > 0

            await eventually(both_worked, 15)  # a presence is renewed every five seconds
    assert all(isinstance(end, TaskCompleted) for end in ends)
