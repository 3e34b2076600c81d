"""Who may only submit fills no more of the server's store than what waits may take: all that is under way goes on."""

from pathlib import Path

import nats
import pytest

from guarded_bus import SETTINGS, Guarded
from hybridmesh.bus import provisioner
from hybridmesh.bus.errors import MeshBusy
from hybridmesh.bus.provisioner import INTAKE_BYTES, provision
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.topology import AUDIT, intake_stream, lanes_stream, subject_for
from hybridmesh.infra.nats import access
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.infra.provision import provision_bus
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.tasks import TaskFailed, TaskSubmitted

INTAKES = (intake_stream("decomposer"), lanes_stream("decomposer"))


async def test_a_flood_of_large_submissions_is_refused_and_what_is_under_way_goes_on(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost: the sender hears that it is to try later, what was taken stays, results and log are stored."""
    monkeypatch.setattr(provisioner, "INTAKE_BYTES", (3_000_000,))
    await provision_bus(guarded.server.url, SETTINGS, replicas=1, keys=guarded.keys)
    submitter, decomposer = await guarded.links("submitter-acme"), await guarded.links("decomposer")

    def large() -> TaskSubmitted:
        return TaskSubmitted(task_id=new_task_id(), goal="x" * 900_000, tenant="acme", submitted_at=utc_now())

    for _ in range(3):
        await submitter.publisher.publish(large())
    with pytest.raises(MeshBusy):
        await submitter.publisher.publish(large())
    await decomposer.publisher.record(AuditEvent(agent="decomposer", action=Action.TASK_ENDED, at=utc_now(), nonce="x"))
    end = TaskFailed(task_id=new_task_id(), outcome="failed", reason="x", finished_at=utc_now())
    await decomposer.publisher.publish(end)
    assert (await guarded.stored(lanes_stream("decomposer")), await guarded.stored(AUDIT.name)) == (3, 1)


async def test_a_bound_that_comes_later_removes_nothing(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: what waits when a mesh is updated was acknowledged, however much it is."""
    client = await guarded.connect("provisioner")
    js = client.jetstream()
    for _ in range(4):
        await js.publish(subject_for(TaskSubmitted, new_task_id()), b"x" * 900_000)
    monkeypatch.setattr(provisioner, "INTAKE_BYTES", (1_000_000,))
    await provision_bus(guarded.server.url, SETTINGS, replicas=1, keys=guarded.keys)
    assert await guarded.stored(intake_stream("decomposer")) == 4


@pytest.mark.parametrize(
    ("room", "bound"), [(access.MAX_FILE_BYTES, INTAKE_BYTES[0]), (10**9, INTAKE_BYTES[1]), (10**7, INTAKE_BYTES[2])]
)
async def test_a_small_server_has_a_lower_bound_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, bound: int
) -> None:
    """It runs on what you have: what is set aside is never more than there is."""
    monkeypatch.setattr(access, "MAX_FILE_BYTES", room)
    with NatsServer(tmp_path / "nats") as server:
        client = await nats.connect(server.url)
        js = client.jetstream()
        for _ in range(2):
            await provision(js, SETTINGS.bus)
            assert {(await js.stream_info(name)).config.max_bytes for name in INTAKES} == {bound}
        await client.close()
