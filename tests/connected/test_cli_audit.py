"""The audit log from the command line: read, proved whole, exported, and proved again without a mesh."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from command_line import Ran, run_command
from harness import Bus, eventually
from hybridmesh.agents.auditor.agent import Auditor
from hybridmesh.agents.auditor.audit_stream import JetStreamAuditStream
from hybridmesh.bus import connect
from hybridmesh.bus.audit_trust import entry_problem
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.identity import Identity
from hybridmesh.bus.links import Links
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.settings import RetentionSettings
from hybridmesh.bus.topology import filter_of, subject_of
from hybridmesh.infra import offline_verifier
from hybridmesh.schemas.audits import Action, AuditEvent, Checkpoint
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


def auditor_of(bus: Bus, links: Links) -> Auditor:
    """Return an auditor that looks often."""
    stream = JetStreamAuditStream(bus.js, lambda entry: entry_problem(entry, links.ring))
    return Auditor(stream, links.publisher.publish, utc_now, interval_s=0.1)


@asynccontextmanager
async def auditing(bus: Bus) -> AsyncGenerator[None]:
    """Have an auditor at work."""
    task = asyncio.create_task(auditor_of(bus, await bus.links("auditor")).follow())
    try:
        yield
    finally:
        await end_tasks({task})


async def sign(bus: Bus) -> None:
    """Let the auditor sign all that is there."""

    async def signed() -> bool:
        return await bus.count("CHECKPOINTS") > 0

    async with auditing(bus):
        await eventually(signed)


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
    assert (await audit(bus, tmp_path, "tail", "-n", "0")).out == ""
    both = await audit(bus, tmp_path, "tail", "--task", TASK, "-n", "1")
    assert (both.code, "of a task all events are printed" in both.err) == (2, True)


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


async def put_junk(bus: Bus, count: int) -> None:
    """Store what looks like an event of a task and like a checkpoint, as anybody can who may publish."""
    event = AuditEvent(agent="router", action=Action.EGRESS_STARTED, at=utc_now(), task_id=TASK)
    stranger = Identity("auditor", Ed25519PrivateKey.generate())
    forged = seal(Checkpoint(size=count, root="11" * 32, at=utc_now()), stranger, utc_now())
    wrong = {"ce-type": AuditEvent.event_type(), "ce-source": "/hybridmesh/router", "mesh-signature": "eA=="}
    await bus.js.publish(subject_of(event), event.model_dump_json().encode(), headers=wrong)
    await bus.js.publish(subject_of(event), b"junk", headers={"ce-type": "x"})
    await bus.js.publish(forged.subject, forged.body, headers=forged.headers)


async def test_what_strangers_store_neither_hides_nor_passes_for_events(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: the log is still printed, exported and proved, and only what agents said."""
    await record(bus, 2, TASK)
    await sign(bus)
    await put_junk(bus, 4)
    await record(bus, 1)
    tail = await audit(bus, tmp_path, "tail", "--json")
    assert [json.loads(line)["nonce"] for line in tail.out.splitlines()] == [f"{TASK}0", f"{TASK}1", "None0"]
    assert (tail.code, tail.err.count("is passed over")) == (0, 2)
    file = tmp_path / "events"
    exported = await audit(bus, tmp_path, "export", str(file), "--format", "ocsf", "--json")
    assert (exported.json["entries"], exported.json["checkpoints"]) == (3, 0)
    assert "2 entries are left out" in exported.err
    assert len(file.read_text("utf-8").splitlines()) == 3
    proof = await audit(bus, tmp_path, "prove", TASK)
    ring = json.loads((bus.keys / "ring.json").read_text("utf-8"))
    assert [item["entry"]["sequence"] for item in proof.json["entries"]] == [1, 2]
    assert offline_verifier.check_proof(proof.json, ring, []) == []


async def forge(bus: Bus) -> int:
    """Store what only looks like an event of a task; return how much."""
    event = AuditEvent(agent="worker", action=Action.EGRESS_STARTED, at=utc_now(), task_id=TASK)
    subject, body = subject_of(event), event.model_dump_json().encode()
    router = (await bus.links("router")).identity
    by_another = seal(event, router, utc_now())
    named = {"ce-type": AuditEvent.event_type(), "ce-source": "/hybridmesh/worker", "mesh-signature": "eA=="}
    forged: list[tuple[dict[str, str], bytes]] = [
        (named, body),
        ({"ce-type": "x"}, b"junk"),
        ({**by_another.headers, "Nats-Msg-Id": "another"}, by_another.body),
        ({**named, "ce-dataref": f"{TASK}_nowhere"}, b""),
        ({"Status": "404"}, b""),
        ({"Status": "503"}, b""),
        ({"ce-type": "hybridmesh.audit.recorded.v\u00b2"}, body),
    ]
    for headers, content in forged:
        await bus.js.publish(subject, content, headers=headers)
    return len(forged)


@pytest.mark.parametrize("command", [("audit", "tail", "--task", TASK), ("audit", "tail"), ("explain", TASK)])
async def test_forged_events_of_a_task_hide_none_behind_them(
    bus: Bus, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Nothing is hidden: each is named, and what agents said before and after is all there."""
    await record(bus, 1, TASK)
    forged = await forge(bus)
    log = (await bus.links("router")).publisher
    for nonce in ("last", "of all"):
        await log.record(
            AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=utc_now(), task_id=TASK, nonce=nonce)
        )
    place = ["--nats", bus.url, "--keys", str(bus.keys), "--data", str(tmp_path)]
    ran = await asyncio.to_thread(run_command, command, "--json", place)
    assert ran.code == 0, ran.err
    found = [json.loads(line) for line in ran.out.splitlines()]
    events = found[0]["timeline"] if "explain" in command else found
    assert [event["nonce"] for event in events] == [f"{TASK}0", "last", "of all"]
    assert ran.err.count("is passed over") == forged
    assert "entry 2 is passed over: signature does not hold" in ran.err


async def test_forged_events_stop_nobody_who_follows(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: also who follows a task hears of what is passed over, and of all that comes."""
    told: list[str] = []
    await record(bus, 1, TASK)
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        live = mesh.audit(task_id=TASK, tell=told.append)
        heard = asyncio.create_task(anext(live))
        await asyncio.sleep(0.2)
        forged = await forge(bus)
        await (await bus.links("router")).publisher.record(
            AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=utc_now(), task_id=TASK, nonce="last")
        )
        assert (await asyncio.wait_for(heard, 10)).nonce == "last"
        assert len(told) == forged
        stored = mesh.audit(task_id=TASK, from_start=True, tell=told.append)
        async with asyncio.timeout(10):
            assert [(await anext(stored)).nonce for _ in range(2)] == [f"{TASK}0", "last"]
    assert len(told) == 2 * forged


async def test_a_log_that_is_wholly_past_its_retention_holds(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: what is gone by right is said, and what is gone before its time is found."""
    retention = RetentionSettings(audit_days=5 / 86_400)
    await provision(bus.js, bus.settings.bus.model_copy(update={"retention": retention}))

    async def gone() -> bool:
        state = (await bus.js.stream_info("AUDIT")).state
        return (state.messages, state.first_seq) == (0, 6)

    async def signed() -> bool:
        newest = await bus.js.get_last_msg("CHECKPOINTS", filter_of(Checkpoint))
        return Checkpoint.model_validate_json(newest.data or b"").size == 8

    async with auditing(bus):
        await record(bus, 5)
        await eventually(gone, timeout=30)
        checked = await audit(bus, tmp_path, "verify")
        assert (checked.code, "nothing is there to verify before entry 6" in checked.err) == (0, True), checked
        here, file = await audit(bus, tmp_path, "verify", "--json"), tmp_path / "log.jsonl"
        assert (here.json["entries"], here.json["begins"], here.json["covered"]) == (0, 6, 5)
        assert (await audit(bus, tmp_path, "export", str(file))).code == 0
        assert run_command("audit", "verify", "--file", str(file), "--keys", str(bus.keys), "--json").json == here.json
        assert offline_verifier.main(["verify.py", str(file), str(bus.keys / "ring.json")]) == 0
        await record(bus, 3, TASK)
        await eventually(signed)
    await bus.js.delete_stream("AUDIT")
    await provision(bus.js, bus.settings.bus)
    cut = await audit(bus, tmp_path, "verify")
    assert (cut.code, "entry 6: the tail is cut: a checkpoint counts 8 entries, the log ends at 5" in cut.out) == (
        1,
        True,
    )


async def test_an_edited_export_does_not_hold(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: the entry is named, and the exit code says it."""
    await record(bus, 5)
    await sign(bus)
    file = tmp_path / "log.jsonl"
    await audit(bus, tmp_path, "export", str(file))
    lines = sorted(file.read_text().splitlines(), key=lambda line: json.loads(line)["part"] == "checkpoints")
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
