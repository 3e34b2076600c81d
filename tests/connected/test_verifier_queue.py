"""The verifier behind its real queue, with the private memory's real engine: drafts in, verdicts out."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness import Bus
from hybridmesh.agents.memory.bm25 import Bm25Words
from hybridmesh.agents.memory.edge_store import EdgeStore
from hybridmesh.agents.memory.library import Library
from hybridmesh.agents.memory.scoped import ScopedMemory
from hybridmesh.agents.verifier.agent import Verifier
from hybridmesh.bus.errors import ModelUnavailable
from hybridmesh.bus.ports import Memory
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.topology import consumers
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.inference import Completion, CompletionRequest
from hybridmesh.schemas.memory import Kind, MemoryItem, Remember, Scope
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import StepContext, StepDrafted, StepRejected, StepVerified
from hybridmesh.schemas.tasks import Document

pytestmark = pytest.mark.connected

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class NoModel:
    """A machine without a model."""

    async def complete(self, request: CompletionRequest) -> Completion:
        raise ModelUnavailable(f"nothing of {request.max_tokens} tokens")


class OneDirection:
    """A dense embedder that finds everything alike: only words and keys tell items apart."""

    generation = "one_direction_v1"
    size = 4

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        return [(1.0, 0.0, 0.0, 0.0) for _ in texts]

    async def close(self) -> None:
        """Nothing to free."""


@pytest.fixture
async def memory(tmp_path: Path) -> AsyncGenerator[Memory]:
    dense = OneDirection()
    store = await EdgeStore.open(tmp_path / "memory", dense_name=dense.generation, dense_size=dense.size)
    library = Library(store, dense, Bm25Words(), lambda: NOW)
    yield ScopedMemory(library, Scope())
    await library.close()


@asynccontextmanager
async def verifying(bus: Bus, memory: Memory) -> AsyncGenerator[None]:
    links = await bus.links("verifier")
    agent = Verifier(NoModel(), memory, utc_now).agent()
    durable = next(item for item in consumers() if item.durable == "verifier")
    loop = WorkLoop(bus.js, durable, agent, links.publisher, links.ring, bus.settings.bus, slots=4)
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        loop.stop()
        await task


def drafted(draft: str) -> StepDrafted:
    ticket = Document(name="ticket", text="Order INV-2026-0042 of Maria Lopez is broken.")
    spec = StepSpec(id="reply", title="Reply", instruction="Write a reply.")
    context = StepContext(goal="Answer", profile="balanced", workflow="support-triage", spec=spec, inputs=(ticket,))
    return StepDrafted(
        task_id=new_task_id(),
        step_id="reply",
        context=context,
        label=Sensitivity.PERSONAL,
        decision=Decision(lane=Lane.LOCAL, reason="r"),
        draft=draft,
        author="local",
    )


async def test_verdicts_name_the_records_and_heed_the_lessons(bus: Bus, memory: Memory) -> None:
    """Nothing is hidden, and mistakes are not repeated: a record proves a claim, a lesson refuses a draft."""
    record = MemoryItem(
        kind=Kind.RECORD, key="INV-2026-0042", text="warranty 24 months", source="crm", author="import", created_at=NOW
    )
    lesson = MemoryItem(
        kind=Kind.LESSON,
        key="lesson/support-triage/reply",
        text='Do not say "for free".',
        data={"must_not_contain": ["for free"]},
        source="feedback:1",
        author="person",
        origin="feedback",
        created_at=NOW,
    )
    stored = (await memory.remember(Remember(items=(record, lesson)))).results
    worker = await bus.links("worker")
    right, repeated, wrong = (
        drafted(text) for text in ("You have 24 months.", "You have 24 months for free.", "You have 36 months.")
    )
    async with verifying(bus, memory):
        for message in (right, repeated, wrong):
            await worker.publisher.publish(message)
        verified = [StepVerified.model_validate_json(body) for body in await bus.collect(StepVerified, 1)]
        rejected = [StepRejected.model_validate_json(body) for body in await bus.collect(StepRejected, 2)]
        audits = [AuditEvent.model_validate_json(body) for body in await bus.collect(AuditEvent, 3)]
    assert [item.task_id for item in verified] == [right.task_id]
    assert verified[0].verdict.claims[0].evidence == (f"record:{stored[0].id}",)
    codes = {item.task_id: item.verdict.codes for item in rejected}
    assert codes == {repeated.task_id: ("lesson",), wrong.task_id: ("unproven-number",)}
    assert {item.facts["codes"] for item in audits} == {"", "lesson", "unproven-number"}
