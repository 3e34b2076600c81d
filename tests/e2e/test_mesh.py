"""The promises, on a whole mesh of real processes: a task's way from its submission to its end, seen from outside."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from cloud_double import CloudDouble
from harness import eventually
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.audit_check import verify_log
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed, TaskSubmitted
from mesh_process import MeshProcess

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.timeout(180)]

NAME, MAIL, CARD = "Margaret Oyelaran", "margaret.oyelaran@example.com", "4111 1111 1111 1111"
IBAN, PHONE = "DE89 3704 0044 0532 0130 00", "020 7946 0318"
TICKET = f"""Hello,

you charged my card {CARD} twice for one invoice, and my bank account {IBAN} as well. Please write to {MAIL}, or
call me on {PHONE}.

Kind regards,
{NAME}
"""
GOAL = "Triage this support ticket and draft a reply."
PHRASE = "free of charge"  # what the double says in every reply


async def triage(client: Mesh, ticket: str = TICKET, profile: str = "balanced") -> TaskCompleted:
    """Put a ticket through the named workflow."""
    task_id = await client.submit(GOAL, inputs={"ticket": ticket}, workflow="support-triage", profile=profile)
    ended = await client.result(task_id, timeout_s=120)
    assert isinstance(ended, TaskCompleted), ended
    return ended


async def actions(client: Mesh, task_id: str) -> set[Action]:
    """Return what the audit log says was done for a task."""
    return {event.action for event in await client.history(AuditEvent, f"*.{task_id}")}


async def test_a_private_ticket_is_answered_by_the_cloud_which_sees_no_private_value(
    mesh: MeshProcess, cloud: CloudDouble
) -> None:
    """Nothing private leaves; Nothing is hidden: what is recorded as sent is what arrived, byte for byte."""
    before, heard = len(cloud.requests), len(cloud.received)
    async with mesh.client() as client:
        ended = await triage(client)
        recorded = await client.history(EgressRecorded, ended.task_id)
        events = await client.history(AuditEvent, f"*.{ended.task_id}")
    reply = next(step for step in ended.steps if step.step_id == "reply")
    assert reply.lane is Lane.REDACTED, reply.why
    assert NAME in reply.result
    assert NAME in next(step.result for step in ended.steps if step.step_id == "request")
    arrived = cloud.received[heard:].decode()
    for value in (NAME, *NAME.split(), MAIL, CARD, CARD.replace(" ", ""), IBAN, IBAN.replace(" ", ""), PHONE):
        assert value not in arrived
    sent = [request.body for request in cloud.requests[before:]]
    assert [record.body.encode() for record in recorded] == sent
    started = [event.facts["sent_sha256"] for event in events if event.action is Action.EGRESS_STARTED]
    assert started == [hashlib.sha256(body).hexdigest() for body in sent]


async def test_every_decision_egress_and_spend_of_a_task_is_in_the_log(mesh: MeshProcess) -> None:
    """Nothing is hidden: the log of a task tells its whole way, and the money once."""
    async with mesh.client() as client:
        ended = await triage(client)
        events = await client.history(AuditEvent, f"*.{ended.task_id}")
    assert {event.action for event in events} >= {
        Action.TASK_ACCEPTED,
        Action.STEP_PLANNED,
        Action.STEP_CLASSIFIED,
        Action.ROUTE_DECIDED,
        Action.SPEND_RESERVED,
        Action.PROMPT_CLEARED,
        Action.EGRESS_STARTED,
        Action.EGRESS_ENDED,
        Action.SPEND_SETTLED,
        Action.VALUES_RESTORED,
        Action.DRAFT_MADE,
        Action.DRAFT_VERIFIED,
        Action.TASK_ENDED,
    }
    settled = [event for event in events if event.action is Action.SPEND_SETTLED]
    assert len(settled) == len({(event.step_id, event.attempt) for event in settled})
    assert ended.cost_usd > 0


async def test_under_secure_research_not_a_byte_leaves(mesh: MeshProcess, cloud: CloudDouble) -> None:
    """Nothing private leaves: a profile that keeps everything at home keeps everything at home."""
    heard, connections = len(cloud.received), cloud.connections
    async with mesh.client() as client:
        ended = await triage(client, profile="secure-research")
        assert not await client.history(EgressRecorded, ended.task_id)
    assert {step.lane for step in ended.steps} == {Lane.LOCAL}
    assert (len(cloud.received), cloud.connections) == (heard, connections)


async def test_a_task_without_a_workflow_is_planned_and_done(mesh: MeshProcess) -> None:
    """It runs on what you have: a goal in plain words is enough."""
    async with mesh.client() as client:
        task_id = await client.submit("Write a short reply to this mail.", inputs={"mail": TICKET})
        ended = await client.result(task_id, timeout_s=120)
    assert isinstance(ended, TaskCompleted), ended
    assert NAME in ended.result


async def test_an_unknown_workflow_is_refused_with_the_nearest_known_one(mesh: MeshProcess) -> None:
    """Nothing is lost: what cannot be done ends at once, and says what would help."""
    async with mesh.client() as client:
        task_id = await client.submit("Anything.", workflow="support-triag")
        ended = await client.result(task_id, timeout_s=30)
    assert isinstance(ended, TaskFailed)
    assert (ended.outcome, ended.reason) == ("refused", "unknown-workflow")
    assert "support-triage" in ended.detail


async def test_a_past_deadline_is_refused_by_the_client_and_by_the_mesh(mesh: MeshProcess) -> None:
    """Nothing is lost: a task that comes too late is not begun, whoever sent it."""
    past = datetime.now(UTC) - timedelta(minutes=1)
    async with mesh.client() as client:
        with pytest.raises(UsageError):
            await client.submit("Anything.", deadline=past)
        late = TaskSubmitted(task_id=new_task_id(), goal="Anything.", deadline=past, submitted_at=past)
        await client.links.publisher.publish(late)
        ended = await client.result(late.task_id, timeout_s=30)
    assert isinstance(ended, TaskFailed)
    assert ended.reason == "past-deadline"


async def test_a_deadline_that_passes_ends_the_task(mesh: MeshProcess) -> None:
    """Nothing is lost: a task that is not done in time says so, soon after its time."""
    async with mesh.client() as client:
        soon = timedelta(seconds=0.5)
        task_id = await client.submit("Tell a long story.", profile="secure-research", deadline=soon)
        ended = await client.result(task_id, timeout_s=30)
    assert isinstance(ended, TaskFailed), "done at once: the test needs a slower task"
    assert "deadline" in ended.reason


async def test_a_cancelled_task_ends_as_cancelled(mesh: MeshProcess) -> None:
    """Nothing is lost: a task that is stopped has its one end, too."""
    async with mesh.client() as client:
        task_id = await client.submit("Write a short reply to this mail.", inputs={"mail": TICKET})
        await client.cancel(task_id)
        ended = await client.result(task_id, timeout_s=30)
    assert isinstance(ended, TaskFailed)
    assert ended.outcome == "cancelled"


async def learn(client: Mesh) -> None:
    """Correct a reply, unless that was done before, and wait until the memory says that it is a lesson."""
    task_id = (await triage(client)).task_id
    await client.feedback(task_id, correction=f'Never say "{PHRASE}".')

    async def learned() -> bool:
        return Action.LESSON_LEARNED in await actions(client, task_id)

    await eventually(learned, 30)


async def test_a_correction_holds_from_the_next_task_on(mesh: MeshProcess, cloud: CloudDouble) -> None:
    """Mistakes are not repeated: though the cloud says the same again, neither the next task nor a later one does."""
    async with mesh.client() as client:
        assert PHRASE in (await triage(client)).result
        await learn(client)
        heard = len(cloud.requests)
        results = [(await triage(client)).result for _ in range(3)]
    assert len(cloud.requests) == heard + 6  # of each, the request and the reply
    assert all(NAME in result and PHRASE not in result for result in results)


async def test_a_correction_holds_while_the_memory_comes_back(mesh: MeshProcess) -> None:
    """Mistakes are not repeated: a memory that is away for a moment is waited for, not left out."""
    async with mesh.client() as client:
        await learn(client)
        mesh.processes()["memory"].kill()
        assert PHRASE not in (await triage(client)).result


async def test_the_log_is_whole_and_says_so_to_anybody_with_the_public_keys(mesh: MeshProcess) -> None:
    """Nothing is hidden: every signature holds, nothing is missing, and the auditor has signed all of it."""
    async with mesh.client() as client:
        await triage(client, f"My code is {secrets.token_hex(4)}, and the line is down.")

        async def covered() -> bool:
            found = await verify_log(client.links.js, client.links.ring)
            assert not found.findings
            return found.covered >= found.entries > 0

        await eventually(covered, 30)
    assert mesh.run("audit", "verify").returncode == 0
