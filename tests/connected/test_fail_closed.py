"""Every fault of the table, injected into the real agents on a real server: the lane it takes, and its audit event."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from cloud_double import CloudDouble, answer
from faulty_mesh import MAIL, Blind, BrokenTags, Failing, Mesh, SlowTags, detector
from harness import Bus, eventually
from hybridmesh.agents.classifier.agent import Finder, Policy
from hybridmesh.agents.classifier.token_classifier import TokenClassifier
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.topology import AUDIT, Bucket, bucket_stream
from hybridmesh.bus.vault import Vault
from hybridmesh.infra.fail_closed import FAULTS, TEST, Fault, matrix
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import ConsultProposed, ConsultRequested
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.steps import StepLocal
from hybridmesh.schemas.tasks import TaskFailed

pytestmark = [pytest.mark.connected, pytest.mark.timeout(90), pytest.mark.usefixtures("impatient")]

CHECKOUT = Path(__file__).resolve().parents[2]


class DetectorError(Mesh):
    def finder(self) -> Finder:
        return detector(BrokenTags())


class DetectorTimeout(Mesh):
    def finder(self) -> Finder:
        return detector(SlowTags(), timeout_s=0.2)


class ModelMissing(Mesh):
    def finder(self) -> Finder:
        return detector(TokenClassifier(self.folder / "no-model"))


class UnknownLanguage(Mesh):
    mail = "Igama lami nguSipho, ngicela ungithumelele incwadi yami ngokushesha ngoba ngiyayidinga kusasa ekuseni."


class UnknownScript(Mesh):
    mail = "Меня зовут Иван Петров, я живу в Москве на улице Ленина, дом пять, и жду ответа. " * 3


class TextTooLong(Mesh):
    def finder(self) -> Finder:
        return detector(max_chars=50)


class PolicyUnreadable(Mesh):
    async def terms(self) -> Policy:
        await self.bus.js.delete_key_value(Bucket.POLICY)
        return await super().terms()


class VaultWriteFailed(Mesh):
    async def vault(self) -> Vault:
        vault = await self.vault_with()
        await self.bus.js.delete_stream(bucket_stream(Bucket.VAULT))
        return vault


class VaultFull(Mesh):
    async def vault(self) -> Vault:
        return await self.vault_with(most_bytes=100)


class VaultKeyWrong(Mesh):
    async def vault(self) -> Vault:
        await (await self.vault_with(b"x" * 32)).open(self.task_id)
        return await self.vault_with()


class VaultForgotten(Mesh):
    held = "router"

    async def between(self) -> None:
        vault = await self.vault_with()
        await vault.forget(self.task_id)
        await vault.erase(self.task_id)


class DetectorLost(Mesh):
    def finder(self) -> Finder:
        return Failing(RuntimeError(MAIL), first=3)  # a step is read twice


class ValueInPrompt(Mesh):
    def change(self, message: Message) -> Message:
        if not isinstance(message, ConsultProposed):
            return message
        return message.model_copy(update={"prompt": message.prompt.model_copy(update={"user": self.mail})})


class ClearanceMissing(Mesh):
    def change(self, message: Message) -> Message:
        return with_clearance(message, signature="")


class ClearanceAltered(Mesh):
    def change(self, message: Message) -> Message:
        return with_clearance(message, counts={"PERSON": 9})


class ClearanceExpired(Mesh):
    clearance_s = 0.3

    async def between(self) -> None:
        await asyncio.sleep(0.5)


class PromptAltered(Mesh):
    def change(self, message: Message) -> Message:
        if not isinstance(message, ConsultRequested):
            return message
        return message.model_copy(update={"prompt": message.prompt.model_copy(update={"user": "Something else."})})


class SecondScan(Mesh):
    def finder(self) -> Finder:
        return Blind()


class AuditDown(Mesh):
    """The stream is gone when the consultant starts, and comes back after it has given up."""

    patience_s = 0.0

    async def between(self) -> None:
        await self.bus.js.delete_stream(AUDIT.name)
        self.returning = asyncio.create_task(self._give_back())

    async def _give_back(self) -> None:
        await asyncio.sleep(5)  # a publish is tried for 2 s here, and the last pause is one of 2 s
        await provision(self.bus.js, self.bus.settings.bus)


INJECTED: dict[str, type[Mesh]] = {
    re.sub(r"(?<!^)(?=[A-Z])", "-", fault.__name__).lower(): fault for fault in Mesh.__subclasses__()
}


def with_clearance(message: Message, **changes: object) -> Message:
    if not isinstance(message, ConsultRequested):
        return message
    return message.model_copy(update={"clearance": message.clearance.model_copy(update=changes)})


@contextlib.asynccontextmanager
async def mesh_with(bus: Bus, folder: Path, kind: type[Mesh], profile: str) -> AsyncGenerator[Mesh]:
    async with CloudDouble(answer("Thank you.")) as cloud:
        mesh = kind(bus, cloud, folder)
        await mesh.run(profile)
        try:
            yield mesh
        finally:
            await mesh.stop()


def assert_told(fault: Fault, events: Sequence[AuditEvent]) -> None:
    (told,) = [event for event in events if event.action is fault.action]
    name = "doubt" if fault.action is Action.STEP_CLASSIFIED else "reason"
    assert (told.agent, told.facts[name]) == (fault.agent, fault.reason)
    assert not any(word in event.model_dump_json() for event in events for word in ("maria", "keller", "Петров"))


def test_every_fault_of_the_table_is_injected_here() -> None:
    """Nothing is hidden: the page that people read has no row without a test, and no test without a row."""
    assert {fault.key for fault in FAULTS} == INJECTED.keys()
    assert Path(__file__).relative_to(CHECKOUT).as_posix() == TEST
    page = (CHECKOUT / "infra" / "fail-closed.md").read_text("utf-8")
    assert page == matrix(), "run: make documents"
    assert all(f"`{fault.key}`" in page and f"`{fault.reason}`" in page for fault in FAULTS)


async def test_without_a_fault_the_prompt_leaves(bus: Bus, tmp_path: Path) -> None:
    """It runs on what you have: what the faults below keep back would leave without them, as pseudonyms."""
    async with mesh_with(bus, tmp_path, Mesh, "balanced") as mesh:
        await eventually(lambda: mesh.holds("worker"))
        (body,) = mesh.cloud.bodies
    assert b"[EMAIL_" in body
    assert b"keller" not in body


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.key)
async def test_a_fault_takes_the_local_lane(bus: Bus, tmp_path: Path, fault: Fault) -> None:
    """Nothing private leaves, nothing is hidden: the step goes on at home, not a byte left, and the log says why."""
    async with mesh_with(bus, tmp_path, INJECTED[fault.key], "balanced") as mesh:
        (body,) = await bus.collect(StepLocal, 1, timeout=60)
        step = StepLocal.model_validate_json(body)
        events = await mesh.audited()
    assert (step.task_id, step.mode, step.decision.lane) == (mesh.task_id, "answer", Lane.LOCAL)
    assert (mesh.cloud.received, mesh.cloud.connections) == (b"", 0)
    assert_told(fault, events)
    assert [event.facts["lane"] for event in events if event.action is Action.ROUTE_DECIDED][-1] == "local"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.key)
async def test_a_fault_stops_where_the_profile_says_so(bus: Bus, tmp_path: Path, fault: Fault) -> None:
    """Nothing private leaves, nothing is hidden: under secure-research, and under any profile that stops in doubt."""
    profile = "strict" if fault.of_prompt else "secure-research"
    async with mesh_with(bus, tmp_path, INJECTED[fault.key], profile) as mesh:
        (body,) = await bus.collect(TaskFailed, 1, timeout=60)
        events = await mesh.audited()
        assert not await mesh.holds("worker")
    failed = TaskFailed.model_validate_json(body)
    assert (failed.task_id, failed.outcome, failed.reason) == (mesh.task_id, "failed", "in-doubt")
    assert fault.reason in failed.detail
    assert (mesh.cloud.received, mesh.cloud.connections) == (b"", 0)
    assert_told(fault, events)
