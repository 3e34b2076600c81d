"""Rotation while agents run: what a new key signs is taken at once by who read the ring before it was there."""

import asyncio
import json
import pickle
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from command_line import run_command
from harness import Bus, eventually
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.topology import DEAD, consumers
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.steps import StepFailed


@pytest.fixture
def keys(keys_folder: Path, tmp_path: Path) -> Path:
    """A folder of keys that a test may change."""
    return shutil.copytree(keys_folder, tmp_path / "keys")


def rotate(keys: Path, name: str) -> None:
    """Give an identity a new key, as a person does."""
    assert run_command("bus", "keys", "--rotate", name, "--keys", str(keys)).code == 0


def failed(reason: str) -> StepFailed:
    """A message of the worker's."""
    return StepFailed(task_id=new_task_id(), step_id="a", reason=reason)


async def test_agents_that_run_on_take_what_a_rotated_key_signs(bus: Bus, keys: Path) -> None:
    """Nothing is lost: only who uses the key is restarted, and no message of its is buried."""
    mesh = replace(bus, keys=keys)
    handled: list[str] = []

    async def note(message: StepFailed) -> Sequence[Message]:
        handled.append(message.reason)
        return ()

    async def heard(*reasons: str) -> bool:
        return handled == list(reasons)

    links = await mesh.links("decomposer")
    queue = next(item for item in consumers() if item.durable == "decomposer")
    agent = Agent("decomposer", handlers={StepFailed: note})
    loop = WorkLoop(mesh.js, queue, agent, links.publisher, links.ring, mesh.settings.bus, slots=1)
    running = asyncio.create_task(loop.run())
    try:
        before = await mesh.links("worker")
        await before.publisher.publish(failed("old key"))
        await eventually(partial(heard, "old key"))
        rotate(keys, "worker")
        await (await mesh.links("worker")).publisher.publish(failed("new key"))
        await eventually(partial(heard, "old key", "new key"))
        await before.publisher.publish(failed("under way"))
        await eventually(partial(heard, "old key", "new key", "under way"))
    finally:
        loop.stop()
        await running
    assert await bus.count(DEAD.name) == 0


@pytest.mark.parametrize("way", ["as it is", "whole", "in another process"])
def test_a_ring_knows_a_new_key_however_it_was_handed_on(keys: Path, way: str) -> None:
    """Nothing is lost: readers of the log and the processes that verify it have rings made from the first one."""
    ring = KeyRing.read(keys)
    signed = read_identity(keys, "worker").sign(b"x")
    sent: KeyRing = pickle.loads(pickle.dumps(ring))  # noqa: S301 - its own bytes
    used = {"as it is": ring, "whole": ring.whole(), "in another process": sent}[way]
    assert used.holds("worker", signed, b"x")
    for _ in range(2):
        rotate(keys, "worker")
        assert used.holds("worker", read_identity(keys, "worker").sign(b"x"), b"x")
    assert used.holds("worker", signed, b"x") is (way == "whole")
    assert used.whole().holds("worker", signed, b"x")


def test_a_key_that_was_rotated_away_stops_to_count_where_it_alone_is_seen(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No one gets in: a running agent that hears nothing but a stolen key looks at the ring all the same."""
    ring, stolen = KeyRing.read(keys), read_identity(keys, "worker")
    for _ in range(2):
        rotate(keys, "worker")
    monkeypatch.setattr("hybridmesh.bus.identity._LOOK_S", 0.0)
    assert not ring.holds("worker", stolen.sign(b"x"), b"x")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", json.dumps({"worker": ["no key"]}), json.dumps({"worker": 3})]
)
def test_a_ring_that_cannot_be_read_changes_nothing(keys: Path, content: str) -> None:
    """Nothing is lost: a file that is no ring does not make the agents forget each other."""
    ring, worker = KeyRing.read(keys), read_identity(keys, "worker")
    (keys / "ring.json").write_text(content, "utf-8")
    assert not ring.holds("worker", worker.sign(b"y"), b"x")
    assert ring.holds("worker", worker.sign(b"x"), b"x")
    (keys / "ring.json").unlink()
    assert not ring.holds("worker", worker.sign(b"y"), b"x")
    assert ring.holds("worker", worker.sign(b"x"), b"x")
