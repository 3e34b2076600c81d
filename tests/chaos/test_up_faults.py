"""``hybridmesh up`` when its disk is full, and when what its bus had stored is gone, in part or in whole."""

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos.faults import STAYS, Row, submit
from harness import eventually
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.errors import MeshUnavailable, PermanentError
from hybridmesh.bus.topology import AUDIT, queue_stream
from hybridmesh.schemas.tasks import TaskCompleted
from mesh_kills import end_of, ends_of
from mesh_process import MeshProcess

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.model,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="session"),
]

TASKS = 3
DISK = "64m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own for what the bus stores."""
    store = tmp_path / "data" / "nats" / "jetstream"
    store.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(store)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    try:
        yield store
    finally:
        subprocess.run(["umount", "--lazy", str(store)], check=True)


@pytest.fixture
def own_mesh(settings: tuple[str, ...], tmp_path: Path) -> Iterator[MeshProcess]:
    """A mesh under its supervisor, not yet started; no cloud, since every task stays at home."""
    process = MeshProcess(tmp_path / "data", (*settings, "cloud.provider=none"))
    try:
        yield process
    finally:
        if process.running():
            assert process.stop() == 0


async def ended_row(client: Mesh, ids: list[str], fault: str, began: float, note: str = "") -> Row:
    """Wait for the tasks and count their ends."""
    good = 0
    for task_id in ids:
        with contextlib.suppress(TimeoutError):
            good += isinstance(await end_of(client, task_id, 60), TaskCompleted)
    recovery_s = time.monotonic() - began
    ends = [await ends_of(client, task_id) for task_id in ids]
    twice = sum(max(0, count - 1) for count in ends)
    return Row(fault, len(ids), sum(map(bool, ends)), ends.count(0), twice, recovery_s, note or f"{good} completed")


@pytest.mark.short
async def test_the_disk_is_full(small_disk: Path, own_mesh: MeshProcess, report: Callable[[Row], None]) -> None:
    """Nothing is lost: what was accepted goes on once there is room, and a client is told that nothing is taken."""
    own_mesh.start()
    async with own_mesh.client() as client:
        ids = await submit(client, TASKS, STAYS)
        ballast = fill(small_disk)
        with pytest.raises(MeshUnavailable):
            await submit_more(client, ids)
        ids += outbox_of(own_mesh)
        began = time.monotonic()
        ballast.unlink()
    async with own_mesh.client() as client:  # sends what waits
        row = await ended_row(client, ids, "bus: disk full (tmpfs), then room", began)
    report(row)
    assert (row.lost, row.twice) == (0, 0)
    assert "the disk is full" in own_mesh.said


def fill(disk: Path) -> Path:
    """Write a file for as long as the disk takes it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65536))
    return ballast


async def submit_more(client: Mesh, ids: list[str]) -> None:
    """Submit until it is refused; what is begun of a block can still be written on a full disk."""
    for _ in range(100):
        ids += await submit(client, 1, STAYS)


def outbox_of(mesh: MeshProcess) -> list[str]:
    """Return the tasks that the bus has not acknowledged."""
    return [path.stem for path in (mesh.data / "outbox").glob("*.json")]


async def test_one_queue_is_gone_after_a_crash(own_mesh: MeshProcess, report: Callable[[Row], None]) -> None:
    """Nothing is lost: a hop that is gone with its stream is found missing, and made again."""
    own_mesh.start()
    async with own_mesh.client() as client:
        ids = await held_by_the_worker(own_mesh, client)
        began = time.monotonic()
        streams = own_mesh.data / "nats" / "jetstream" / "jetstream" / "LOCAL" / "streams"
        lose(own_mesh, streams / queue_stream("worker"))
        row = await ended_row(client, ids, "bus: the worker's queue wiped", began)
    report(row)
    assert (row.lost, row.twice) == (0, 0)


@pytest.mark.short
async def test_the_whole_store_is_gone_after_a_crash(own_mesh: MeshProcess, report: Callable[[Row], None]) -> None:
    """Nothing is lost in silence: who waits is told to submit again, and the mesh works on an empty store."""
    own_mesh.start()
    async with own_mesh.client() as client:
        ids = await held_by_the_worker(own_mesh, client)
        waiting = [asyncio.create_task(client.result(task_id, timeout_s=60)) for task_id in ids]
        await asyncio.sleep(1)
        began = time.monotonic()
        lose(own_mesh, own_mesh.data / "nats" / "jetstream")
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        told = sum(isinstance(answer, PermanentError) and answer.reason == "store-lost" for answer in answers)
        told_s = time.monotonic() - began
        after = await ended_row(client, await submit(client, TASKS, STAYS), "", began)
        log = await log_size(own_mesh)
    report(Row("bus: the whole store wiped", len(ids), 0, len(ids), 0, told_s, f"{told} told so; then {after.note}"))
    assert told == TASKS
    assert (after.lost, after.twice) == (0, 0)
    assert log > 0


async def held_by_the_worker(mesh: MeshProcess, client: Mesh) -> list[str]:
    """Submit tasks and stop the worker, so that they wait in its queue."""
    mesh.processes()["worker"].suspend()
    ids = await submit(client, TASKS, STAYS)
    async with mesh.insight() as insight:
        js = insight.jetstream()

        async def queued() -> bool:
            return (await js.stream_info(queue_stream("worker"))).state.messages == TASKS

        await eventually(queued, 60)
    return ids


def lose(mesh: MeshProcess, folder: Path) -> None:
    """Take a folder of the store away, kill the server in the same moment, and let the worker go on."""
    gone = mesh.data.parent / "gone"
    folder.rename(gone)
    mesh.processes()["nats"].kill()
    mesh.processes()["worker"].resume()
    shutil.rmtree(gone)


async def log_size(mesh: MeshProcess) -> int:
    """Return how many events the audit log holds."""
    async with mesh.insight() as insight:
        return (await insight.jetstream().stream_info(AUDIT.name)).state.messages
