"""What a message looks like on the wire, and what is refused there."""

import base64
import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.bus.envelope import SIGNATURE, Envelope, Opened, open_envelope, seal, signed_bytes, time_problem
from hybridmesh.bus.errors import InvalidMessage, MeshError, UnsupportedVersion, UntrustedMessage
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.topology import TOPOLOGY, message_types, subject_of
from hybridmesh.schemas.consults import ConsultRefused
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.steps import StepFailed
from hybridmesh.schemas.tasks import TaskSubmitted

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TASK = "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11"
OTHER_TASK = "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e12"
CANARY = "canary-Ana-Olsen-4711"
IDENTITIES = {row.agent: Identity(row.agent, Ed25519PrivateKey.generate()) for row in TOPOLOGY}
RING = KeyRing({name: [identity.public] for name, identity in IDENTITIES.items()})
FAILED = StepFailed(task_id=TASK, step_id="draft", reason="deadline", detail="no answer in time")
SUBMITTED = TaskSubmitted(task_id=TASK, goal="Answer this ticket.", submitted_at=NOW)
SEALED = seal(FAILED, IDENTITIES["router"], NOW)
SIGNED_HEADERS = ["ce-id", "ce-type", "ce-source", "ce-time", SIGNATURE]


def opened(envelope: Envelope) -> Opened:
    """Open an envelope with everybody's keys at hand."""
    return open_envelope(envelope.subject, envelope.headers, envelope.body, RING)


def signed_by(agent: str, envelope: Envelope) -> Envelope:
    """Return the envelope as the agent would have signed it, whatever it holds."""
    headers = {**envelope.headers, "ce-source": f"/hybridmesh/{agent}"}
    signature = IDENTITIES[agent].sign(signed_bytes(envelope.subject, headers, envelope.body))
    return replace(envelope, headers={**headers, SIGNATURE: base64.b64encode(signature).decode()})


def structured(message: Message, **changes: object) -> Envelope:
    """Return a message as a structured CloudEvent of somebody without a key."""
    event = {
        "specversion": "1.0",
        "id": "outside-1",
        "type": message.event_type(),
        "source": "/somebody/else",
        "data": json.loads(message.model_dump_json()),
        **changes,
    }
    headers = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    return Envelope(subject_of(message), headers, json.dumps(event).encode())


def test_what_is_sealed_can_be_opened() -> None:
    """Nothing is lost: the message arrives as it was sent, with its producer and its id."""
    assert opened(SEALED) == Opened(FAILED, "router", FAILED.identity())


def test_the_envelope_is_a_cloudevent() -> None:
    """Nothing is hidden: any CloudEvents reader finds the attributes, and the stream finds the id."""
    signature = SEALED.headers[SIGNATURE]
    assert len(base64.b64decode(signature, validate=True)) == 64
    assert SEALED.headers == {
        "ce-specversion": "1.0",
        "ce-id": f"{TASK}/draft/step.failed/1",
        "ce-type": "hybridmesh.step.failed.v1",
        "ce-source": "/hybridmesh/router",
        "ce-subject": TASK,
        "ce-time": "2026-11-23T09:30:00.000Z",
        "ce-datacontenttype": "application/json",
        "Nats-Msg-Id": f"{TASK}/draft/step.failed/1",
        SIGNATURE: signature,
    }
    assert SEALED.subject == f"mesh.step.failed.{TASK}"


@pytest.mark.parametrize(
    ("signed", "problem"),
    [
        ("2026-11-23T09:30:00.000Z", None),
        ("2026-11-16T11:00:00+01:00", None),
        ("2026-11-30T09:30:00Z", None),
        ("2026-11-16T09:29:59Z", "signed 7.0 days before it came"),
        ("1970-01-01T00:00:00Z", "signed 20780.4 days before it came"),
        ("2026-12-23T09:30:00Z", "signed 30.0 days after it came"),
        ("2026-11-23T09:30:00", "signed with no time"),
        ("yesterday", "signed with no time"),
        ("", "signed with no time"),
        (None, "signed with no time"),
    ],
)
def test_the_time_of_a_signature_is_held_against_when_it_came(signed: str | None, problem: str | None) -> None:
    """No one gets in: neither with what was recorded, nor with what was signed ahead, nor with what says no time."""
    headers = {} if signed is None else {"ce-time": signed}
    found = time_problem(headers, NOW, timedelta(days=7))
    assert (found and found.partition(":")[0]) == problem


def test_no_user_text_stands_outside_the_body() -> None:
    """Nothing private leaves: subject and headers, which logs and metrics see, hold no text of the task."""
    envelope = seal(TaskSubmitted(task_id=TASK, goal=CANARY, submitted_at=NOW), IDENTITIES["publisher"], NOW)
    assert CANARY.encode() in envelope.body
    assert CANARY not in envelope.subject + "".join(envelope.headers) + "".join(envelope.headers.values())


@pytest.mark.parametrize("name", SIGNED_HEADERS)
@pytest.mark.parametrize("how", ["changed", "emptied", "removed"])
def test_an_altered_header_is_refused(name: str, how: str) -> None:
    """Nothing is hidden: id, type, source, time and signature hold together."""
    headers = dict(SEALED.headers)
    del headers[name]
    if how != "removed":
        headers[name] = "" if how == "emptied" else SEALED.headers[name][:-3] + "xyz"
    with pytest.raises((UntrustedMessage, InvalidMessage)):
        opened(replace(SEALED, headers=headers))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce-id", f"{TASK}/draft/step.failed/2"),
        ("ce-type", "hybridmesh.step.ready.v1"),
        ("ce-source", "/hybridmesh/verifier"),
        ("ce-time", "2026-11-23T09:30:01.000Z"),
        (SIGNATURE, base64.b64encode(bytes(64)).decode()),
        (SIGNATURE, "not base64!"),
    ],
)
def test_a_plausible_header_of_somebody_elses_making_is_refused(name: str, value: str) -> None:
    """Nothing is hidden: a header that could be true is not believed without its signature."""
    with pytest.raises(UntrustedMessage):
        opened(replace(SEALED, headers={**SEALED.headers, name: value}))


@pytest.mark.parametrize("name", SIGNED_HEADERS)
def test_a_header_that_is_no_text_is_refused(name: str) -> None:
    """Nothing is lost: bytes that are no UTF-8 reach us as lone surrogates, and are a dead letter, not a crash."""
    with pytest.raises((UntrustedMessage, InvalidMessage)):
        opened(replace(SEALED, headers={**SEALED.headers, name: "\udcff"}))


def test_an_altered_body_is_refused() -> None:
    """Nothing is hidden: nobody on the way changes what an agent said."""
    body = SEALED.body.replace(b"deadline", b"cheapest")
    assert body != SEALED.body
    with pytest.raises(UntrustedMessage, match="signature does not hold"):
        opened(replace(SEALED, body=body))


@pytest.mark.parametrize("subject", [f"mesh.step.failed.{OTHER_TASK}", f"mesh.step.ready.{TASK}", "mesh.step.failed"])
def test_an_envelope_on_another_subject_is_refused(subject: str) -> None:
    """Nothing is hidden: a message counts only where its producer put it."""
    with pytest.raises(UntrustedMessage, match="signature does not hold"):
        opened(replace(SEALED, subject=subject))


def test_a_producer_on_the_wrong_subject_is_refused() -> None:
    """Nothing is lost: a message filed under another task than its own is refused, though its signature holds."""
    with pytest.raises(InvalidMessage) as caught:
        opened(signed_by("router", replace(SEALED, subject=f"mesh.step.failed.{OTHER_TASK}")))
    assert caught.value.reason == "wrong-subject"


@pytest.mark.parametrize("name", sorted(message_types()))
@pytest.mark.parametrize("agent", sorted(IDENTITIES))
def test_only_the_producers_of_the_table_are_heard(name: str, agent: str) -> None:
    """Nothing private leaves: no agent can say what is another's to say, a clearance above all."""
    kind = message_types()[name]
    allowed = {row.agent for row in TOPOLOGY if kind in row.publishes}
    empty = Envelope(f"mesh.{kind.NAME}.x", {**SEALED.headers, "ce-type": name}, b"{}")
    # The body is empty, so a producer that is heard gets as far as having its body refused.
    with pytest.raises(InvalidMessage if agent in allowed else UntrustedMessage):
        opened(signed_by(agent, empty))


def test_a_stranger_is_refused() -> None:
    """Nothing private leaves: a name that no key is known for signs nothing."""
    with pytest.raises(UntrustedMessage, match="signature does not hold"):
        opened(seal(FAILED, Identity("stranger", Ed25519PrivateKey.generate()), NOW))
    with pytest.raises(UntrustedMessage, match="signature does not hold"):
        opened(seal(FAILED, Identity("router", Ed25519PrivateKey.generate()), NOW))


def test_an_unsigned_message_is_refused_unless_its_type_is_open() -> None:
    """Nothing private leaves: only a submission may come from somebody without a key."""
    unsigned = seal(SUBMITTED, IDENTITIES["publisher"], NOW)
    headers = {name: value for name, value in unsigned.headers.items() if name != SIGNATURE}
    assert opened(replace(unsigned, headers=headers)) == Opened(SUBMITTED, None, SUBMITTED.identity())
    headers = {name: value for name, value in SEALED.headers.items() if name != SIGNATURE}
    with pytest.raises(UntrustedMessage, match="no signature"):
        opened(replace(SEALED, headers=headers))


def test_a_bad_signature_is_refused_also_on_an_open_type() -> None:
    """Nothing is hidden: who claims to be somebody must prove it."""
    envelope = seal(SUBMITTED, IDENTITIES["publisher"], NOW)
    with pytest.raises(UntrustedMessage):
        opened(replace(envelope, body=envelope.body.replace(b"ticket", b"wallet")))


def test_a_submission_may_be_a_structured_cloudevent() -> None:
    """It runs on what you have: any program that speaks CloudEvents can submit a task."""
    assert opened(structured(SUBMITTED)) == Opened(SUBMITTED, None, "outside-1")
    encoded = base64.b64encode(SUBMITTED.model_dump_json().encode()).decode()
    assert opened(structured(SUBMITTED, data_base64=encoded)).message == SUBMITTED


def test_a_structured_event_of_another_type_is_refused() -> None:
    """Nothing private leaves: the open door is for submissions only."""
    with pytest.raises(UntrustedMessage, match="no signature"):
        opened(structured(ConsultRefused(task_id=TASK, step_id="draft", reason="x", by="classifier")))


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"null", b'{"type": 3}', b"\xff\xfe", b"[" * 100_000])
def test_a_broken_structured_event_is_refused(body: bytes) -> None:
    """Nothing is lost: what cannot be read is a dead letter with a reason, not a crash."""
    with pytest.raises(InvalidMessage):
        opened(replace(structured(SUBMITTED), body=body))


@pytest.mark.parametrize("data", ["***", "a", "ü"])
def test_structured_data_that_is_not_base64_is_refused(data: str) -> None:
    """Nothing is lost: what cannot be decoded is a dead letter with a reason, not a crash."""
    with pytest.raises(InvalidMessage):
        opened(structured(SUBMITTED, data_base64=data))


@pytest.mark.parametrize(
    "name",
    ["hybridmesh.step.lost.v1", "step.failed", "", "hybridmesh.step.failed.v0", "v.v.v9", "hybridmesh.step.failed.v²"],
)
def test_an_unknown_type_is_refused(name: str) -> None:
    """Nothing is lost: a type that nobody knows is a dead letter that says so."""
    with pytest.raises(InvalidMessage) as caught:
        opened(signed_by("router", replace(SEALED, headers={**SEALED.headers, "ce-type": name})))
    assert caught.value.reason == "unknown-type"
    assert not isinstance(caught.value, UnsupportedVersion)


@pytest.mark.parametrize("version", ["2", "10", "9" * 9])
def test_a_future_major_is_told_apart(version: str) -> None:
    """Nothing is lost: a message from a newer program is parked with a reason, to be handled after the upgrade."""
    headers = {**SEALED.headers, "ce-type": f"hybridmesh.step.failed.v{version}"}
    with pytest.raises(UnsupportedVersion) as caught:
        opened(signed_by("router", replace(SEALED, headers=headers)))
    assert caught.value.reason == "unsupported-version"


def test_unknown_fields_survive_the_way() -> None:
    """Nothing is lost: what a newer program adds within the major is kept and signed again as it is."""
    newer = StepFailed.model_validate({**FAILED.model_dump(), "later": {"kept": [1, "ü"]}})
    arrived = opened(seal(newer, IDENTITIES["router"], NOW)).message
    again = opened(seal(arrived, IDENTITIES["router"], NOW)).message
    assert again.model_extra == {"later": {"kept": [1, "ü"]}}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"task_id": CANARY, "step_id": "draft", "reason": "x"}).encode(),
        json.dumps({"task_id": TASK, "step_id": "draft", "reason": [CANARY]}).encode(),
        json.dumps({"task_id": TASK, "step_id": "draft", "attempt": CANARY, "reason": "x"}).encode(),
        f'{{"goal": "{CANARY}'.encode(),
        CANARY.encode(),
    ],
)
def test_errors_never_repeat_what_was_sent(body: bytes) -> None:
    """Nothing private leaves: an error goes to logs and dead letters, so it names places and kinds, never values."""
    with pytest.raises(InvalidMessage) as caught:
        opened(signed_by("router", replace(SEALED, body=body)))
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in str(error)
        assert CANARY not in repr(error)
        error = error.__cause__


def test_errors_never_repeat_the_type_or_the_source() -> None:
    """Nothing private leaves: headers of a stranger's making do not reach the logs either."""
    for name in ("ce-type", "ce-source", "ce-id"):
        with pytest.raises(MeshError) as caught:
            opened(replace(SEALED, headers={**SEALED.headers, name: CANARY}))
        assert CANARY not in str(caught.value)


HEADER_NAMES = st.sampled_from([*SEALED.headers, "Content-Type", "content-type", "ce-dataref"]) | st.text(max_size=12)
HEADER_VALUES = st.sampled_from(
    [
        *SEALED.headers.values(),
        "application/cloudevents+json",
        "hybridmesh.task.submitted.v1",
        "hybridmesh.step.failed.v²",
        "hybridmesh.step.failed.v" + "9" * 5000,
    ]
) | st.text(max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(message_types())) | st.text(max_size=10)},
    optional={"data": JSON, "data_base64": JSON, "id": JSON, "source": JSON, "meshsignature": JSON},
)
BODIES = (
    st.binary(max_size=60)
    | st.sampled_from([SEALED.body, b"[" * 3000])
    | (JSON | EVENTS).map(lambda value: json.dumps(value).encode())
)


@given(
    subject=st.sampled_from([SEALED.subject, subject_of(SUBMITTED)]) | st.text(max_size=30),
    headers=st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=8),
    keep=st.booleans(),
    body=BODIES,
)
def test_whatever_comes_in_only_mesh_errors_come_out(
    subject: str, headers: dict[str, str], keep: bool, body: bytes
) -> None:
    """Nothing is lost: no message, however odd, ends the work loop; each one is read or buried with a reason."""
    with contextlib.suppress(MeshError):
        open_envelope(subject, {**SEALED.headers, **headers} if keep else headers, body, RING)


@given(headers=st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=4), event=EVENTS)
def test_whatever_structured_event_comes_in_only_mesh_errors_come_out(headers: dict[str, str], event: object) -> None:
    """Nothing is lost: outsiders cannot end the work loop with an odd event."""
    kind = {"Content-Type": "application/cloudevents+json"}
    with contextlib.suppress(MeshError):
        open_envelope(subject_of(SUBMITTED), {**headers, **kind}, json.dumps(event).encode(), RING)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"labels": {CANARY: 3}}, "labels.*: string_type"),
        ({"inputs": [{"name": 3}]}, "inputs.0.name: string_type; inputs.0.text: missing"),
    ],
)
def test_what_is_wrong_with_a_body_is_told_without_its_words(change: dict[str, object], told: str) -> None:
    """Nothing private leaves: the reason goes into headers and lists of dead letters, and a key is text as well."""
    body = json.dumps({**json.loads(SUBMITTED.model_dump_json()), **change}).encode()
    with pytest.raises(InvalidMessage) as caught:
        opened(replace(seal(SUBMITTED, IDENTITIES["publisher"], NOW), body=body, headers=_unsigned(SUBMITTED)))
    assert str(caught.value) == f"body is not a task.submitted: {told}"


def _unsigned(message: Message) -> dict[str, str]:
    return {"ce-type": message.event_type(), "ce-id": message.identity()}
