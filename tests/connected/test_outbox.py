"""The outbox on a real bus: what waits there goes out to its own mesh under its own key, and holds nobody else up."""

import asyncio
import errno
import logging
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest

from command_line import Ran, run_command
from guarded_bus import Guarded
from harness import Bus
from hybridmesh.bus import connect
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.errors import MeshBusy, MeshError, MeshUnavailable, PermanentError
from hybridmesh.bus.identity import KeyRing, create_identities, rotate_identity
from hybridmesh.bus.outbox import Outbox, Sender
from hybridmesh.bus.topology import TOPOLOGY, lanes_stream
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.tasks import TaskSubmitted
from short_lived import short_lived

SECRET = "Dana Whitfield"


def make_task() -> TaskSubmitted:
    """A task with private text."""
    return TaskSubmitted(task_id=new_task_id(), goal=SECRET, submitted_at=datetime.now(UTC))


def keep(folder: Path, url: str | None, keys: Path, role: str = "publisher") -> TaskSubmitted:
    """Leave a task in the outbox of a data folder, as a submission without an answer does."""
    task = make_task()
    outbox = Outbox(folder / "outbox", Sender.at(url, role, KeyRing.read(keys)))
    outbox.put(task)
    outbox.release(task)
    return task


def kept(folder: Path) -> list[str]:
    """What waits there."""
    return sorted(path.stem for path in (folder / "outbox").iterdir())


async def submitted(bus: Bus) -> int:
    """How many tasks the mesh has."""
    return await bus.count(lanes_stream("decomposer"))


async def fill_lanes(bus: Bus) -> None:
    """Let no lane take more than it has."""
    config = (await bus.js.stream_info(lanes_stream("decomposer"))).config
    await bus.js.update_stream(config.evolve(max_msgs_per_subject=1))


@pytest.fixture
async def other(tmp_path: Path, bus: Bus, provisioned: Path) -> AsyncIterator[Bus]:
    """Another mesh: its own server, which lets everybody in, and its own keys."""
    keys = tmp_path / "other-keys"
    create_identities(keys, tuple(row.agent for row in TOPOLOGY))
    with short_lived(tmp_path / "other-nats", template=provisioned) as server:
        client = await nats.connect(server.url)
        yield Bus(server, client, client.jetstream(), keys, bus.settings)
        await client.close()


def refuse(_: int) -> None:
    """Sync to a disk that is full."""
    raise OSError(errno.ENOSPC, "No space left on device")


async def run(bus: Bus, data: Path, *words: str) -> Ran:
    """Run a command on the bus."""
    place = ["--nats", bus.url, "--keys", str(bus.keys), "--data", str(data)]
    return await asyncio.to_thread(run_command, words, place)


async def test_a_full_queue_stops_no_other_command(bus: Bus, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is lost, and nothing is held up: what waits is told of and goes out when there is room."""
    await fill_lanes(bus)
    data = tmp_path / "data"
    async with connect(bus.url, data=data, keys=bus.keys) as mesh:
        first = await mesh.submit("g")
    waiting = keep(data, bus.url, bus.keys)
    async with connect(bus.url, data=data, keys=bus.keys) as mesh:
        assert await mesh.ended(first) is None
        with pytest.raises(MeshBusy):
            await mesh.send_waiting()
    assert "not sent yet (busy)" in caplog.text
    assert SECRET not in caplog.text
    assert kept(data) == [waiting.task_id]
    await bus.js.purge_stream(lanes_stream("decomposer"))
    async with connect(bus.url, data=data, keys=bus.keys):
        pass
    assert (kept(data), await submitted(bus)) == ([], 1)


@pytest.mark.parametrize("refused_first", [True, False])
async def test_one_that_no_queue_takes_does_not_end_the_tries_of_others(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refused_first: bool
) -> None:
    """Nothing is lost: what a full queue has refused goes on being sent, whatever is wrong with another task."""
    data = tmp_path / "data"
    refusals = [PermanentError("no stream stores this", reason="not-stored"), MeshBusy("full", retry_after_s=1)]
    left = iter(refusals if refused_first else reversed(refusals))

    async def refused(message: Message) -> None:
        assert isinstance(message, TaskSubmitted)
        raise next(left)

    async with connect(bus.url, data=data, keys=bus.keys) as mesh:
        keep(data, bus.url, bus.keys)
        keep(data, bus.url, bus.keys)
        monkeypatch.setattr(mesh.links.publisher, "publish", refused)
        with pytest.raises(MeshBusy):
            await mesh.send_waiting()


async def test_what_waits_is_sent_while_a_client_stays(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: a program that stays connected sends what was refused at its start as soon as there is room."""
    await fill_lanes(bus)
    data = tmp_path / "data"
    async with connect(bus.url, data=data, keys=bus.keys) as mesh:
        await mesh.submit("g")
    waiting = keep(data, bus.url, bus.keys)
    async with connect(bus.url, data=data, keys=bus.keys):
        assert kept(data) == [waiting.task_id]
        await bus.js.purge_stream(lanes_stream("decomposer"))
        async with asyncio.timeout(15):
            while kept(data):
                await asyncio.sleep(0.1)
    assert await submitted(bus) == 1


async def test_a_mesh_that_takes_no_tasks_holds_nobody_up(bus: Bus, tmp_path: Path) -> None:
    """Nothing hangs: a queue that is gone costs a moment, and the task still waits."""
    data = tmp_path / "data"
    waiting = keep(data, bus.url, bus.keys)
    await bus.js.delete_stream(lanes_stream("decomposer"))
    began = time.monotonic()
    ran = await run(bus, data, "cancel", waiting.task_id)
    assert ran.code == 0, ran.err
    assert time.monotonic() - began < 6
    assert kept(data) == [waiting.task_id]


async def test_who_may_not_submit_sends_nothing_of_the_publishers(
    guarded: Guarded, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is held up: an observer reads the log at once, whatever waits in that folder for another key."""
    data = tmp_path / "data"
    waiting = keep(data, guarded.server.url, guarded.keys)
    began = time.monotonic()
    async with connect(guarded.server.url, data=data, keys=guarded.keys, role="observer"):
        assert time.monotonic() - began < 2
    assert kept(data) == [waiting.task_id]
    assert [record.args for record in caplog.records if record.levelno == logging.WARNING] == [(1,)]
    async with connect(guarded.server.url, data=data, keys=guarded.keys):
        assert kept(data) == []


@pytest.mark.parametrize("with_keys", [True, False])
async def test_a_task_goes_to_no_other_mesh(bus: Bus, other: Bus, tmp_path: Path, with_keys: bool) -> None:
    """Nothing private leaves: neither with the other mesh's keys, nor with one's own to another address."""
    data = tmp_path / "data"
    waiting = keep(data, bus.url, bus.keys)
    async with connect(other.url, data=data, keys=other.keys if with_keys else bus.keys):
        pass
    assert (kept(data), await submitted(other)) == ([waiting.task_id], 0)
    async with connect(bus.url, data=data, keys=bus.keys):
        pass
    assert (kept(data), await submitted(bus)) == ([], 1)


async def test_at_the_same_address_another_mesh_gets_nothing(bus: Bus, other: Bus, tmp_path: Path) -> None:
    """Nothing private leaves: a mesh is not only a place."""
    waiting = keep(tmp_path / "data", bus.url, other.keys)
    async with connect(bus.url, data=tmp_path / "data", keys=bus.keys):
        pass
    assert (kept(tmp_path / "data"), await submitted(bus)) == ([waiting.task_id], 0)


async def test_the_own_mesh_is_the_same_on_another_port_and_with_rotated_keys(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: each start of a mesh takes another port, and keys change."""
    data, keys = tmp_path / "data", tmp_path / "data" / "keys"
    create_identities(keys, tuple(row.agent for row in TOPOLOGY))
    keep(data, None, keys)
    rotate_identity(keys, "decomposer")
    create_identities(keys, (*(row.agent for row in TOPOLOGY), "reader-acme"))
    Endpoint(url=bus.url, pid=1).write(data)
    async with connect(data=data):
        pass
    assert (kept(data), await submitted(bus)) == ([], 1)


async def test_what_cannot_be_read_is_said_and_stays(
    bus: Bus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is hidden: a torn file may be all that is left of a task that somebody was told is kept."""
    data = tmp_path / "data"
    good, moved = keep(data, bus.url, bus.keys), keep(data, bus.url, bus.keys)
    (data / "outbox" / f"{moved.task_id}.json").rename(data / "outbox" / "moved.json")
    (data / "outbox" / "torn.json").write_text(f'{{"task": "{SECRET}', "utf-8")
    (data / "outbox" / "folder.json").mkdir()
    with caplog.at_level(logging.WARNING, "hybridmesh"):
        async with connect(bus.url, data=data, keys=bus.keys):
            pass
    assert (kept(data), await submitted(bus)) == (["folder", "moved", "torn"], 1)
    assert "hold no task that can be read, not sent: 3" in caplog.text
    assert SECRET not in caplog.text
    assert good.task_id not in kept(data)


async def test_a_file_without_a_note_goes_to_the_own_mesh_alone(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost, nothing private leaves: an earlier version's tasks go where they were most likely meant for."""
    data = tmp_path / "data"
    (data / "outbox").mkdir(parents=True)
    task = make_task()
    (data / "outbox" / f"{task.task_id}.json").write_text(task.model_dump_json(), "utf-8")
    (data / "outbox" / "torn.json").write_text(task.model_dump_json()[:50], "utf-8")
    Endpoint(url=bus.url, pid=1).write(data)
    async with connect(bus.url, data=data, keys=bus.keys):
        pass
    async with connect(data=data, keys=bus.keys, role="observer"):
        pass
    assert kept(data) == sorted([task.task_id, "torn"])
    async with connect(data=data, keys=bus.keys):
        pass
    assert (kept(data), await submitted(bus)) == (["torn"], 1)


async def test_a_full_disk_is_said_and_nothing_stays_on_it(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing private stays behind: what could not be kept is an error with its remedy, and no half a file."""
    data = tmp_path / "data"
    monkeypatch.setattr(os, "fsync", refuse)
    ran = await run(bus, data, "submit", SECRET)
    assert (ran.code, ran.out) == (5, "")
    assert "No space left" in ran.err
    assert "remedy: " in ran.err
    assert SECRET not in ran.err
    assert not [path for path in data.rglob("*") if path.is_file()]


def test_a_draft_of_a_dead_process_is_cleared_away(keys_folder: Path, tmp_path: Path) -> None:
    """Nothing private stays behind: who is killed over a draft never said that the task was taken."""
    outbox = Outbox(tmp_path, Sender.at(None, "publisher", KeyRing.read(keys_folder)))
    old, new = tmp_path / f".{new_task_id()}", tmp_path / f".{new_task_id()}"
    for path in (old, new):
        path.write_text(SECRET, "utf-8")
    os.utime(old, (0, 0))
    assert list(outbox.waiting()) == []
    assert list(tmp_path.iterdir()) == [new]


def test_a_kept_task_survives_the_loss_of_power(
    keys_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost: the names are synced as well as the content, in the folder and in the one that it is in."""
    synced: list[Path] = []

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", note)
    folder = tmp_path / "outbox"
    task = make_task()
    outbox = Outbox(folder, Sender.at(None, "publisher", KeyRing.read(keys_folder)))
    outbox.put(task)
    outbox.release(task)
    assert synced == [tmp_path, folder / f".{task.task_id}", folder]


@pytest.mark.parametrize("outcome", [MeshBusy("full", retry_after_s=1), MeshUnavailable("no answer"), None])
async def test_what_is_being_submitted_is_sent_by_nobody_else(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: MeshError | None
) -> None:
    """Nothing is done twice: a task that its submitter is told was refused is not sent from the same outbox as well."""
    data, begun, go_on = tmp_path / "data", asyncio.Event(), asyncio.Event()

    async def answer_late(_: Message) -> None:
        begun.set()
        await go_on.wait()
        if outcome is not None:
            raise outcome

    async with connect(bus.url, data=data, keys=bus.keys) as mesh:
        monkeypatch.setattr(mesh.links.publisher, "publish", answer_late)
        submitting = asyncio.create_task(mesh.submit(SECRET))
        await begun.wait()
        async with connect(bus.url, data=data, keys=bus.keys) as other_program:
            assert await other_program.send_waiting() == 0
            assert (len(kept(data)), await submitted(bus)) == (1, 0)
            go_on.set()
            await asyncio.wait({submitting})
            assert submitting.exception() is outcome
            # Only what stays because nobody knows what became of it is anybody's to send.
            waits = isinstance(outcome, MeshUnavailable)
            assert len(kept(data)) == waits
            assert await other_program.send_waiting() == waits
    assert (kept(data), await submitted(bus)) == ([], int(waits))


async def test_what_a_dead_process_was_submitting_is_sent_by_the_next(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: a claim ends with its holder, also with one that is killed."""
    data = tmp_path / "data"
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom datetime import UTC, datetime\n"
        "from hybridmesh.bus.identity import KeyRing\nfrom hybridmesh.bus.outbox import Outbox, Sender\n"
        "from hybridmesh.schemas.message import new_task_id\nfrom hybridmesh.schemas.tasks import TaskSubmitted\n"
        "folder, url, keys = sys.argv[1:]\n"
        "outbox = Outbox(Path(folder), Sender.at(url, 'publisher', KeyRing.read(Path(keys))))\n"
        "outbox.put(TaskSubmitted(task_id=new_task_id(), goal='g', submitted_at=datetime.now(UTC)))\n"
        "print('kept', flush=True)\nsys.stdin.read()\n"
    )
    words = (sys.executable, "-c", script, str(data / "outbox"), bus.url, str(bus.keys))
    holder = await asyncio.create_subprocess_exec(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"kept\n"
    async with connect(bus.url, data=data, keys=bus.keys) as mesh:
        assert (len(kept(data)), await submitted(bus)) == (1, 0)
        holder.kill()
        await holder.communicate()
        assert await mesh.send_waiting() == 1
    assert (kept(data), await submitted(bus)) == ([], 1)
