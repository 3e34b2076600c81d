"""The consultant on a real bus: what is in the audit log when the cloud is asked, and what happens without one."""

import hashlib

import pytest
from pydantic import SecretStr

from cloud_double import (
    CloudDouble,
    answer,
)
from consultant_bench import Watch, consultant_over, requested
from harness import Bus, eventually
from hybridmesh.agents.consultant.claude import ClaudeModel
from hybridmesh.bus.errors import CloudUnavailable, MeshUnavailable
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import ConsultAdvised


@pytest.mark.connected
async def test_the_real_audit_log_holds_the_start_before_the_advice(bus: Bus) -> None:
    """Nothing is hidden: on a real server the start of the egress is stored before the cloud sees a byte."""
    links = await bus.links("consultant")
    stored: list[int] = []
    async with CloudDouble(answer("Grant it.")) as cloud:
        model = ClaudeModel(api_key=SecretStr("sk-test"), clock=Watch(), base_url=cloud.url)
        outcome = await consultant_over(model, links.publisher).consult(requested())
        stored.append(await bus.count("AUDIT"))
        await model.close()
    assert stored == [1]
    event = AuditEvent.model_validate_json((await bus.collect(AuditEvent, 1))[0])
    assert event.action == Action.EGRESS_STARTED
    assert event.facts["sent_sha256"] == hashlib.sha256(cloud.bodies[0]).hexdigest()
    assert isinstance(outcome[1], ConsultAdvised)


@pytest.mark.connected
async def test_no_server_no_egress(bus: Bus) -> None:
    """Nothing is hidden: with the bus gone, nothing leaves."""
    links = await bus.links("consultant")
    bus.server.stop()
    async with CloudDouble(answer("x")) as cloud:
        model = ClaudeModel(api_key=SecretStr("sk-test"), clock=Watch(), base_url=cloud.url, timeout_s=1)
        with pytest.raises((CloudUnavailable, MeshUnavailable)):
            await consultant_over(model, links.publisher).consult(requested())
        await model.close()
    assert (cloud.received, cloud.connections) == (b"", 0)
    bus.server.restart()

    async def back() -> bool:
        return bus.client.is_connected

    await eventually(back)
