"""The table and what is derived from it agree."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from hybridmesh.bus.topology import (
    AGENTS,
    DEAD,
    OPEN_TYPES,
    ROOT,
    TOPOLOGY,
    Account,
    Ask,
    Bucket,
    MessageType,
    askers_of,
    consumers,
    consumers_of,
    dead_subject,
    filter_of,
    intake_stream,
    lane_filter,
    lanes_stream,
    message_types,
    producers_of,
    readers_of,
    row_of,
    streams,
    subject_of,
    subjects_of_message,
    unlaned_filter,
    writers_of,
)
from hybridmesh.schemas.approvals import ApprovalRequested
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.consults import ConsultAdvised, ConsultProposed, ConsultRefused, ConsultRequested
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.lanes import LANES
from hybridmesh.schemas.steps import StepFailed, StepLocal, StepVerified
from hybridmesh.schemas.tasks import TaskFailed, TaskSubmitted

TASK = "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11"
# What is published for anybody to read: no agent takes it off a queue.
READ_BY_ANYBODY = {"audit.checkpoint", "audit.recorded", "egress.recorded", "task.completed", "task.failed"}


def overlap(one: str, other: str) -> bool:
    """Say whether two NATS filters can match the same subject."""
    for left, right in zip(one.split("."), other.split("."), strict=False):
        if ">" in (left, right):
            return True
        if "*" not in (left, right) and left != right:
            return False
    return len(one.split(".")) == len(other.split("."))


def all_types() -> list[MessageType]:
    """Return every message type of the table."""
    return list(message_types().values())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.b.>", "a.b.c", True),
        ("a.>", "a.b.>", True),
        ("a.*.c", "a.b.c", True),
        ("a.b.>", "a.c.>", False),
        ("a.b", "a.b.c", False),
    ],
)
def test_the_overlap_check_can_fail(one: str, other: str, expected: bool) -> None:
    """Nothing is lost: the check below would see two streams that want the same subject."""
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


def test_agents_have_one_row_each() -> None:
    """Nothing is hidden: one line of the table says all of an agent."""
    assert len({row.agent for row in TOPOLOGY}) == len(TOPOLOGY)
    assert set(AGENTS) == {row.agent for row in TOPOLOGY} - {"publisher", "submitter", "reader", "observer"}
    assert row_of("router").agent == "router"
    with pytest.raises(KeyError):
        row_of("stranger")


def test_each_type_has_at_most_one_queue() -> None:
    """Nothing is lost: a work-queue message is taken by one agent only, or two would share what each needs whole."""
    takers = Counter(kind for row in TOPOLOGY for kind in (*row.consumes, *row.timers))
    assert {kind.NAME: count for kind, count in takers.items() if count > 1} == {}


def test_each_consumed_type_has_a_producer() -> None:
    """Nothing is lost: no agent waits for a message that nobody sends."""
    for row in TOPOLOGY:
        for kind in (*row.consumes, *row.timers):
            assert producers_of(kind), f"{row.agent} waits for {kind.NAME}"
        for kind in row.timers:
            assert producers_of(kind) == {row.agent}, f"{kind.NAME} is a timer of somebody else's"


def test_each_published_type_is_consumed_or_open_to_readers() -> None:
    """Nothing is lost: no message is sent to a place where nobody looks."""
    consumed = {kind.NAME for row in TOPOLOGY for kind in (*row.consumes, *row.timers)}
    assert {kind.NAME for kind in all_types()} - consumed == READ_BY_ANYBODY


def test_each_type_is_kept_by_exactly_one_stream() -> None:
    """Nothing is lost: every published message has one place on disk."""
    for kind in set(all_types()) - {TaskSubmitted}:
        keepers = [stream.name for stream in streams() if filter_of(kind) in stream.subjects]
        assert len(keepers) == 1, f"{kind.NAME}: {keepers}"
    task = TaskSubmitted(task_id=TASK, goal="g", tenant="acme", submitted_at=datetime.now(UTC))
    for profile in map(str, range(100)):
        (subject,) = subjects_of_message(task.model_copy(update={"profile": profile}))
        keepers = [stream.name for stream in streams() for kept in stream.subjects if overlap(kept, subject)]
        takers = [queue for queue in consumers() if queue.filter is not None and overlap(queue.filter, subject)]
        assert (len(keepers), len(takers)) == (1, 1)


def test_streams_do_not_overlap() -> None:
    """Nothing is lost: the server refuses two streams that want one subject, so the table must not ask for it."""
    claims = [(stream.name, subject) for stream in streams() for subject in stream.subjects]
    assert len({stream.name for stream in streams()}) == len(streams())
    for index, (name, subject) in enumerate(claims):
        for other, rival in claims[index + 1 :]:
            assert not overlap(subject, rival), f"{name} and {other} both claim {rival}"


def test_requests_are_in_no_stream() -> None:
    """Nothing private leaves: a request to the memory is answered, never stored."""
    for ask in Ask:
        assert not [stream.name for stream in streams() for subject in stream.subjects if overlap(subject, ask)]


def test_each_queue_has_one_durable_with_its_agents_name() -> None:
    """Nothing is lost: all replicas of an agent share one durable, so work survives any of them."""
    made = consumers()
    assert len({consumer.durable for consumer in made}) == len(made)
    expected = {
        *(row.agent for row in TOPOLOGY if row.consumes),
        *(f"{row.agent}-intake" for row in TOPOLOGY if row.admits),
        *(f"{row.agent}-lane-{lane}" for row in TOPOLOGY if row.admits for lane in range(LANES)),
        *(f"{row.agent}-timers" for row in TOPOLOGY if row.timers),
    }
    assert {consumer.durable for consumer in made} == expected
    by_name = {stream.name: stream for stream in streams()}
    for row in TOPOLOGY:
        queues = {consumer.stream: by_name[consumer.stream] for consumer in consumers_of(row.agent)}.values()
        assert all(stream.retention == "work" for stream in queues)
        held = sorted(subject for stream in queues for subject in stream.subjects)
        laned = [lane_filter(kind, lane) for kind in row.admits for lane in range(LANES)]
        whole = [filter_of(kind) for kind in (*row.consumes, *row.timers) if kind not in row.admits]
        assert held == sorted([*laned, *map(unlaned_filter, row.admits), *whole])


def test_only_what_comes_from_outside_can_find_a_full_queue() -> None:
    """Nothing is lost: who submits may be told to come again; what is under way always has room."""
    limited = {stream.name for stream in streams() if stream.max_messages > 0 or stream.max_a_subject > 0}
    assert limited == {intake_stream("decomposer"), lanes_stream("decomposer")}
    assert {kind for row in TOPOLOGY for kind in row.admits} == {TaskSubmitted}


def test_every_work_stream_has_a_consumer() -> None:
    """Nothing is lost: no queue fills that nobody empties."""
    assert {stream.name for stream in streams() if stream.retention == "work"} == {c.stream for c in consumers()}


def test_records_are_protected() -> None:
    """Nothing is hidden: the audit log and its checkpoints can be neither edited nor purged through the API."""
    protected = {subject for stream in streams() if stream.protected for subject in stream.subjects}
    assert {filter_of(AuditEvent), "mesh.audit.checkpoint.>"} <= protected


def test_every_agent_can_speak_to_the_audit_log() -> None:
    """Nothing is hidden: whoever acts can say so."""
    assert producers_of(AuditEvent) == {row.agent for row in TOPOLOGY} - {"submitter", "reader", "observer"}


def test_only_the_classifier_opens_the_door() -> None:
    """Nothing private leaves: one agent clears prompts, and one account hears them."""
    assert producers_of(ConsultRequested) == {"classifier"}
    assert [row.agent for row in TOPOLOGY if ConsultRequested in row.consumes] == ["consultant"]


def test_the_cloud_account_holds_one_agent_that_can_do_nothing_else() -> None:
    """Nothing private leaves: the process with a way out has no memory, no model, no raw step."""
    (cloud,) = (row for row in TOPOLOGY if row.account is Account.CLOUD)
    assert cloud.agent == "consultant"
    assert cloud.consumes == (ConsultRequested,)
    assert set(cloud.publishes) == {ConsultAdvised, ConsultRefused, EgressRecorded, AuditEvent}
    assert (cloud.timers, cloud.asks, cloud.answers) == ((), (), ())


def test_every_request_has_one_answerer_and_a_caller() -> None:
    """Nothing is lost: a request goes to one agent, and only agents of the private account send it."""
    for ask in Ask:
        assert len([row.agent for row in TOPOLOGY if ask in row.answers]) == 1, ask
        assert askers_of(ask), ask
        assert all(row_of(agent).account is Account.LOCAL for agent in askers_of(ask))


def test_every_agent_that_takes_work_can_end_it() -> None:
    """Nothing is lost: an agent that gives up on a message may say that the step, or the task, is over."""
    for row in TOPOLOGY:
        if row.agent in ("memory", "publisher") or not row.consumes:
            continue
        ends = {StepFailed, TaskFailed, ConsultRefused}
        assert ends & set(row.publishes), f"{row.agent} cannot end what it cannot do"


def test_only_a_submission_may_come_unsigned() -> None:
    """Nothing private leaves: nobody without a key speaks for an agent."""
    assert [kind.NAME for kind in OPEN_TYPES] == [TaskSubmitted.NAME]


def test_subjects_follow_their_filters() -> None:
    """Nothing is lost: what is published is caught by its type's filter, and its dead letter by the dead stream."""
    message = StepFailed(task_id=TASK, step_id="draft", reason="deadline")
    subject = subject_of(message)
    assert subject == f"{ROOT}.step.failed.{TASK}"
    assert overlap(filter_of(StepFailed), subject)
    assert overlap(DEAD.subjects[0], dead_subject(subject))
    assert not [s.name for s in streams() if s is not DEAD for f in s.subjects if overlap(f, dead_subject(subject))]


def test_names_are_ones_that_the_server_takes() -> None:
    """It runs on what you have: stream, durable and bucket names are plain ASCII without dots or blanks."""
    names = [s.name for s in streams()] + [c.durable for c in consumers()] + list(Bucket)
    assert [name for name in names if not name.replace("_", "").replace("-", "").isalnum() or not name.isascii()] == []


def test_the_policy_is_changed_by_people_and_read_by_who_obeys_it() -> None:
    """Mistakes are not repeated: what people say is read where texts and models are, and changed by nobody else."""
    assert writers_of(Bucket.POLICY) == {"publisher"}
    assert readers_of(Bucket.POLICY) == {"publisher", "classifier", "decomposer", "verifier", "worker"}


def test_the_router_may_publish_what_it_returns() -> None:
    """Nothing is hidden: the topology names the router for each kind of message it sends."""
    for kind in (StepLocal, ConsultProposed, ApprovalRequested, StepVerified, StepFailed, AuditEvent):
        assert "router" in producers_of(kind)
