"""The mesh as an AsyncAPI 3.0 document: FastStream writes it from the topology, what it cannot know is added.

A broker that never connects declares every subject that an agent of the table receives, sends, answers or asks.
FastStream describes a channel for each of these parts; they are joined to one channel a subject, and get what
JetStream and the envelope bring: stream, durable, account, headers, and the reply of a request.
"""

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from faststream.nats import JStream, NatsBroker, PullSub
from faststream.specification import AsyncAPI
from pydantic import BaseModel

from hybridmesh.bus.contract_guide import GUIDE, channel_filter, identities, topic_of
from hybridmesh.bus.envelope import BODY_REFERENCE, SIGNATURE
from hybridmesh.bus.requests import ERROR_HEADER
from hybridmesh.bus.topology import (
    OPEN_TYPES,
    ROOT,
    TOPOLOGY,
    Account,
    Consumer,
    MessageType,
    Row,
    consumers_of,
    filter_of,
    stream_of,
    streams,
)
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.registry import EXCHANGES, Exchange, schema_id
from hybridmesh.schemas.tasks import TaskSubmitted

CONTRACT_VERSION = "1.0.0"
_BINDING_VERSION = "0.1.0"
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_SOURCE = {"type": "string", "pattern": "^/hybridmesh/[a-z][a-z0-9-]*$"}
_SIGNED = {
    "type": "string",
    "contentEncoding": "base64",
    "description": "Ed25519 signature of the producer; over what, the document's description says.",
}
_STRUCTURED = {"type": "string", "pattern": "^application/cloudevents", "description": "Structured mode."}

_HEADERS: dict[str, dict[str, Any]] = {
    "event": {
        "type": "object",
        "required": ["ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time", "Nats-Msg-Id"],
        "properties": {
            "ce-specversion": {"const": "1.0"},
            "ce-id": {**_TEXT, "description": "Derived from the work: a repeat has the same id."},
            "ce-type": {**_TEXT, "pattern": r"^hybridmesh\.[a-z.]+\.v[0-9]+$"},
            "ce-source": _SOURCE,
            "ce-subject": {**_TEXT, "description": "What the message is about, as in the subject."},
            "ce-time": _TIME,
            "ce-datacontenttype": {"const": "application/json"},
            "Nats-Msg-Id": {
                **_TEXT,
                "description": "By which the stream drops repeats; agents make it from ce-id with their key.",
            },
            SIGNATURE: _SIGNED,
            BODY_REFERENCE: {**_TEXT, "description": "Where a body lies that is too large for a message."},
        },
    },
    "submission": {
        "type": "object",
        "description": "Binary mode, signed or not, or structured mode, in which the attributes stand in the body.",
        "anyOf": [
            {"required": ["ce-specversion", "ce-id", "ce-type", "ce-source"]},
            {"required": ["Content-Type"]},
            {"required": ["content-type"]},
        ],
        "properties": {
            "Content-Type": _STRUCTURED,
            "content-type": _STRUCTURED,
            "ce-specversion": {"const": "1.0"},
            "ce-id": {**_TEXT, "description": "The task's id, or what begins with it and a slash."},
            "ce-type": {"const": TaskSubmitted.event_type()},
            "ce-source": {**_TEXT, "description": "A URI of your own; /hybridmesh/NAME where it is signed."},
            "ce-subject": _TEXT,
            "ce-time": {**_TIME, "description": "Needed where it is signed."},
            "ce-datacontenttype": {"const": "application/json"},
            "Nats-Msg-Id": {**_TEXT, "description": "By which the stream drops repeats; any fresh text."},
            SIGNATURE: _SIGNED,
            BODY_REFERENCE: {**_TEXT, "description": "From the publisher alone."},
        },
    },
    "request": {
        "type": "object",
        "required": ["ce-source", "ce-type", "ce-time", SIGNATURE],
        "properties": {"ce-source": _SOURCE, "ce-type": _TEXT, "ce-time": _TIME, SIGNATURE: _SIGNED},
    },
    "reply": {
        "type": "object",
        "properties": {
            ERROR_HEADER: {**_TEXT, "description": "KIND:REASON of an error; the body is empty then."},
            "content-type": _TEXT,
            "correlation_id": _TEXT,
        },
    },
}


@dataclass(frozen=True, slots=True)
class _Part:
    """One agent's part in one channel: what FastStream is asked to describe."""

    agent: str
    verb: Literal["receives", "sends", "answers", "asks", "replies"]
    channel: str
    address: str
    message: str
    trait: Literal["event", "submission", "request", "reply"]
    model: type[BaseModel]
    account: Account
    consumer: Consumer | None = None

    @property
    def key(self) -> str:
        return f"{self.agent}.{self.verb}.{self.channel}"


def document() -> dict[str, Any]:
    """Return the AsyncAPI document; opens no connection."""
    parts = list(_parts())
    written = _written_by_faststream(parts)
    host = written["servers"]["development"]["host"]
    return {
        "asyncapi": written["asyncapi"],
        "info": written["info"],
        "defaultContentType": written["defaultContentType"],
        "servers": {
            "mesh": {
                "host": host,
                "pathname": "",
                "protocol": "nats",
                "description": "Wherever the mesh listens: `hybridmesh up` prints it. Each client has an nkey.",
            }
        },
        "x-identities": identities(),
        "channels": {part.channel: _channel(part) for part in parts},
        "operations": {
            part.key: _operation(part, written["operations"][part.key]["action"])
            for part in parts
            if part.trait != "reply"
        },
        "components": {
            "messages": {part.message: _message(part, written) for part in parts},
            "messageTraits": {name: {"headers": headers} for name, headers in _HEADERS.items()},
            "schemas": written["components"]["schemas"],
        },
    }


def document_text() -> str:
    """Return the document as the JSON text that is committed: the same bytes at each call."""
    return json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _parts() -> Iterator[_Part]:
    for row in TOPOLOGY:
        yield from (_event(row, "receives", kind, _consumer(row, kind)) for kind in (*row.consumes, *row.timers))
        yield from (_event(row, "sends", kind) for kind in row.publishes)
        for ask in row.answers:
            name, exchange = _exchange(ask)
            yield _Part(row.agent, "answers", name, ask, f"{name}.request", "request", exchange.request, row.account)
            yield _Part(
                row.agent,
                "replies",
                f"{name}.reply",
                f"{ask}.reply",
                f"{name}.reply",
                "reply",
                exchange.reply,
                row.account,
            )
        for ask in row.asks:
            name, exchange = _exchange(ask)
            yield _Part(row.agent, "asks", name, ask, f"{name}.request", "request", exchange.request, row.account)


def _event(row: Row, verb: Literal["receives", "sends"], kind: MessageType, consumer: Consumer | None = None) -> _Part:
    trait: Literal["event", "submission"] = "submission" if kind in OPEN_TYPES else "event"
    return _Part(row.agent, verb, kind.NAME, channel_filter(kind), kind.NAME, trait, kind, row.account, consumer)


def _consumer(row: Row, kind: MessageType) -> Consumer:
    """Return the queue of an agent in which a message type waits for it."""
    stream = stream_of(filter_of(kind))
    return next(consumer for consumer in consumers_of(row.agent) if consumer.stream == stream.name)


def _exchange(ask: str) -> tuple[str, Exchange]:
    name = ask.removeprefix(f"{ROOT}.")
    return name, EXCHANGES[name]


def _written_by_faststream(parts: list[_Part]) -> dict[str, Any]:
    broker = NatsBroker("nats://127.0.0.1:4222", logger=None)
    for part in parts:
        if part.consumer is not None:
            stream = JStream(part.consumer.stream, declare=False)
            durable = part.consumer.durable
            broker.subscriber(part.address, stream=stream, durable=durable, pull_sub=PullSub(), title=part.key)(
                _reader(part.model)
            )
        elif part.verb == "answers":
            broker.subscriber(part.address, queue=part.agent, title=part.key)(_reader(part.model))
        else:
            broker.publisher(part.address, schema=part.model, title=part.key)
    writer = AsyncAPI(broker, title="hybridmesh", version=CONTRACT_VERSION, description=GUIDE)
    return cast("dict[str, Any]", json.loads(writer.to_specification().to_json()))


def _reader(model: type[BaseModel]) -> Callable[[BaseModel], Awaitable[None]]:
    async def read(message: BaseModel) -> None:
        """Stand in for a handler: FastStream reads the body's schema from its annotation."""

    read.__annotations__["message"] = model
    return read


def _channel(part: _Part) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": None if part.trait == "reply" else part.address,
        "messages": {part.message: _ref("components", "messages", part.message)},
        "servers": [_ref("servers", "mesh")],
    }
    if issubclass(part.model, Message):
        channel["parameters"] = {"topic": {"description": topic_of(part.model)}}
        channel["x-jetstream"] = [
            {"stream": stream.name, "retention": stream.retention, "max-age-seconds": stream.max_age_s}
            for stream in streams()
            if any(kept.startswith(part.address.removesuffix("{topic}")) for kept in stream.subjects)
        ]
    return channel


def _operation(part: _Part, action: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": action,
        "channel": _ref("channels", part.channel),
        "messages": [_ref("channels", part.channel, "messages", part.message)],
        "tags": [{"name": part.agent}],
        "x-account": part.account.value,
    }
    if part.consumer is not None:
        place: dict[str, Any] = {"stream": part.consumer.stream, "durable": part.consumer.durable}
        if part.consumer.admits:
            place["lanes"] = [
                {"stream": lane.stream, "durable": lane.durable, "filter": lane.filter}
                for lane in consumers_of(part.agent)
                if lane.filter is not None
            ]
        operation["x-jetstream"] = place
    if part.trait == "request":
        reply = f"{part.channel}.reply"
        operation["reply"] = {
            "channel": _ref("channels", reply),
            "messages": [_ref("channels", reply, "messages", reply)],
        }
    if part.verb == "answers":
        operation["bindings"] = {"nats": {"queue": part.agent, "bindingVersion": _BINDING_VERSION}}
    return operation


def _message(part: _Part, written: dict[str, Any]) -> dict[str, Any]:
    (described,) = written["channels"][part.key]["messages"]
    message = written["components"]["messages"][f"{part.key}:{described}"]
    major = getattr(part.model, "MAJOR", 1)
    return {
        "name": part.message,
        "title": part.model.__name__,
        "payload": message["payload"],
        "traits": [_ref("components", "messageTraits", part.trait)],
        "x-json-schema": schema_id(f"{part.message}.v{major}"),
    }


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}
