"""Replicas of two versions work side by side, as they do while a mesh is updated: each reads what the other wrote."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import hybridmesh.schemas
from chaos.faults import Row, aftermath, submit
from chaos.hosted_mesh import HostedMesh
from chaos.scripted_cloud import ScriptedCloud
from harness import eventually
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.topology import AGENTS
from mesh_process import present

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.model,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="session"),
]

TASKS = 24
# The memory's folder has one owner, and the auditor has no queue: whoever comes first signs.
PAIRED = tuple(agent for agent in AGENTS if agent not in ("memory", "auditor"))
PACKAGES = ("agents", "bus", "infra", "schemas")
# What a minor version may bring: an optional field, in the messages and in what they hold.
LATER = {
    "message.py": ("    NAME: ClassVar[str]\n", '    later: str = "not known yet"\n'),
    "steps.py": ("    workflow: str | None = None\n", '    later: str = "not known yet"\n'),
    "audits.py": ('    nonce: str = ""\n', "    later_count: int = 1\n"),
}


def next_version(folder: Path) -> Path:
    """Write this program with fields that it does not know; returns what to put before its own place."""
    ours = Path(hybridmesh.schemas.__file__).parents[1]
    for package in PACKAGES:
        shutil.copytree(
            ours / package, folder / "hybridmesh" / package, ignore=shutil.ignore_patterns("__pycache__", "json")
        )
    for name, (before, more) in LATER.items():
        module = folder / "hybridmesh" / "schemas" / name
        text = module.read_text("utf-8")
        assert text.count(before) == 1, name
        module.write_text(text.replace(before, before + more), "utf-8")
    return folder


async def test_two_versions_work_side_by_side(
    mesh: HostedMesh, client: Mesh, cloud: ScriptedCloud, report: Callable[[Row], None], tmp_path: Path
) -> None:
    """Nothing is lost: an update may take its time; old and new replicas hand tasks to one another meanwhile."""
    newer = next_version(tmp_path)
    for agent in PAIRED:
        await mesh.add(agent, 2, PYTHONPATH=str(newer))
    added = [f"{agent}-2" for agent in PAIRED]
    await mesh.ready(client, *added)
    pids = {name: mesh.replicas[name].pid for agent in PAIRED for name in (agent, f"{agent}-2")}
    before = await present(client)
    began = time.monotonic()
    ids = await submit(client, TASKS)
    after = await aftermath(mesh, client, ids, cloud)

    async def all_worked() -> bool:
        now = await present(client)
        return all(now[pid].handled > before[pid].handled for pid in pids.values())

    await eventually(all_worked, 15)  # so often they say what they have done
    wrote: set[bool] = set()
    async with asyncio.timeout(15):
        async for event in client.audit(from_start=True):
            if event.task_id in ids:
                wrote.add("later_count" in (event.model_extra or {}))
            if len(wrote) == 2:
                break
    codes = [await mesh.replicas.pop(name).retire() for name in added]
    report(after.row("two versions side by side", began, note=f"{len(pids)} processes"))
    after.check()
    assert after.outcomes == {"completed": TASKS}
    assert codes == [0] * len(added)
