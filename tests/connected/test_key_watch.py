"""Keys that change while a mesh runs: its server lets the new ones in and cuts the old ones off."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from pathlib import Path

import nats.errors
import pytest

from command_line import run_command
from guarded_bus import Guarded
from harness import eventually
from hybridmesh.bus.connection import Connection
from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.identity import read_seed, read_users
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.topology import intake_stream, lanes_stream
from hybridmesh.infra.fleet import Child, Fleet
from hybridmesh.infra.key_watch import KeyWatch
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.tasks import TaskSubmitted

_WAITS = """
import pathlib, signal, sys, threading
path = pathlib.Path(sys.argv[1])
with path.open("a") as out:
    out.write("begins ")
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
ended.wait()
with path.open("a") as out:
    out.write("drained ")
"""


class Watched:
    """A watch over a server's keys, what it said, and whom it had begin anew."""

    def __init__(self, guarded: Guarded) -> None:
        self.renewed: list[str] = []
        self.said: list[str] = []
        users = read_users(guarded.keys)
        self.watch = KeyWatch(guarded.keys, users, self._renew, guarded.server.let_in, self.said.append)

    async def _renew(self, names: Collection[str], change: Callable[[], Awaitable[None]]) -> None:
        self.renewed += sorted(names)
        await change()


def rotate(keys: Path, *names: str) -> None:
    """Give identities new keys, as a person does."""
    words = [word for name in names for word in ("--rotate", name)]
    assert run_command("bus", "keys", *words, "--keys", str(keys)).code == 0


async def test_a_rotated_key_gets_in_and_the_one_before_is_cut_off(guarded: Guarded) -> None:
    """No one gets in: a stolen key is worth nothing once it is rotated; nobody else notices."""
    it = Watched(guarded)
    await it.watch.look()
    before = {name: await guarded.connect(name) for name in ("worker", "router", "consultant", "publisher")}
    rotate(guarded.keys, "worker", "publisher")
    await it.watch.look()
    await it.watch.look()
    assert it.renewed == ["publisher", "worker"]
    assert it.said == ["new keys taken: publisher, worker"]

    async def cut_off() -> bool:
        return not before["worker"].is_connected and not before["publisher"].is_connected

    await eventually(cut_off)
    assert before["router"].is_connected
    assert before["consultant"].is_connected
    publisher = await guarded.links("publisher")
    await publisher.publisher.publish(TaskSubmitted(task_id=new_task_id(), goal="g", submitted_at=utc_now()))
    assert await guarded.stored(lanes_stream("decomposer")) + await guarded.stored(intake_stream("decomposer")) == 1
    await asyncio.to_thread(guarded.server.restart)
    await guarded.connect("worker")


async def test_a_tenant_that_comes_gets_in_and_one_that_goes_is_cut_off(guarded: Guarded) -> None:
    """No one gets in: without a restart of the mesh, and with the permissions of its row."""
    it = Watched(guarded)
    leaving = await guarded.connect("submitter-acme")
    assert run_command("bus", "keys", "--tenant", "late", "--keys", str(guarded.keys)).code == 0
    for kind in ("key", "nk"):
        (guarded.keys / f"submitter-acme.{kind}").unlink()
    await it.watch.look()
    assert it.said == ["new keys taken: reader-late, submitter-acme, submitter-late"]
    links = await guarded.links("submitter-late")
    task = TaskSubmitted(task_id=new_task_id(), goal="g", tenant="late", submitted_at=utc_now())
    await links.publisher.publish(task)
    assert await guarded.stored(lanes_stream("decomposer")) == 1

    async def cut_off() -> bool:
        return not leaving.is_connected

    await eventually(cut_off)


async def test_a_folder_that_lacks_a_key_changes_nothing(guarded: Guarded) -> None:
    """Nothing is lost: who moves a key away for a moment ends no connection, and no other key is made for it."""
    it = Watched(guarded)
    client = await guarded.connect("worker")
    seed = (guarded.keys / "worker.nk").read_bytes()
    (guarded.keys / "worker.nk").unlink()
    with pytest.raises(SetupError, match="worker not in"):
        await it.watch.look()
    (guarded.keys / "worker.nk").write_bytes(b"SU")
    with pytest.raises(SetupError, match="is damaged"):
        await it.watch.look()
    (guarded.keys / "worker.nk").write_bytes(seed)
    await it.watch.look()
    assert (it.said, it.renewed) == ([], [])
    await client.flush()


async def test_children_drain_before_the_change_and_begin_anew_after_it(tmp_path: Path) -> None:
    """Nothing is lost: what an agent has in hand is finished while its key is still let in; others run on."""
    logs = {name: tmp_path / f"{name}.txt" for name in ("one", "two")}
    fleet = Fleet(list[str]().append, grace_s=20)
    for name, path in logs.items():
        fleet.add(Child(name, [sys.executable, "-c", _WAITS, str(path)], {}, tmp_path / f"{name}.log"))

    async def reads(name: str, text: str) -> bool:
        return logs[name].exists() and logs[name].read_text() == text

    async def change() -> None:
        assert await reads("one", "begins drained ")
        assert "one" not in fleet.pids()
        with logs["one"].open("a") as out:
            out.write("changed ")

    try:
        for name in logs:
            await eventually(partial(reads, name, "begins "))
        await fleet.renew(["one"], change)
        await eventually(partial(reads, "one", "begins drained changed begins "), 5)
        assert await reads("two", "begins ")
    finally:
        await fleet.stop()


async def test_a_key_that_was_rotated_away_is_refused(guarded: Guarded) -> None:
    """No one gets in: a reload opens no door."""
    it = Watched(guarded)
    stolen = read_seed(guarded.keys, "router")
    rotate(guarded.keys, "router")
    await it.watch.look()
    client = Connection()
    try:
        with pytest.raises((nats.errors.Error, OSError)):
            await client.connect(guarded.server.url, nkeys_seed_str=stolen, allow_reconnect=False, error_cb=_ignore)
    finally:
        await client.leave()


async def _ignore(_: Exception) -> None:
    pass
