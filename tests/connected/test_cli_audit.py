"""The audit log from the command line: read, proved whole, exported, and proved again without a mesh."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from command_line import Ran, run_command
from harness import Bus, eventually
from hybridmesh.agents.auditor.agent import Auditor
from hybridmesh.agents.auditor.audit_stream import JetStreamAuditStream
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.publisher import utc_now
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import new_task_id

pytestmark = pytest.mark.connected

TASK = new_task_id()


async def audit(bus: Bus, data: Path, *words: str) -> Ran:
    """Run ``audit``."""
    place = ["--nats", bus.url, "--keys", str(bus.keys), "--data", str(data)]
    return await asyncio.to_thread(run_command, "audit", words, place)


async def record(bus: Bus, count: int, task_id: str | None = None) -> None:
    """Write audit events as the router does."""
    log = (await bus.links("router")).publisher
    for number in range(count):
        name = f"{task_id}{number}"
        await log.record(
            AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=utc_now(), task_id=task_id, nonce=name)
        )


async def sign(bus: Bus) -> None:
    """Let the auditor sign all that is there."""
    links = await bus.links("auditor")
    stream = JetStreamAuditStream(bus.js, lambda entry: entry_problem(entry, links.ring))
    task = asyncio.create_task(Auditor(stream, links.publisher.publish, utc_now, interval_s=0.1).follow())

    async def signed() -> bool:
        return await bus.count("CHECKPOINTS") > 0

    await eventually(signed)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await stream.close()


async def test_the_newest_and_those_of_a_task_are_printed(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden."""
    await record(bus, 5)
    await record(bus, 2, TASK)
    newest = await audit(bus, tmp_path, "tail", "-n", "3", "--json")
    of_task = await audit(bus, tmp_path, "tail", "--task", TASK, "--json")
    assert [json.loads(line)["nonce"] for line in newest.out.splitlines()] == ["None4", f"{TASK}0", f"{TASK}1"]
    assert [json.loads(line)["task_id"] for line in of_task.out.splitlines()] == [TASK, TASK]
    assert len((await audit(bus, tmp_path, "tail")).out.splitlines()) == 7
    assert (await audit(bus, tmp_path, "tail", "--task", "*")).code == 2


async def test_a_whole_log_holds_here_and_elsewhere(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: who has an export and the public keys needs neither the mesh nor our word."""
    await record(bus, 5)
    await sign(bus)
    here = await audit(bus, tmp_path, "verify", "--json")
    assert here.code == 0, here.out
    assert (here.json["whole"], here.json["entries"] >= 5, len(here.json["root"])) == (True, True, 64)
    file = tmp_path / "log.jsonl"
    assert (await audit(bus, tmp_path, "export", str(file))).code == 0
    elsewhere = run_command("audit", "verify", "--file", str(file), "--keys", str(bus.keys), "--json")
    assert elsewhere.json == here.json
    assert (await audit(bus, tmp_path, "export", str(file))).code == 2
    assert str(here.json["entries"]) in (await audit(bus, tmp_path, "verify")).out


async def test_the_log_goes_to_other_systems_in_their_forms(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: an event a line, with its place, its signature and its facts; an unknown form is an error."""
    await record(bus, 2, TASK)
    assert (await audit(bus, tmp_path, "export", str(tmp_path / "x"), "--format", "xml")).code == 2
    found: dict[str, list[dict[str, Any]]] = {}
    for form in ("ocsf", "cloudevents"):
        file = tmp_path / form
        assert (await audit(bus, tmp_path, "export", str(file), "--format", form)).code == 0
        found[form] = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    for number, event in enumerate(found["ocsf"], 1):
        assert {"activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id"} <= event.keys()
        assert {"src_endpoint", "time", "type_uid"} <= event.keys()
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert (event["metadata"]["sequence"], event["metadata"]["correlation_uid"]) == (number, TASK)
        assert event["unmapped"]["signature"]
    for event in found["cloudevents"]:
        assert event["specversion"] == "1.0"
        assert event["type"] == "hybridmesh.audit.recorded.v1"
        assert event["data"]["task_id"] == TASK
        assert event["meshsignature"]
    assert [event["sequence"][-1] for event in found["cloudevents"]] == ["1", "2"]


async def test_an_edited_export_does_not_hold(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: the entry is named, and the exit code says it."""
    await record(bus, 5)
    await sign(bus)
    file = tmp_path / "log.jsonl"
    await audit(bus, tmp_path, "export", str(file))
    lines = file.read_text().splitlines()
    for change in (lines[1:], [lines[0], lines[1].replace("None1", "None9"), *lines[2:]], [lines[0], *lines[-1:]]):
        file.write_text("\n".join(change))
        ran = run_command("audit", "verify", "--file", str(file), "--keys", str(bus.keys), "--json")
        assert ran.code == 1
        assert ran.json["findings"]
    file.write_text("no log")
    assert run_command("audit", "verify", "--file", str(file), "--keys", str(bus.keys)).code == 2


async def test_what_was_kept_is_held_against_the_log(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: a checkpoint that a reader kept shows a tail that was cut, with its checkpoints, later."""
    await record(bus, 5)
    await sign(bus)
    kept, file = tmp_path / "kept.json", tmp_path / "log.jsonl"
    kept.write_text((await audit(bus, tmp_path, "verify", "--json")).out)
    assert (await audit(bus, tmp_path, "verify", "--kept", str(kept))).code == 0
    await audit(bus, tmp_path, "export", str(file))
    words = ("audit", "verify", "--file", str(file), "--keys", str(bus.keys), "--kept", str(kept))
    assert run_command(*words).code == 0
    file.write_text("")
    ran = run_command(*words)
    assert ran.code == 1
    assert "the tail is cut" in ran.out
    kept.write_text("{}")
    assert run_command(*words).code == 2


async def test_an_unsigned_log_does_not_pass_for_whole(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: without a checkpoint a cut tail could not be seen, and that is said."""
    await record(bus, 1)
    ran = await audit(bus, tmp_path, "verify")
    assert ran.code == 1
    assert "no checkpoint" in ran.out
