"""Whose key a command takes: on a server that lets each do what is theirs, and what each hears that may not."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from command_line import Ran, run_command
from guarded_bus import Guarded
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.bus.topology import lanes_stream
from hybridmesh.infra.cli.invocation import Invocation
from hybridmesh.infra.cli.roles import Right
from hybridmesh.infra.cli.session import on_mesh
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.infra.provision import create_keys
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.tasks import TaskCompleted

pytestmark = pytest.mark.connected

TASK = "01900000-0000-7000-8000-000000000000"  # the same in each process that collects the tests
QUESTION = f"{TASK}.a.1.review"
LOG = (["audit", "tail"], ["audit", "tail", "--task", TASK], ["audit", "verify"], ["audit", "export", "log.jsonl"])
RESULTS = (["result", TASK], ["result", TASK, "--wait", "--timeout", "0.3"])
SUBMIT = (["submit", "g"],)
REST = (
    *(["submit", "g", "--wait", "--timeout", "0.3"], ["explain", TASK], ["cancel", TASK], ["agents"]),
    *(["feedback", TASK, "--rating", "good"], ["approvals", "ls"], ["approvals", "show", QUESTION]),
    *(["approvals", "approve", QUESTION], ["dead-letters", "ls"], ["dead-letters", "replay", "--all"]),
    *(["dead-letters", "show", "1"], ["dead-letters", "drop", "1"], ["terms", "ls"], ["terms", "add", "Falke"]),
    *(["terms", "remove", "Falke"], ["memory", "search", "x"], ["memory", "forget", "x"], ["memory", "add", "-"]),
    *(["model", "use", "--reset"], ["vault", "forget", TASK], ["vault", "rotate"]),
)
MAY = {
    **dict.fromkeys(("submitter", "submitter-acme"), SUBMIT),
    **dict.fromkeys(("reader", "reader-acme"), RESULTS),
    "observer": LOG,
}
DENIED = [(role, words) for role, its in MAY.items() for words in (*SUBMIT, *RESULTS, *LOG, *REST) if words not in its]
ALLOWED = [(role, words) for role, its in MAY.items() for words in its]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what a command writes land in a folder of the test."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
async def visited(one_server: tuple[NatsServer, Path]) -> AsyncIterator[Guarded]:
    """A server that several tests share, with an end of a task of the tenant acme."""
    async with contextlib.AsyncExitStack() as stack:
        yield Guarded(*one_server, stack)


async def command(guarded: Guarded, role: str, *words: str) -> Ran:
    """Run a command with the key of a role."""
    place = ["--nats", guarded.server.url, "--keys", str(guarded.keys), "--as", role]
    return await asyncio.to_thread(run_command, words, place, stdin=b'{"text": "x"}')


def files(*folders: Path) -> list[Path]:
    """Return what is in these folders."""
    return sorted(path for folder in folders for path in folder.rglob("*"))


@pytest.mark.parametrize(("role", "words"), DENIED, ids=lambda it: it if isinstance(it, str) else " ".join(it[:2]))
async def test_what_a_role_may_not_do_is_said_at_once(
    visited: Guarded, tmp_path: Path, role: str, words: list[str]
) -> None:
    """Nothing is hidden: in one line, with who may, and before anything is tried or kept to be sent later."""
    begun, before = time.monotonic(), files(visited.keys, tmp_path)
    ran = await command(visited, role, *words)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 2), ran.err
    assert ran.err.startswith(f"error: {role} may not ")
    assert "--wait out" in ran.err or "--as publisher" in ran.err
    assert time.monotonic() - begun < 4  # no time-out of the bus was waited out
    assert files(visited.keys, tmp_path) == before


@pytest.mark.parametrize(("role", "words"), ALLOWED, ids=lambda it: it if isinstance(it, str) else " ".join(it[:2]))
async def test_what_a_role_may_do_it_does(visited: Guarded, role: str, words: list[str]) -> None:
    """It runs on what you have: the key of one who may only do this is enough for it."""
    ran = await command(visited, role, *words)
    assert ran.code == (3 if "result" in words else 0), ran.err
    assert "may not" not in ran.err
    assert "does not let" not in ran.err


async def test_who_may_only_submit_has_nothing_sent_that_it_would_wait_for_in_vain(guarded: Guarded) -> None:
    """Nothing is lost: it hears so before, and not when the task is under way."""
    ran = await command(guarded, "submitter-acme", "submit", "g", "--wait")
    assert (ran.code, "remedy: leave --wait out" in ran.err) == (2, True)
    assert await guarded.stored(lanes_stream("decomposer")) == 0
    assert (await command(guarded, "submitter-acme", "submit", "g")).code == 0
    assert await guarded.stored(lanes_stream("decomposer")) == 1
    ran = await command(guarded, "submitter-acme", "submit", "g", "--tenant", "globex")
    assert (ran.code, "submit for acme" in ran.err) == (2, True)


async def test_a_reader_waits_for_results_without_the_log(guarded: Guarded) -> None:
    """Nothing is lost: who may read results alone gets one that comes, large or not, and of its tenant alone."""
    end = TaskCompleted(
        task_id=TASK, tenant="acme", result="y" * 600_000, steps=(), cost_usd=Decimal(0), finished_at=utc_now()
    )
    waiting = asyncio.create_task(command(guarded, "reader-acme", "result", TASK, "--wait", "--timeout", "20"))
    await asyncio.sleep(0.3)
    await (await guarded.links("decomposer")).publisher.publish(end)
    ran = await waiting
    assert (ran.code, ran.out.strip(), ran.err) == (0, end.result, "")
    assert (await command(guarded, "reader-globex", "result", TASK)).code == 3


async def test_an_observer_sees_what_the_log_holds(guarded: Guarded) -> None:
    """Nothing is hidden: the log is read, proved and taken away by who may do nothing else."""
    event = AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=utc_now(), task_id=TASK)
    await (await guarded.links("router")).publisher.record(event)
    for words in (["audit", "tail"], ["audit", "tail", "--task", TASK]):
        assert "route.decided" in (await command(guarded, "observer", *words)).out
    assert (await command(guarded, "observer", "audit", "export", "log.jsonl", "--json")).json["entries"] == 1


async def test_what_the_server_refuses_all_the_same_is_no_time_out(visited: Guarded) -> None:
    """Nothing is hidden: a server that allows less than the table is told from one that does not answer."""

    async def look(mesh: Mesh) -> None:
        await mesh.links.js.stream_info("KV_tasks")  # which nobody outside may

    for role, remedy in (("reader", "--as publisher"), ("publisher", "bus config")):
        call = Invocation(MeshSettings(), (), visited.server.url, visited.keys, role, json=False)
        with pytest.raises(UsageError, match=f"server does not let {role} do this") as caught:
            await asyncio.to_thread(on_mesh, call, look, Right.RESULTS)
        assert remedy in caught.value.remedy


def some_keys(keys: Path, folder: Path, *names: str) -> Path:
    """Return a folder with a few keys of another."""
    folder.mkdir()
    for name in (*names, "ring.json"):
        shutil.copy(keys / name, folder)
    return folder


async def test_a_key_that_is_not_there_is_named_with_those_that_are(visited: Guarded, tmp_path: Path) -> None:
    """Nothing is hidden: who was given the key of one role hears which, and how to say so."""
    few = replace(visited, keys=some_keys(visited.keys, tmp_path / "few", "submitter.key", "submitter.nk"))
    ran = await asyncio.to_thread(run_command, "submit", "g", "--nats", few.server.url, "--keys", str(few.keys))
    assert (ran.code, "there is no publisher.key in" in ran.err) == (5, True)
    assert "a key that is here with --as: submitter\n" in ran.err
    assert (await command(few, "submitter", "submit", "g")).code == 0
    assert "no observer.key" in (await command(few, "observer", "audit", "tail")).err
    assert "bus keys --tenant new`" in (await command(few, "reader-new", "result", TASK)).err
    half = replace(visited, keys=some_keys(visited.keys, tmp_path / "half", "submitter.nk"))
    assert "there is no submitter.key in" in (await command(half, "submitter", "submit", "g")).err


@pytest.mark.usefixtures("impatient")
async def test_a_key_that_the_server_knows_not_is_told_from_a_server_that_is_not_there(guarded: Guarded) -> None:
    """Nothing is hidden: who made keys while the mesh runs hears when they count."""
    create_keys(guarded.keys, ["late"])
    ran = await command(guarded, "reader-late", "result", TASK)
    assert (ran.code, "there is a server, but it does not let the reader-late of" in ran.err) == (3, True)
    assert "new ones count once its server is reloaded" in ran.err
    guarded.server.stop()
    ran = await command(guarded, "reader-late", "result", TASK)
    assert (ran.code, "the mesh's server does not answer" in ran.err) == (3, True)


@pytest.mark.parametrize("role", ["worker", "reader-", "publisher-acme", "provisioner", "nobody", ""])
async def test_a_role_that_people_have_not_is_named(role: str) -> None:
    """No one gets in: an agent's key is not a person's, and an empty name is not the publisher's."""
    ran = await asyncio.to_thread(run_command, "result", TASK, "--as", role)
    assert (ran.code, f"people have no role {role!r}" in ran.err) == (2, True)
    assert "publisher, submitter, reader, observer" in ran.err
