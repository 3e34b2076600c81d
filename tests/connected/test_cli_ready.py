"""Whether agents are at work: what ``ready`` says by the bus, and the file and the probes that containers go by."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import nats
import pytest
import yaml

from command_line import Ran, run_command
from guarded_bus import Guarded
from harness import Bus, eventually
from house import CHECKOUT
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.presence import Attendance, Presence
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.topology import AGENTS, Bucket
from hybridmesh.infra.ready_file import told_by_file
from hybridmesh.schemas.inference import ModelLoad

pytestmark = pytest.mark.connected

DEPLOY = CHECKOUT / "infra" / "deploy"
CHECK = ModelLoad(model="small", purposes=("check",))
DRAFT = ModelLoad(model="large", purposes=("draft",))


async def ready(bus: Bus, data: Path, *words: str) -> Ran:
    """Run ``ready``."""
    place = ["--nats", bus.url, "--keys", str(bus.keys), "--data", str(data)]
    return await asyncio.to_thread(run_command, "ready", words, place)


def attendance(bus: Bus, agent: str) -> Attendance:
    """Return the sign of life of an agent."""
    return Attendance(bus.state(Bucket.AGENTS, Presence), agent, utc_now)


async def test_a_mesh_is_ready_when_everybody_is_there_with_its_models(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: a worker whose models are not loaded does nobody's work."""
    for agent in AGENTS:
        if agent != "worker":
            await attendance(bus, agent).renew(0, 0)
    without = await ready(bus, tmp_path, "--json")
    states = without.json["agents"]
    assert (without.code, without.json["ready"], list(states)) == (1, False, list(AGENTS))
    assert [agent for agent, state in states.items() if state] == ["worker"]
    worker = attendance(bus, "worker")
    for loads in ((), (CHECK,), (DRAFT,)):
        await worker.renew(0, 0, loads)
        ran = await ready(bus, tmp_path, "router", "worker")
        assert (ran.code, ran.out) == (1, "agent\tstate\nrouter\tready\nworker\tits models are not loaded\n")
    await worker.renew(0, 0, (CHECK, DRAFT))
    assert (await ready(bus, tmp_path)).code == 0
    assert (await ready(bus, tmp_path, "worker", "--json")).json == {"ready": True, "agents": {"worker": None}}


async def test_who_asks_nobody_needs_no_consultant(bus: Bus, tmp_path: Path) -> None:
    """It runs on what you have: without a cloud there is nobody to ask it."""
    for agent in AGENTS:
        if agent != "consultant":
            await attendance(bus, agent).renew(0, 0, (CHECK, DRAFT))
    assert (await ready(bus, tmp_path)).code == 1
    assert (await ready(bus, tmp_path, "--set", "cloud.provider=none")).code == 0
    for cloud, code in (("none", 0), ("simulated", 1)):
        Endpoint(url=bus.url, pid=1, cloud=cloud).write(tmp_path)
        ran = await asyncio.to_thread(run_command, "ready", "--data", str(tmp_path), "--keys", str(bus.keys))
        assert ran.code == code
    unknown = await ready(bus, tmp_path, "workers")
    assert (unknown.code, "did you mean worker?" in unknown.err) == (2, True)


async def test_who_waits_goes_on_as_soon_as_the_mesh_is_up(bus: Bus, tmp_path: Path) -> None:
    """It runs on what you have: a script may start a mesh and wait for it, before there is anything to ask."""
    words = ["ready", "router", "--wait", "--timeout", "30", "--data", str(tmp_path), "--keys", str(bus.keys)]
    program = Path(sys.executable).with_name("hybridmesh")
    waiting = await asyncio.create_subprocess_exec(program, *words, stderr=asyncio.subprocess.PIPE)
    told = cast("asyncio.StreamReader", waiting.stderr)
    assert await told.readline() == b"waiting; no mesh runs on this data folder\n"
    Endpoint(url=bus.url, pid=1).write(tmp_path)
    assert await told.readline() == b"waiting; not ready: router\n"
    await attendance(bus, "router").renew(0, 0)
    assert (await told.read(), await waiting.wait()) == (b"", 0)
    late = await ready(bus, tmp_path, "memory", "--wait", "--timeout", "0.2")
    assert (late.code, "no replica is there" in late.out) == (1, True)
    gone = await asyncio.to_thread(run_command, "ready", "--wait", "--timeout", "0.2", "--data", str(tmp_path / "none"))
    assert gone.code == 3


@contextlib.contextmanager
def at_work(guarded: Guarded, file: Path) -> Generator["subprocess.Popen[bytes]"]:
    """Run a router by the program's own command."""
    place = ["--nats", guarded.server.url, "--keys", str(guarded.keys), "--data", str(file.parent)]
    command = [sys.executable, "-m", "hybridmesh.infra", "run", "router", "--ready-file", str(file), *place]
    with (file.parent / "router.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_an_agents_file_is_there_while_it_is_at_work(guarded: Guarded, tmp_path: Path) -> None:
    """Nothing is lost: a probe sees no agent before it has begun, nor one that a killed process left behind."""
    file = tmp_path / "ready"

    async def is_there() -> bool:
        return file.exists()

    with at_work(guarded, file) as process:
        await eventually(is_there, 30)
        assert file.read_text("utf-8") == f"{process.pid}\n"
        assert await guarded.stored("AUDIT") == 1  # that it has started
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 20) == 0
    assert not await is_there()


async def test_a_file_tells_of_nobody_who_still_begins(tmp_path: Path) -> None:
    """Nothing is lost: while models are loaded there is none, whoever was there before."""
    file, begun = tmp_path / "ready", asyncio.Event()
    file.write_text("1\n")
    async with told_by_file(begun, file):
        await asyncio.sleep(0.05)
        assert not file.exists()
        begun.set()
        await asyncio.sleep(0.05)
        assert file.exists()
    assert not file.exists()
    async with told_by_file(asyncio.Event(), None):
        pass
    with pytest.raises(FileNotFoundError):
        async with told_by_file(begun, tmp_path / "no" / "ready"):
            pass


def test_one_file_is_not_for_several(tmp_path: Path) -> None:
    """Nothing is hidden: which of them is ready it could not tell."""
    words = ["--replicas", "2", "--ready-file", str(tmp_path / "ready"), "--data", str(tmp_path)]
    ran = run_command("run", "router", words)
    assert (ran.code, "one file" in ran.err) == (2, True)


def probes() -> dict[str, list[str]]:
    """Return the words of each probe that says that an agent is ready."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    found = {f"compose {agent}": cast("list[str]", compose[agent]["healthcheck"]["test"][1:]) for agent in AGENTS}
    for item in yaml.safe_load_all((DEPLOY / "kubernetes" / "agents.yaml").read_text("utf-8")):
        if item["kind"] == "Deployment":
            (container,) = cast("list[dict[str, Any]]", item["spec"]["template"]["spec"]["containers"])
            found[f"kubernetes {item['metadata']['name']}"] = container["readinessProbe"]["exec"]["command"]
    return found


def test_all_probes_are_one() -> None:
    """Nothing is hidden: what is tried below is what each of them does."""
    assert len(probes()) == 2 * len(AGENTS)
    assert len({tuple(words) for words in probes().values()}) == 1


@pytest.mark.skipif(not os.access("/proc/net/tcp", os.R_OK), reason="the containers' system alone has it")
async def test_a_probe_wants_the_file_and_the_bus(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: who has lost the bus, or still loads its models, is not ready; run as the containers do."""
    shell, option, script = probes()["compose worker"]
    port = int(bus.url.rpartition(":")[2])
    here = script.replace("/tmp/ready", str(tmp_path / "ready")).replace(":107E ", f":{port:04X} ")  # noqa: S108
    assert here.count(str(tmp_path)) == here.count(f":{port:04X} ") == 1

    async def code() -> int:
        return (await asyncio.to_thread(subprocess.run, [shell, option, here], check=False)).returncode

    client = await nats.connect(bus.url)
    assert await code() == 1
    (tmp_path / "ready").touch()
    assert await code() == 0
    await client.close()
    await bus.client.close()

    async def is_unready() -> bool:
        return await code() == 1

    await eventually(is_unready)
