"""The command line on a real bus: tasks go out and their ends come back; bad input is named, and nothing goes out."""

import asyncio
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from command_line import Ran, run_command
from harness import Bus, eventually
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.presence import Attendance, Presence
from hybridmesh.bus.topology import Bucket, lanes_stream
from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRecord, ApprovalRequested, approval_key
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.feedback import FeedbackGiven
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.tasks import CancelTask, StepSummary, TaskCompleted, TaskFailed, TaskSubmitted

pytestmark = pytest.mark.connected


async def mesh(bus: Bus, data: Path, *words: str, stdin: bytes = b"") -> Ran:
    """Run a command on the bus."""
    place = ["--nats", bus.url, "--keys", str(bus.keys), "--data", str(data)]
    return await asyncio.to_thread(run_command, words, place, stdin=stdin)


def completed(task_id: str) -> TaskCompleted:
    """A good end."""
    return TaskCompleted(task_id=task_id, result="done", steps=(), cost_usd=Decimal(0), finished_at=datetime.now(UTC))


def outbox(data: Path) -> list[Path]:
    """What waits to go out."""
    return list(data.glob("outbox/*"))


def big(folder: Path) -> str:
    """A file of 10 MB."""
    (folder / "big.txt").write_bytes(b"x" * 10_000_000)
    return str(folder / "big.txt")


def binary(folder: Path) -> str:
    """A file that is no text."""
    (folder / "photo.png").write_bytes(b"\x89PNG\0\0")
    return str(folder / "photo.png")


def blank(folder: Path) -> str:
    """A file of nothing to be seen."""
    (folder / "blank.txt").write_text(" \n\t\n", "utf-8")
    return str(folder / "blank.txt")


def latin(folder: Path) -> str:
    """A text in another encoding."""
    (folder / "latin.txt").write_bytes("Müller".encode("latin-1"))
    return str(folder / "latin.txt")


def locked(folder: Path) -> str:
    """A file that cannot be read: a socket, as root may read all others."""
    place = folder / "locked"
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(folder)  # the whole path may be too long for a socket
        try:
            listener.bind(place.name)
        finally:
            os.chdir(before)
    return str(place)


@pytest.mark.parametrize(
    ("words", "file", "said"),
    [
        ([" "], None, "goal is empty"),
        (["g\udc80"], None, "not valid Unicode"),
        (["g"], big, "big.txt has more than"),
        (["g"], binary, "photo.png is a binary file"),
        (["g"], blank, "blank.txt is empty"),
        (["g"], latin, "latin.txt is not UTF-8"),
        (["g"], locked, "locked cannot be read"),
        (["g"], str, "is a folder"),
        (["g", "--input", "none.txt"], None, "no file none.txt"),
        (["g", "--profile", "secure-reserch"], None, "no profile"),
        (["g", "--workflow", "suport-triage"], None, "no workflow"),
        (["g", "--deadline", "2020-01-01"], None, "deadline is past"),
        (["g", "--deadline", "0s"], None, "deadline is past"),
        (["g", "--deadline", "soon"], None, "not understood"),
        (["g", "--budget", "-1"], None, "budget is negative"),
        (["g", "--budget", "NaN"], None, "not an amount"),
        (["g", "--budget", "a lot"], None, "not an amount"),
        (["g", "--timeout", "5"], None, "without --wait"),
        (["g", "--wait", "--timeout", "0"], None, "not above zero"),
    ],
)
async def test_bad_input_is_named_with_a_remedy_and_nothing_is_submitted(
    bus: Bus, tmp_path: Path, words: list[str], file: Callable[[Path], str] | None, said: str
) -> None:
    """Nothing is half done."""
    (tmp_path / "in").mkdir()
    given = ["--input", file(tmp_path / "in")] if file else []
    ran = await mesh(bus, tmp_path, "submit", *words, *given)
    assert ran.code == 2, ran.err
    assert said in ran.err
    assert "\nremedy: " in ran.err
    assert "Traceback" not in ran.err
    assert not ran.out
    assert await bus.count(lanes_stream("decomposer")) == 0
    assert not outbox(tmp_path)


async def test_a_task_goes_out_as_it_was_given(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost."""
    (tmp_path / "mail.txt").write_text("text")
    options = ["--workflow", "support-triage", "--profile", "secure-research", "--deadline", "5m", "--budget", "0.05"]
    files = ["--input", str(tmp_path / "mail.txt"), "-i", "-"]
    ran = await mesh(bus, tmp_path, "submit", "reply", "--json", *options, *files, stdin=b"piped")
    task = TaskSubmitted.model_validate_json((await bus.collect(TaskSubmitted, 1))[0])
    assert ran.json == {"task_id": task.task_id}
    assert {doc.name: doc.text for doc in task.inputs} == {"mail.txt": "text", "stdin": "piped"}
    assert (task.workflow, task.profile, task.budget_usd) == ("support-triage", "secure-research", Decimal("0.05"))
    assert task.deadline is not None
    assert timedelta(minutes=4) < task.deadline - datetime.now(UTC) < timedelta(minutes=5)


async def test_who_waits_gets_the_result(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: the result on stdout, and nothing else."""
    waiting = asyncio.create_task(mesh(bus, tmp_path, "submit", "reply", "--wait", "--timeout", "20"))
    task = TaskSubmitted.model_validate_json((await bus.collect(TaskSubmitted, 1))[0])
    await (await bus.links("decomposer")).publisher.publish(completed(task.task_id))
    ran = await waiting
    assert (ran.code, ran.out) == (0, "done\n")
    assert task.task_id in ran.err


@pytest.mark.parametrize(("outcome", "code"), [("failed", 1), ("refused", 4), ("cancelled", 1)])
async def test_an_end_without_a_result_has_its_exit_code(bus: Bus, tmp_path: Path, outcome: str, code: int) -> None:
    """Nothing is hidden."""
    content = {"task_id": new_task_id(), "outcome": outcome, "reason": "policy", "finished_at": datetime.now(UTC)}
    failed = TaskFailed.model_validate(content)
    await (await bus.links("decomposer")).publisher.publish(failed)
    people, program = [await mesh(bus, tmp_path, "result", failed.task_id, *json) for json in ([], ["--json"])]
    assert (people.code, program.code) == (code, code)
    assert f"{outcome}: policy" in people.err
    assert (program.json["outcome"], program.json["reason"]) == (outcome, "policy")


async def test_what_became_of_a_dead_message_is_told_with_where_to_look(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: the reason of such an end is a code, which the dead letter explains."""
    content = {"task_id": new_task_id(), "outcome": "failed", "reason": "buried:x", "finished_at": datetime.now(UTC)}
    await (await bus.links("decomposer")).publisher.publish(TaskFailed.model_validate(content))
    assert "`hybridmesh dead-letters ls`" in (await mesh(bus, tmp_path, "result", str(content["task_id"]))).err


async def test_who_cancels_hears_whether_there_was_anything_to_stop(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden."""
    over = new_task_id()
    await (await bus.links("decomposer")).publisher.publish(completed(over))
    assert "had ended before" in (await mesh(bus, tmp_path, "cancel", over)).err
    assert "if it was submitted here" in (await mesh(bus, tmp_path, "cancel", new_task_id())).err


async def test_a_workflow_without_what_it_works_on_is_noticed(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: it is submitted all the same, as the goal may hold the text."""
    ran = await mesh(bus, tmp_path, "submit", "reply", "--workflow", "support-triage")
    assert (ran.code, "--input" in ran.err) == (0, True)
    assert "--input" not in (await mesh(bus, tmp_path, "submit", "reply")).err


async def test_a_task_that_has_not_ended_is_said(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: waiting too long is not failing."""
    for options in ([], ["--wait", "--timeout", "0.2"]):
        ran = await mesh(bus, tmp_path, "result", new_task_id(), *options)
        assert (ran.code, ran.out) == (3, "")
        assert "submitted here" in ran.err  # also where nobody ever heard of it
        assert "remedy: " in ran.err
    ran = await mesh(bus, tmp_path, "submit", "reply", "--wait", "--timeout", "0.2")
    assert "has not ended in time; it goes on\n" in ran.err


async def test_feedback_and_cancel_are_stored(bus: Bus, tmp_path: Path) -> None:
    """Mistakes are not repeated."""
    task_id = new_task_id()
    words = ["--correction", "Never say free.", "--rating", "bad"]
    await (await bus.links("decomposer")).publisher.publish(completed(task_id))
    said = await mesh(bus, tmp_path, "feedback", task_id, *words, "--json")
    stopped = await mesh(bus, tmp_path, "cancel", task_id)
    assert (said.json, stopped.code) == ({"task_id": task_id}, 0)
    given = FeedbackGiven.model_validate_json((await bus.collect(FeedbackGiven, 1))[0])
    assert (given.correction, given.rating) == ("Never say free.", "bad")
    assert CancelTask.model_validate_json((await bus.collect(CancelTask, 1))[0]).task_id == task_id
    too_long = ["--correction", "x" * 5000]
    for bad in ([], ["--rating", "fine"], ["--step", "A B", "--rating", "bad"], too_long):
        assert (await mesh(bus, tmp_path, "feedback", task_id, *bad)).code == 2
    assert await bus.count("WORK_MEMORY") == 1


async def test_feedback_is_on_a_task_that_has_ended_and_on_its_steps(bus: Bus, tmp_path: Path) -> None:
    """Mistakes are not repeated: a mistyped id would make a lesson for all tasks, a mistyped step one for none."""
    unknown = await mesh(bus, tmp_path, "feedback", new_task_id(), "--correction", "Be brief.")
    assert (unknown.code, "has not ended, or was never submitted" in unknown.err) == (3, True)
    end = completed(new_task_id())
    lane = {"lane": "local", "why": "", "label": 0, "attempts": 1}
    step = StepSummary.model_validate({"step_id": "reply", "title": "Reply", "result": "done", **lane})
    await (await bus.links("decomposer")).publisher.publish(end.model_copy(update={"steps": (step,)}))
    mistyped = await mesh(bus, tmp_path, "feedback", end.task_id, "--correction", "Be brief.", "--step", "replay")
    assert (mistyped.code, "did you mean reply?" in mistyped.err) == (2, True)
    assert await bus.count("WORK_MEMORY") == 0
    good = await mesh(bus, tmp_path, "feedback", end.task_id, "--correction", "Be brief.", "--step", "reply")
    assert good.code == 0, good.err
    assert await bus.count("WORK_MEMORY") == 1


async def test_agents_are_listed_with_their_queues(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden."""
    links = await bus.links("router")
    await Attendance(links.state(Bucket.AGENTS, Presence), "router", links.clock).renew(busy=1, handled=7)
    await mesh(bus, tmp_path, "submit", "reply")
    rows = {row["agent"]: row for row in (await mesh(bus, tmp_path, "agents", "--json")).json["agents"]}
    assert rows["router"]["replicas"][0]["handled"] == 7
    assert (rows["decomposer"]["waiting"], rows["decomposer"]["replicas"]) == (1, [])
    assert rows["auditor"]["waiting"] is None
    assert "not there" in (await mesh(bus, tmp_path, "agents")).out


async def test_a_person_answers_once(bus: Bus, tmp_path: Path) -> None:
    """Nothing private leaves: a person sees the exact text before they agree to it."""
    now = datetime.now(UTC)
    place = {"task_id": new_task_id(), "step_id": "a", "attempt": 1, "purpose": "egress"}
    asked = ApprovalRequested.model_validate({**place, "preview": "[PERSON_7Q2M]", "requested_at": now, "due_at": now})
    records = bus.state(Bucket.APPROVALS, ApprovalRecord)
    await records.put(approval_key(asked, asked.purpose), ApprovalRecord(request=asked))
    listed = await mesh(bus, tmp_path, "approvals", "ls", "--json")
    (key,) = [item["id"] for item in listed.json["approvals"]]
    assert "[PERSON_7Q2M]" not in listed.out
    assert (await mesh(bus, tmp_path, "approvals", "show", key)).out == "[PERSON_7Q2M]\n"
    assert (await mesh(bus, tmp_path, "approvals", "deny", key, "--by", "dana")).code == 0
    given = ApprovalGiven.model_validate_json((await bus.collect(ApprovalGiven, 1))[0])
    assert (given.approved, given.by) == (False, "dana")
    await records.put(key, ApprovalRecord(request=asked, answer=given))
    assert (await mesh(bus, tmp_path, "approvals", "approve", key)).code == 2
    assert (await mesh(bus, tmp_path, "approvals", "show", "x.y")).code == 2
    assert (await mesh(bus, tmp_path, "approvals", "ls", "--json")).json == {"approvals": []}
    assert await bus.count("WORK_ROUTER") == 1


async def test_who_waits_hears_that_a_person_is_asked(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: a task that waits for its publisher does not look as if it worked."""
    waiting = asyncio.create_task(mesh(bus, tmp_path, "submit", "reply", "--wait", "--timeout", "20"))
    task = TaskSubmitted.model_validate_json((await bus.collect(TaskSubmitted, 1))[0])
    router, facts = await bus.links("router"), {"purpose": "review"}
    await asyncio.sleep(0.5)  # until it listens
    event = {"agent": "router", "action": Action.APPROVAL_ASKED, "at": datetime.now(UTC), "task_id": task.task_id}
    await router.publisher.record(AuditEvent.model_validate({**event, "step_id": "a", "facts": facts}))
    await (await bus.links("decomposer")).publisher.publish(completed(task.task_id))
    assert f"approvals show {task.task_id}.a.1.review" in (await waiting).err


async def test_a_task_is_explained_from_the_bus(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden."""
    task_id, router = new_task_id(), await bus.links("router")
    event = AuditEvent(agent="router", action=Action.ROUTE_DECIDED, at=datetime.now(UTC), task_id=task_id, step_id="a")
    await router.publisher.record(event)
    await (await bus.links("decomposer")).publisher.publish(completed(task_id))
    found = (await mesh(bus, tmp_path, "explain", task_id, "--json")).json
    assert (found["outcome"], found["steps"][0]["step_id"], found["sent"]) == ("completed", "a", [])
    assert "route.decided" in (await mesh(bus, tmp_path, "explain", task_id)).out
    unknown = await mesh(bus, tmp_path, "explain", new_task_id())
    assert unknown.code == 3
    assert "has not begun, or was never submitted here" in unknown.err


@pytest.mark.usefixtures("impatient")
async def test_a_mesh_that_died_without_a_word_is_said(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: who is told nothing but an error knows that nothing was taken."""
    port = bus.server.url.rpartition(":")[2]
    Endpoint(url=f"nats://127.0.0.1:{port}", pid=1).write(tmp_path)
    bus.server.stop()
    ran = await asyncio.to_thread(run_command, "submit", "g", "--data", str(tmp_path), "--keys", str(bus.keys))
    assert (ran.code, ran.out) == (3, "")
    assert "hybridmesh up" in ran.err
    assert not outbox(tmp_path)


async def test_no_mesh_and_no_keys_are_said(bus: Bus, tmp_path: Path) -> None:
    """It runs on what you have, and says so when it does not."""
    ran = await asyncio.to_thread(run_command, "agents", "--data", str(tmp_path))
    assert (ran.code, "hybridmesh up" in ran.err) == (3, True)
    ran = await asyncio.to_thread(run_command, "agents", "--data", str(tmp_path), "--nats", bus.url)
    assert (ran.code, "remedy: " in ran.err) == (5, True)


async def test_waiting_ends_when_the_end_is_there(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: who comes late gets the same result."""
    task_id = new_task_id()
    waiting = asyncio.create_task(mesh(bus, tmp_path, "result", task_id, "--wait", "--timeout", "20"))
    await (await bus.links("decomposer")).publisher.publish(completed(task_id))

    async def over() -> bool:
        return waiting.done()

    await eventually(over)
    assert (await waiting).out == (await mesh(bus, tmp_path, "result", task_id)).out == "done\n"
