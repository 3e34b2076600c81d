"""What the AsyncAPI document tells a program in another language, held against what the mesh does."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from hybridmesh.agents.decomposer.admission import refusal
from hybridmesh.bus.asyncapi import document
from hybridmesh.bus.contract_guide import GUIDE, REFUSALS, topic_of
from hybridmesh.bus.envelope import SIGNATURE, open_envelope, seal
from hybridmesh.bus.identity import Identity, KeyRing
from hybridmesh.bus.seats import seat_of, seats_of
from hybridmesh.bus.topology import TOPOLOGY, subject_of
from hybridmesh.infra.nats.permissions import permissions_of
from hybridmesh.schemas.registry import MESSAGES
from hybridmesh.schemas.tasks import Document, TaskSubmitted

DOCUMENT = document()
NOW = datetime(2026, 11, 23, tzinfo=UTC)
TASK = TaskSubmitted(task_id="0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11", goal="Say hello.", submitted_at=NOW)


def traits(message: str) -> dict[str, Any]:
    """Return the schema of a message's headers."""
    [trait] = DOCUMENT["components"]["messages"][message]["traits"]
    headers: dict[str, Any] = DOCUMENT["components"]["messageTraits"][trait["$ref"].rpartition("/")[2]]["headers"]
    return headers


def test_each_refusal_is_named() -> None:
    """Nothing is hidden: the reasons that a submission may be refused for are those that the document names."""
    twice = (Document(name="a", text="x"), Document(name="a", text="x"))
    faults: list[dict[str, Any]] = [
        {"goal": " "},
        {"workflow": "none"},
        {"profile": "none"},
        {"labels": {"sensitivity": "none"}},
        {"deadline": datetime(2030, 1, 1)},  # noqa: DTZ001 - what is refused is that it has no zone
        {"deadline": NOW - timedelta(days=1)},
        {"inputs": twice},
    ]
    found = [refusal(TASK.model_copy(update=fault), (), ("balanced",), NOW) for fault in faults]
    assert tuple(item.reason for item in found if item is not None) == REFUSALS
    assert all(reason in GUIDE for reason in REFUSALS)


def test_what_is_signed_as_the_guide_says_is_trusted() -> None:
    """Nothing is hidden: a signature made from the document's words alone is one of the mesh."""
    key = Ed25519PrivateKey.generate()
    body = TASK.model_dump_json().encode()
    headers = {
        "ce-specversion": "1.0",
        "ce-id": TASK.task_id,
        "ce-type": "hybridmesh.task.submitted.v1",
        "ce-source": "/hybridmesh/submitter",
        "ce-time": NOW.isoformat(),
    }
    lines = [subject_of(TASK), *(headers[f"ce-{name}"] for name in ("id", "type", "source", "time"))]
    lines.append(hashlib.sha256(body).hexdigest())
    headers[SIGNATURE] = base64.b64encode(key.sign("\n".join(lines).encode())).decode()
    opened = open_envelope(subject_of(TASK), headers, body, KeyRing({"submitter": [key.public_key()]}))
    assert opened.producer == "submitter"
    assert Draft202012Validator(traits("task.submitted")).is_valid(headers)


def test_a_submission_may_be_unsigned_and_structured() -> None:
    """It runs on what you have: what the README's program sends is what the document allows, and nothing less."""
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    [line] = [line for line in readme.splitlines() if line.strip().startswith("headers = {")]
    headers = json.loads(line.partition("=")[2])
    check = Draft202012Validator(traits("task.submitted"))
    assert check.is_valid(headers)
    assert not check.is_valid({"ce-id": TASK.task_id})
    assert not check.is_valid({"Content-Type": "text/plain"})


@pytest.mark.parametrize("name", ["router", *seats_of("acme-2")])
def test_every_identity_may_be_a_source(name: str) -> None:
    """Nothing is hidden: the sources that the document allows are those that identities of the mesh have."""
    source = seal(TASK, Identity(name, Ed25519PrivateKey.generate()), NOW).headers["ce-source"]
    pattern = DOCUMENT["components"]["messageTraits"]["event"]["headers"]["properties"]["ce-source"]
    assert Draft202012Validator(pattern).is_valid(source)


def test_who_is_outside_is_told_what_the_server_lets_them() -> None:
    """Nothing is hidden: what the document allows an identity outside is in its permissions."""
    told = DOCUMENT["x-identities"]
    assert set(told) == {row.agent for row in TOPOLOGY if row.outside}
    for name, identity in told.items():
        seat = seat_of(name)
        may = permissions_of(seat)
        own = [subject.replace("TENANT", seat.tenant or "") for subject in identity["publishes"]]
        assert set(own) | set(identity["asks"]) <= set(may.publish), name
        heard = {subject.replace("TENANT", seat.tenant or "") for subject in identity["subscribes"]}
        assert heard | {identity["inbox"]} == set(may.subscribe), name
        for place in identity.get("looks-up", ()):
            last, kept = place["last"].replace("TENANT", "default"), place["filter"].replace("TENANT", "default")
            assert last.removesuffix("TASK") + "*" == kept
            for asked in (f"DIRECT.GET.{place['stream']}.{kept}", f".{place['stream']}.{place['consumer']}.{kept}"):
                assert any(subject.endswith(asked) for subject in may.publish)


def test_each_channel_says_what_its_topic_is() -> None:
    """Nothing is hidden: who subscribes to a channel knows what stands in its subject."""
    for kind in MESSAGES:
        assert DOCUMENT["channels"][kind.NAME]["parameters"]["topic"]["description"] == topic_of(kind)
