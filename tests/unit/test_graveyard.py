"""What is told of a message that nobody could handle."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.bus.graveyard import Burial, obituary
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import UNKNOWN_OUTCOME, ConsultRefused
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.steps import StepFailed
from hybridmesh.schemas.tasks import TaskFailed

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TASK = "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11"


def burial(agent: str = "router", place: str = "WORK_ROUTER.7") -> Burial:
    return Burial(agent, place, "invalid-message", "3 tries", NOW)


@pytest.mark.parametrize(
    ("agent", "name", "kind"),
    [
        ("router", f"{TASK}/a/step.classified/1", StepFailed),
        ("router", f"{TASK}/a/consult.proposed/2/framework", StepFailed),
        ("consultant", f"{TASK}/a/consult.requested/1", ConsultRefused),
        ("decomposer", f"{TASK}/a/step.failed/1", TaskFailed),
        ("decomposer", f"{TASK}/task.submitted", TaskFailed),
    ],
)
def test_what_the_message_was_part_of_ends(agent: str, name: str, kind: type[Message]) -> None:
    """Nothing is lost: no task waits for ever for a message that is buried."""
    audit, end = obituary({"ce-id": name}, burial(agent), ends=True)
    assert isinstance(audit, AuditEvent)
    assert (audit.action, audit.task_id) == (Action.MESSAGE_BURIED, TASK)
    assert isinstance(end, kind)


def test_a_buried_prompt_may_have_been_answered() -> None:
    """Nothing is counted twice or not at all: what was set aside for the call is not given back."""
    _, refused = obituary({"ce-id": f"{TASK}/a/consult.requested/1"}, burial("consultant"), ends=True)
    assert isinstance(refused, ConsultRefused)
    assert (refused.reason, refused.detail) == (UNKNOWN_OUTCOME, "buried:invalid-message")


def test_an_unreadable_correction_fails_no_step() -> None:
    """Nothing is lost: its id looks like a step's, but nothing waits for it, and its agent fails no steps."""
    (audit,) = obituary({"ce-id": f"{TASK}/a/feedback.given/7"}, burial("memory"), ends=True)
    assert isinstance(audit, AuditEvent)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Dana Whitfield",
        "x" * 100_000,
        f"{TASK}\n/a/b/1",
        f"{TASK}/A B/step.ready/1",
        f"{TASK}/a/b/\u00b2",
        f"{TASK}/a/b/{'9' * 5000}",
        "/a/step.ready/1",
        f"{TASK}/a",
    ],
)
def test_an_odd_id_is_audited_without_a_word_of_it(name: str) -> None:
    """Nothing is hidden, and nothing private leaves: the log knows of each burial, by its place and not its id."""
    (audit,) = obituary({"ce-id": name}, burial(), ends=True)
    assert isinstance(audit, AuditEvent)
    assert audit.action is Action.MESSAGE_BURIED
    assert audit.task_id in (None, TASK)
    assert audit.nonce == "WORK_ROUTER.7"
    assert audit.facts == {"reason": "invalid-message"}


@given(st.text(), st.sampled_from(["router", "consultant", "decomposer"]))
def test_every_burial_is_audited(name: str, agent: str) -> None:
    """Nothing is hidden: there is no id that makes a burial go unseen."""
    audit, *_ = obituary({"ce-id": name}, burial(agent), ends=True)
    assert isinstance(audit, AuditEvent)


def test_two_burials_are_two_events() -> None:
    """Nothing is hidden: the stream of audit events does not take one burial for a repeat of another."""
    events = [obituary({}, burial(place=f"WORK_ROUTER.{number}"), ends=True)[0] for number in (7, 8, 8)]
    assert len({event.identity() for event in events}) == 2
