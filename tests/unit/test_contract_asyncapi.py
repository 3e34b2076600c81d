"""The AsyncAPI document says what the table says, and nothing else."""

import json
import socket
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from hybridmesh.bus.asyncapi import document, document_text
from hybridmesh.bus.envelope import seal
from hybridmesh.bus.identity import Identity
from hybridmesh.bus.topology import (
    DEAD,
    ENDED,
    ROOT,
    TOPOLOGY,
    Ask,
    consumers,
    filter_of,
    message_types,
    streams,
    subject_of,
)
from hybridmesh.schemas.registry import EXCHANGES, MESSAGES, contract, schema_of
from hybridmesh.schemas.steps import StepFailed

DOCUMENT = document()
TASK = "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11"


def references(part: object) -> list[str]:
    """Return every reference in the document."""
    if isinstance(part, dict):
        items = cast("dict[str, object]", part)
        own = [str(items["$ref"])] if "$ref" in items else []
        return own + [found for value in items.values() for found in references(value)]
    if isinstance(part, list):
        return [found for value in cast("list[object]", part) for found in references(value)]
    return []


def resolve(reference: str) -> dict[str, Any]:
    """Return what a reference points at; raises KeyError."""
    found = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_every_reference_leads_somewhere() -> None:
    """Nothing is hidden: a reader of the document never stands before a broken link."""
    found = references(DOCUMENT)
    assert len(found) > 200
    for reference in set(found):
        assert resolve(reference) is not None


def test_faststream_itself_reads_the_document() -> None:
    """Nothing is hidden: the document is AsyncAPI 3.0 as FastStream knows it."""
    read = ApplicationSchema.model_validate(DOCUMENT)
    assert read.asyncapi == "3.0.0"


def test_the_operations_are_the_rows() -> None:
    """Nothing is hidden: who receives, sends, answers and asks what is exactly what the table says."""
    expected: set[tuple[str, str, str]] = set()
    for row in TOPOLOGY:
        expected |= {(row.agent, "receive", filter_of(kind)[:-1] + "{topic}") for kind in (*row.consumes, *row.timers)}
        expected |= {(row.agent, "send", filter_of(kind)[:-1] + "{topic}") for kind in row.publishes}
        expected |= {(row.agent, "receive", ask) for ask in row.answers}
        expected |= {(row.agent, "send", ask) for ask in row.asks}
    found = [
        (operation["tags"][0]["name"], operation["action"], resolve(operation["channel"]["$ref"])["address"])
        for operation in DOCUMENT["operations"].values()
    ]
    assert len(found) == len(expected)
    assert set(found) == expected


def test_every_operation_names_its_account() -> None:
    """Nothing private leaves: the document shows on which side of the border each agent stands."""
    accounts = {row.agent: row.account for row in TOPOLOGY}
    for key, operation in DOCUMENT["operations"].items():
        assert operation["x-account"] == accounts[key.partition(".")[0]]


def test_work_queues_show_their_stream_and_durable() -> None:
    """Nothing is lost: whoever reads the document finds the queue that holds a message."""
    places = [operation["x-jetstream"] for operation in DOCUMENT["operations"].values() if "x-jetstream" in operation]
    places += [lane for place in places for lane in place.get("lanes", [])]
    found = {(place["stream"], place["durable"]) for place in places}
    assert found == {(consumer.stream, consumer.durable) for consumer in consumers()}
    named = {stream["stream"] for channel in DOCUMENT["channels"].values() for stream in channel.get("x-jetstream", [])}
    assert named == {stream.name for stream in streams() if stream not in (DEAD, ENDED)}
    for kind in message_types().values():
        assert DOCUMENT["channels"][kind.NAME]["x-jetstream"], f"{kind.NAME} is kept nowhere"


def test_payloads_are_the_published_schemas() -> None:
    """Nothing is hidden: the document and ``schemas/json`` describe the same bodies."""
    for name, model in contract().items():
        message = DOCUMENT["components"]["messages"][name.rpartition(".")[0]]
        payload = resolve(message["payload"]["$ref"])
        published = schema_of(name)
        assert payload["title"] == model.__name__
        assert payload.get("properties") == json.loads(
            json.dumps(published.get("properties")).replace("#/$defs/", "#/components/schemas/")
        )
        assert payload.get("required") == published.get("required")
        assert message["x-json-schema"] == published["$id"]
        for inner, schema in published.get("$defs", {}).items():
            assert DOCUMENT["components"]["schemas"][inner].get("required") == schema.get("required"), inner


def test_requests_lead_to_their_replies() -> None:
    """Nothing is hidden: each request names the reply that it gets."""
    for ask in Ask:
        name = ask.removeprefix(f"{ROOT}.")
        operations = [op for op in DOCUMENT["operations"].values() if op["channel"]["$ref"] == f"#/channels/{name}"]
        assert {operation["action"] for operation in operations} == {"send", "receive"}
        for operation in operations:
            channel = resolve(operation["reply"]["channel"]["$ref"])
            (message,) = (resolve(reference["$ref"]) for reference in channel["messages"].values())
            assert channel["address"] is None
            assert message["title"] == EXCHANGES[name].reply.__name__


def test_the_headers_are_those_of_the_envelope() -> None:
    """Nothing is hidden: the documented headers are the ones on the wire, no more, no fewer."""
    headers = DOCUMENT["components"]["messageTraits"]["event"]["headers"]
    message = StepFailed(task_id=TASK, step_id="draft", reason="deadline")
    envelope = seal(message, Identity("router", Ed25519PrivateKey.generate()), datetime(2026, 11, 23, tzinfo=UTC))
    assert Draft202012Validator(headers).is_valid(envelope.headers)
    assert envelope.headers.keys() <= headers["properties"].keys()
    assert headers["properties"].keys() - envelope.headers.keys() == {"ce-dataref"}
    for name in headers["required"]:
        short = {key: value for key, value in envelope.headers.items() if key != name}
        assert not Draft202012Validator(headers).is_valid(short)


def test_the_addresses_match_what_is_published() -> None:
    """Nothing is lost: a subscriber to a documented address gets the messages."""
    message = StepFailed(task_id=TASK, step_id="draft", reason="deadline")
    address = DOCUMENT["channels"][StepFailed.NAME]["address"]
    assert address.replace("{topic}", message.topic()) == subject_of(message)
    assert {channel["address"] for channel in DOCUMENT["channels"].values() if channel["address"]} == (
        {filter_of(kind)[:-1] + "{topic}" for kind in MESSAGES} | set(Ask)
    )


def test_writing_the_document_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs on what you have: the document is written without a server, the same text each time."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    assert document_text() == document_text()
