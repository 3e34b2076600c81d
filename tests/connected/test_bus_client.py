"""The client on a real server: a task that was acknowledged is there, and its end is heard by who waits."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from harness import Bus, eventually
from hybridmesh.bus import connect
from hybridmesh.bus.endings import Endings
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.errors import (
    NO_MESH,
    BodyMissing,
    MeshBusy,
    MeshUnavailable,
    PermanentError,
    SetupError,
    UsageError,
)
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.topology import (
    AUDIT,
    RESULTS,
    ROOT,
    filter_of,
    intake_stream,
    lanes_stream,
    queue_stream,
    subject_for,
    unlaned_filter,
)
from hybridmesh.infra.provision import create_keys
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.steps import StepFailed
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed, TaskSubmitted


def completed(task_id: str) -> TaskCompleted:
    """An end."""
    return TaskCompleted(task_id=task_id, result="done", steps=(), cost_usd=Decimal(0), finished_at=datetime.now(UTC))


async def test_a_submission_is_stored_and_leaves_the_outbox(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost."""
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        task_id = await mesh.submit("say hello", inputs={"a.txt": "text"}, budget_usd=Decimal("0.5"))
    stored = TaskSubmitted.model_validate_json((await bus.collect(TaskSubmitted, 1))[0])
    assert stored.task_id == task_id
    assert stored.inputs[0].text == "text"
    assert not list((tmp_path / "outbox").iterdir())


@pytest.mark.usefixtures("impatient")
async def test_a_submission_without_a_server_waits_in_the_outbox(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: what the dead bus could not take goes out on the next connect, with the same id."""
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        bus.server.stop()
        with pytest.raises(MeshUnavailable):
            await mesh.submit("say hello")
    waiting = list((tmp_path / "outbox").glob("*.json"))
    assert len(waiting) == 1
    bus.server.start()
    async with connect(bus.url, data=tmp_path, keys=bus.keys):
        pass
    assert TaskSubmitted.model_validate_json((await bus.collect(TaskSubmitted, 1))[0]).task_id == waiting[0].stem
    assert not list((tmp_path / "outbox").glob("*.json"))


async def test_a_result_is_heard_by_who_waits_and_by_who_comes_late(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: the end of a task is stored, not only called out."""
    decomposer = await bus.links("decomposer")
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        task_id = await mesh.submit("say hello")
        waiting = asyncio.create_task(mesh.result(task_id, timeout_s=10))
        await asyncio.sleep(0.1)
        await decomposer.publisher.publish(completed(task_id))
        assert await waiting == await mesh.result(task_id, timeout_s=10)
        with pytest.raises(TimeoutError):
            await mesh.result((await mesh.submit("another")), timeout_s=0.2)


async def test_what_is_no_end_is_passed_over(bus: Bus, tmp_path: Path) -> None:
    """No one gets in: an acknowledgement that somebody had sent among the results neither ends a wait nor breaks it."""
    decomposer = await bus.links("decomposer")
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        task_id = await mesh.submit("say hello")
        waiting = asyncio.create_task(mesh.result(task_id, timeout_s=10))
        await asyncio.sleep(0.1)
        results = f"{ROOT}.task.failed.default.{task_id}"
        await bus.client.publish(f"{ROOT}.step.local.{task_id}", b"x", reply=results)
        await eventually(partial(_holds_results, bus, 1))
        assert await mesh.ended(task_id) is None
        assert not waiting.done()
        await decomposer.publisher.publish(completed(task_id))
        assert (await waiting).task_id == task_id


async def test_an_end_is_found_behind_what_is_none(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: what somebody has stored over a task's end neither hides it nor breaks who looks."""
    decomposer = await bus.links("decomposer")
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        task_id = await mesh.submit("say hello")
        results = subject_for(TaskFailed, f"default.{task_id}")
        await bus.js.publish(results, b"", headers={"ce-type": TaskFailed.event_type(), "ce-dataref": "nowhere"})
        with pytest.raises(BodyMissing):
            await mesh.ended(task_id)
        every = mesh.results()
        hearing = asyncio.create_task(anext(every))
        await asyncio.sleep(0.2)
        await bus.js.publish(results, b"", headers={"ce-type": TaskFailed.event_type(), "ce-dataref": "nowhere"})
        end = completed(task_id)
        await decomposer.publisher.publish(end)
        assert await asyncio.wait_for(hearing, 5) == end
        for _ in range(3):
            await bus.client.publish(subject_for(StepFailed, task_id), b"x", reply=results)
        await eventually(partial(_holds_results, bus, 6))
        assert await mesh.ended(task_id) == end
        assert await mesh.result(task_id, timeout_s=5) == end
        assert await Endings(bus.js, bus.ring).over(task_id)


async def _holds_results(bus: Bus, count: int) -> bool:
    return (await bus.js.stream_info(RESULTS.name)).state.messages == count


async def test_who_waits_for_a_task_hears_that_the_bus_lost_it(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost in silence: after a wipe of the store nobody waits for a task that nobody knows."""
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        task_id = await mesh.submit("say hello")
        waiting = asyncio.create_task(mesh.result(task_id, timeout_s=30))
        await asyncio.sleep(0.1)
        bus.server.stop()
        shutil.rmtree(tmp_path / "nats" / "jetstream")
        bus.server.start()
        await eventually(partial(_came_back, bus))
        await provision(bus.js, bus.settings.bus)
        with pytest.raises(PermanentError, match="submit it again"):
            await waiting


async def _came_back(bus: Bus) -> bool:
    return bus.client.is_connected and bus.client.stats["reconnects"] > 0


async def test_audit_events_are_followed_from_the_start_and_live(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden."""
    router = await bus.links("router")
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        task_id = await mesh.submit("say hello")

        def event(nonce: str) -> AuditEvent:
            return AuditEvent(
                agent="router", action=Action.ROUTE_DECIDED, at=datetime.now(UTC), task_id=task_id, nonce=nonce
            )

        await router.publisher.record(event("1"))
        first = await anext(mesh.audit(from_start=True))
        live = mesh.audit(task_id=task_id)
        heard = asyncio.create_task(anext(live))
        await asyncio.sleep(0.1)
        await router.publisher.record(event("2"))
        assert (first.nonce, (await heard).nonce) == ("1", "2")


@pytest.mark.parametrize(
    ("goal", "inputs", "deadline"),
    [
        ("  ", {}, None),
        ("g", {}, timedelta(seconds=-1)),
        ("g", {"big": "x" * 10_000_000}, None),
        ("g", {"odd": "\ud800"}, None),
    ],
)
async def test_bad_input_is_named_and_nothing_is_submitted(
    bus: Bus, tmp_path: Path, goal: str, inputs: dict[str, str], deadline: timedelta | None
) -> None:
    """Nothing is half done."""
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        with pytest.raises(UsageError) as caught:
            await mesh.submit(goal, inputs=inputs, deadline=deadline)
    assert caught.value.remedy
    assert await bus.count(lanes_stream("decomposer")) == 0


async def test_no_mesh_is_said(tmp_path: Path) -> None:
    """It runs on what you have, and says so when it does not."""
    with pytest.raises(MeshUnavailable) as caught:
        async with connect(data=tmp_path):
            pass
    assert caught.value.reason == NO_MESH


@pytest.mark.usefixtures("impatient")
async def test_a_mesh_that_died_without_a_word_is_said(bus: Bus, tmp_path: Path) -> None:
    """Nothing hangs: the place where a mesh was is not taken for a mesh."""
    Endpoint(url=bus.url, pid=1).write(tmp_path)
    bus.server.stop()
    with pytest.raises(MeshUnavailable):
        async with connect(data=tmp_path, keys=bus.keys):
            pass


async def test_a_full_intake_refuses_and_what_is_under_way_goes_on(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: who submits hears when to come again, nothing is kept of it, and results still get through."""
    config = (await bus.js.stream_info(lanes_stream("decomposer"))).config
    await bus.js.update_stream(config.evolve(max_msgs_per_subject=2))
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        accepted = [await mesh.submit("g") for _ in range(2)]
        with pytest.raises(MeshBusy) as caught:
            await mesh.submit("g")
        assert caught.value.retry_after_s > 0
        await mesh.cancel(accepted[0])
        assert not [*(tmp_path / "outbox").iterdir()]
    verifier = await bus.links("verifier")
    await verifier.publisher.publish(StepFailed(task_id=accepted[0], step_id="a", reason="r"))
    assert await bus.count(lanes_stream("decomposer")) == 2
    assert await bus.count(queue_stream("decomposer")) == 2


async def test_who_waits_hears_that_the_store_was_lost(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost in silence: also where an agent that had a step in hand speaks of it on the empty bus."""
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        task_id = await mesh.submit("g")
        waiting = asyncio.create_task(mesh.result(task_id, timeout_s=30))
        await asyncio.sleep(1)  # the first look says which store it is
        for stream in (RESULTS, AUDIT):
            await bus.js.delete_stream(stream.name)
        await provision(bus.js, bus.settings.bus)
        worker = await bus.links("worker")
        at = datetime.now(UTC)
        await worker.publisher.record(AuditEvent(agent="worker", action=Action.DRAFT_MADE, at=at, task_id=task_id))
        with pytest.raises(PermanentError) as caught:
            await waiting
    assert caught.value.reason == "store-lost"


@pytest.mark.parametrize("before", [queue_stream("decomposer"), intake_stream("decomposer")])
async def test_a_bus_of_before_the_lanes_goes_on_with_what_it_holds(bus: Bus, tmp_path: Path, before: str) -> None:
    """Nothing is lost: submissions that wait in the one queue of an earlier version stay there, new ones do not."""
    await bus.js.delete_stream(lanes_stream("decomposer"))
    if before == queue_stream("decomposer"):
        await bus.js.delete_stream(intake_stream("decomposer"))
    config = (await bus.js.stream_info(before)).config
    kept = [subject for subject in config.subjects or () if subject != unlaned_filter(TaskSubmitted)]
    await bus.js.update_stream(config.evolve(subjects=[*kept, filter_of(TaskSubmitted)], max_msgs=9))
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        await mesh.submit("before")
        await provision(bus.js, bus.settings.bus)
        await mesh.submit("after")
    assert (await bus.count(before), await bus.count(lanes_stream("decomposer"))) == (1, 1)
    assert (await bus.js.stream_info(before)).config.max_msgs != 9


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_says_nothing_is_left_and_told(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: a server that is up but does not answer is an error in time, and its connection is closed."""
    left = asyncio.Event()

    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    async with await asyncio.start_server(stay_silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(MeshUnavailable):
            async with connect(f"nats://127.0.0.1:{port}", data=tmp_path, keys=bus.keys):
                pass
        await asyncio.wait_for(left.wait(), 5)


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:80", "http://127.0.0.1:80", "127.0.0.1:4222", "nats://127.0.0.1:no-port"]
)
async def test_what_is_no_address_of_a_bus_is_refused(bus: Bus, tmp_path: Path, url: str) -> None:
    """No one gets in: over web sockets the client would leave out the TLS that a server asks for."""
    with pytest.raises(UsageError, match="no address of a bus"):
        async with connect(url, data=tmp_path, keys=bus.keys):
            pass


@pytest.mark.usefixtures("impatient")
async def test_an_address_where_nothing_is_is_told_as_such(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: a wrong address is an error that says what to look after, not one of a library."""
    with pytest.raises(MeshUnavailable, match="does not answer"):
        async with connect("nats://127.0.0.1:1", data=tmp_path, keys=bus.keys):
            pass


async def test_keys_of_two_meshes_are_told_apart(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: a task under a key that the mesh does not know would be taken, and buried unheard of."""
    other, mixed = tmp_path / "other", tmp_path / "mixed"
    create_keys(other)
    shutil.copytree(bus.keys, mixed)
    shutil.copy(other / "publisher.key", mixed / "publisher.key")
    with pytest.raises(SetupError, match="the key of publisher") as told:
        async with connect(bus.url, data=tmp_path, keys=mixed):
            pass
    assert "same mesh" in told.value.remedy
    async with connect(bus.url, data=tmp_path, keys=mixed, role="submitter") as mesh:
        await mesh.submit("Say hello.")
