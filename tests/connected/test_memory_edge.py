"""The embedded engine under faults: kills, two owners, a dead parent, half-done rewrites, and leftover bytes."""

import asyncio
import os
import random
import signal
import sys
import uuid
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

import psutil
import pytest

from hybridmesh.agents.memory.edge_folder import EdgeFolder
from hybridmesh.agents.memory.edge_store import EdgeStore
from hybridmesh.agents.memory.store import Entry, Point, Sparse, VectorStore, Where
from hybridmesh.bus.errors import MemoryUnavailable, SetupError
from stored_rows import rows_of

NAME, SIZE = "test_v1", 8
CANARY = "canary-7f3a9c-secret"
ALL = Where("t")

pytestmark = pytest.mark.connected


class Fields(TypedDict, total=False):
    id: str
    key: str
    expires_at: float


def make_point(text: str = "text", **fields: Unpack[Fields]) -> Point:
    draw = random.Random(text)
    entry = Entry(id=str(uuid.uuid4()), tenant="t", kind="record", item=text, created_at=1.0)
    entry = replace(entry, **fields)
    return Point(
        entry, tuple(draw.uniform(-1, 1) for _ in range(SIZE)), Sparse((zlib.crc32(text.encode()), 7), (1.0, 0.5))
    )


async def open_store(folder: Path, lock_wait_s: float = 5.0) -> EdgeStore:
    return await EdgeStore.open(folder, dense_name=NAME, dense_size=SIZE, lock_wait_s=lock_wait_s)


async def all_ids(store: VectorStore) -> set[str]:
    return {row.id for row in await rows_of(store, ALL)}


def files_with_canary(folder: Path) -> list[str]:
    needle = CANARY.encode()
    return [path.name for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes()]


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EdgeStore]:
    opened = await open_store(tmp_path / "memory")
    yield opened
    await opened.close()


async def test_every_acknowledged_write_survives_kills_in_the_middle_of_writing(store: EdgeStore) -> None:
    """Nothing is lost: kill -9 of the engine, three times, under eight writers."""
    acknowledged: set[str] = set()
    failures = 0
    done = asyncio.Event()

    async def write_on() -> None:
        nonlocal failures
        while not done.is_set():
            point = make_point()
            try:
                await store.write([point])
            except MemoryUnavailable:
                failures += 1
            else:
                acknowledged.add(point.entry.id)

    writers = [asyncio.create_task(write_on()) for _ in range(8)]
    for _ in range(3):
        goal = len(acknowledged) + 30
        while len(acknowledged) < goal:
            await asyncio.sleep(0.005)
        kill(store.engine_pid)
        while store.engine_pid is None:
            await asyncio.sleep(0.005)
    goal = len(acknowledged) + 30
    while len(acknowledged) < goal:
        await asyncio.sleep(0.005)
    done.set()
    await asyncio.gather(*writers)
    assert failures >= 3
    assert acknowledged <= await all_ids(store)


async def test_open_requests_fail_as_transient_and_the_engine_comes_back_by_itself(store: EdgeStore) -> None:
    """Nothing is lost: the caller learns at once that its write is not acknowledged, and repeats it."""
    point = make_point()
    first = store.engine_pid
    os.kill(first or 0, signal.SIGSTOP)
    waiting = asyncio.create_task(store.write([point]))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    kill(first)
    with pytest.raises(MemoryUnavailable):
        await waiting
    async with asyncio.timeout(10):
        while store.engine_pid in (None, first):
            await asyncio.sleep(0.01)
    await store.write([point])
    await store.write([point])
    assert await all_ids(store) == {point.entry.id}


async def test_a_stopped_engine_times_out_as_transient(tmp_path: Path) -> None:
    """Nothing is lost: a hung engine fails requests instead of holding them for ever."""
    store = await EdgeStore.open(tmp_path / "m", dense_name=NAME, dense_size=SIZE, timeout_s=0.2)
    pid = store.engine_pid or 0
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(MemoryUnavailable) as caught:
        await store.scan(ALL)
    assert caught.value.reason == "engine-timeout"
    os.kill(pid, signal.SIGCONT)
    assert len(await all_ids(store)) == 0
    await store.close()


async def test_a_second_owner_is_refused_with_a_remedy_and_may_follow(tmp_path: Path) -> None:
    """Nothing is lost: two engines on one folder would destroy it."""
    folder = tmp_path / "memory"
    first = await open_store(folder)
    point = make_point()
    await first.write([point])
    with pytest.raises(SetupError) as caught:
        await open_store(folder, lock_wait_s=0.1)
    assert "another process" in str(caught.value)
    assert caught.value.remedy
    await first.write([make_point()])
    await first.close()
    with pytest.raises(MemoryUnavailable):
        await first.scan(ALL)
    second = await open_store(folder, lock_wait_s=0.1)
    assert point.entry.id in await all_ids(second)
    await second.close()


async def test_vectors_of_another_model_are_refused_with_a_remedy(tmp_path: Path) -> None:
    """Nothing is hidden: comparing vectors of two models would answer, and wrongly."""
    await (await open_store(tmp_path / "m")).close()
    for name, size in (("test_v2", SIZE), (NAME, SIZE * 2)):
        with pytest.raises(SetupError, match="another embedding model"):
            await EdgeStore.open(tmp_path / "m", dense_name=name, dense_size=size)
    store = await open_store(tmp_path / "m")
    with pytest.raises(ValueError, match="dimensions"):
        await store.write([Point(make_point().entry, (1.0,), Sparse())])
    await store.close()


PARENT = """
import asyncio, sys
from pathlib import Path
from hybridmesh.agents.memory.edge_store import EdgeStore
from hybridmesh.agents.memory.store import Entry, Point, Sparse

async def main():
    store = await EdgeStore.open(Path(sys.argv[1]), dense_name="test_v1", dense_size=8)
    entry = Entry(id="6f0f5b0e-2f0c-4d3f-9a51-6c1f3d7a4e88", tenant="t", kind="k", item="i", created_at=1.0)
    await store.write([Point(entry, (1.0,) * 8, Sparse())])
    print(store.engine_pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_the_engine_ends_with_its_parent_and_frees_the_folder(tmp_path: Path) -> None:
    """Nothing is lost: a killed memory agent leaves no orphan that owns its folder."""
    folder = tmp_path / "memory"
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    engine = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.wait()
    store = await open_store(folder)
    assert len(await all_ids(store)) == 1
    await store.close()
    await asyncio.to_thread(engine.wait, 5)


async def test_erasing_leaves_no_byte_in_any_file(tmp_path: Path, store: EdgeStore) -> None:
    """Nothing private leaves: the log and the old pages still hold a deleted row, so the files are rewritten."""
    folder = tmp_path / "memory"
    secret = [make_point(f"{CANARY} {n}", key=CANARY) for n in range(20)]
    others = [make_point(f"other {n}") for n in range(300)]
    await store.write([*secret, *others])
    assert files_with_canary(folder)
    assert await store.erase([p.entry.id for p in secret]) is True
    assert files_with_canary(folder) == []
    assert await all_ids(store) == {p.entry.id for p in others}
    probe = others[7]
    by_both, by_meaning = [(await store.query(probe.dense, s, ALL, 3))[0] for s in (probe.sparse, Sparse())]
    assert by_both.entry == by_meaning.entry == probe.entry
    assert by_both.score > by_meaning.score
    assert await store.erase([]) is False


async def test_bytes_of_swept_and_of_replaced_rows_go_with_the_next_erasure(tmp_path: Path, store: EdgeStore) -> None:
    """Nothing private leaves: forgetting finds the row gone already, and its bytes must go all the same."""
    folder = tmp_path / "memory"
    await store.write([make_point(CANARY, expires_at=5.0)])
    assert await store.delete_expired(5.0) == 1
    assert files_with_canary(folder)
    assert await store.erase([]) is True
    assert files_with_canary(folder) == []

    replaced = make_point(CANARY)
    await store.write([replaced])
    clean = make_point("clean", id=replaced.entry.id)
    await store.write([clean])
    assert files_with_canary(folder)
    assert await store.erase([]) is True
    assert files_with_canary(folder) == []
    assert await all_ids(store) == {replaced.entry.id}


async def test_a_sweep_that_finds_nothing_leaves_nothing_to_rewrite(store: EdgeStore) -> None:
    """It runs on what you have: the sweep comes again and again, and no forgetting pays for it with all files."""
    await store.write([make_point("other", expires_at=9.0)])
    assert await store.delete_expired(5.0) == 0
    assert await store.erase([]) is False


async def test_an_erasure_that_a_crash_cut_short_is_finished_at_the_next_start(tmp_path: Path) -> None:
    """Nothing private leaves: the row was removed, the process died before the files were rewritten."""
    folder = tmp_path / "memory"
    store = await open_store(folder)
    await store.write([make_point(CANARY, expires_at=5.0), make_point("other")])
    await store.delete_expired(5.0)
    await store.close()
    (folder / "erasing").touch()
    store = await open_store(folder)
    assert files_with_canary(folder) == []
    assert len(await all_ids(store)) == 1
    await store.close()
    assert not (folder / "erasing").exists()


@pytest.mark.parametrize(
    "moves",
    [
        [("copy", "shard", "shard.old")],
        [("copy", "shard", "shard.new"), ("move", "shard", "shard.old")],
        [("half", "shard", "shard.new")],
    ],
    ids=["old-left", "between-the-renames", "copy-unfinished"],
)
async def test_a_rewrite_cut_at_any_point_loses_no_row(tmp_path: Path, moves: Sequence[tuple[str, ...]]) -> None:
    """Nothing is lost: whatever a crash leaves in the folder, all rows are there at the next start."""
    import shutil

    folder = tmp_path / "memory"
    store = await open_store(folder)
    points = [make_point(f"row {n}") for n in range(10)]
    await store.write(points)
    await store.close()
    for how, source, target in moves:
        if how == "copy":
            shutil.copytree(folder / source, folder / target)
        elif how == "move":
            (folder / source).rename(folder / target)
        else:
            (folder / target).mkdir()
            shutil.copy(folder / source / "edge_config.json", folder / target)
    store = await open_store(folder)
    assert await all_ids(store) == {p.entry.id for p in points}
    await store.close()
    assert sorted(path.name for path in folder.iterdir()) == ["owner.lock", "shard"]


async def test_a_first_start_cut_short_starts_afresh(tmp_path: Path) -> None:
    """Nothing is lost: a shard that was never finished holds nothing."""
    folder = tmp_path / "memory"
    (folder / "shard.new" / "segments").mkdir(parents=True)
    store = await open_store(folder)
    assert len(await all_ids(store)) == 0
    await store.close()


async def test_a_failing_operation_names_nothing_private_and_the_engine_goes_on(store: EdgeStore) -> None:
    """Nothing private leaves: errors are logged, so they carry no text of a row."""
    missing = make_point(CANARY, key=CANARY).entry
    with pytest.raises(MemoryUnavailable) as caught:
        await store.write([], [missing])
    assert caught.value.reason == "engine-error"
    assert CANARY not in f"{caught.value!r}{caught.value.__cause__!r}"
    assert missing.id not in str(caught.value)
    assert len(await all_ids(store)) == 0


async def test_many_writers_at_once_are_all_answered(store: EdgeStore) -> None:
    """Nothing is lost: one flush answers every write that it covers, and each is there afterwards."""
    points = [make_point(f"row {n}") for n in range(300)]
    await asyncio.gather(*(store.write([point]) for point in points))
    assert await all_ids(store) == {point.entry.id for point in points}
    assert [e.id for e in await store.newest(Where("t", ids=(points[3].entry.id,)), 5)] == [points[3].entry.id]


def test_the_folder_is_private_to_its_user(tmp_path: Path) -> None:
    """Nothing private leaves: no other account of the machine reads the memory."""
    EdgeFolder(_made(tmp_path / "memory"), NAME, SIZE).shard.close()
    assert (tmp_path / "memory" / "shard").stat().st_mode & 0o077 == 0


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
