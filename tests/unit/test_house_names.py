"""House rules: a subject, stream or bucket name is written once, in the table and its part ``bus/stores.py``."""

import ast
import re
from collections.abc import Iterator

import pytest

from house import Module, called, literals, violations
from hybridmesh.bus.topology import Ask, consumers, streams

TABLE = "bus/topology.py"
TABLES = (TABLE, "bus/stores.py")
# "mesh.toml" and "mesh.json" are files.
SUBJECT = re.compile(r"(?<![\w/.-])mesh\.(?!toml\b|json\b)[a-z*>]")
SERVER_SUBJECT = re.compile(r"^\$(JS|KV|O|SYS)\.")
NAMES = {stream.name for stream in streams()} | {consumer.stream for consumer in consumers()} | set(Ask)
# Calls of nats-py and FastStream whose first argument is a subject, a stream or a bucket.
ADDRESSED = {
    "add_consumer",
    "consumer_info",
    "create_key_value",
    "create_object_store",
    "delete_key_value",
    "delete_stream",
    "get_last_msg",
    "get_msg",
    "key_value",
    "object_store",
    "publish",
    "publisher",
    "pull_subscribe",
    "purge_stream",
    "request",
    "stream_info",
    "subscribe",
    "subscriber",
}


def names_a_place(module: Module) -> Iterator[str]:
    """Yield literals that name a subject, a stream or a bucket outside the table."""
    if module.path in TABLES:
        return
    for text in literals(module):
        if SUBJECT.search(text) or text in NAMES:
            yield f"{text!r} belongs in {TABLE}"
        elif SERVER_SUBJECT.match(text) and not module.stands_in("infra/nats/*"):
            yield f"{text!r} belongs in infra/nats"


def addresses_by_literal(module: Module) -> Iterator[str]:
    """Yield calls that address the bus by a literal, whatever it says."""
    if module.path in TABLES:
        return
    for node in module.nodes:
        match node:
            case ast.Call(
                func=ast.Attribute() as function,
                args=[ast.Constant(value=str(text)) | ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]), *_],
            ) if called(function) in ADDRESSED:
                yield f"line {node.lineno}: {called(function)}({text!r}) belongs in {TABLE}"
            case _:
                pass


def test_places_are_named_in_the_table_only() -> None:
    """Nothing private leaves: who may read and write what can be seen, and changed, in one file."""
    assert violations(names_a_place) == []


def test_the_bus_is_never_addressed_by_a_literal() -> None:
    """Nothing private leaves: no call reaches a subject, stream or bucket that the table does not know."""
    assert violations(addresses_by_literal) == []


@pytest.mark.parametrize(
    "text",
    [
        'x = "mesh.step.ready.>"',
        'x = f"mesh.step.{y}"',
        'x = "WORK_ROUTER"',
        'x = "AUDIT"',
        'x = "mesh.memory.search"',
        'x = "$JS.API.STREAM.INFO.x"',
    ],
)
def test_the_rule_on_names_can_fail(text: str) -> None:
    """Nothing is hidden: the rule sees what it forbids."""
    assert len(list(names_a_place(Module("bus/work.py", text)))) == 1
    assert list(names_a_place(Module(TABLE, text))) == []


@pytest.mark.parametrize(
    "text", ['"""Publishes mesh.step.ready."""', 'x = "mesh.toml"', 'x = "a mesh. And"', 'x = "audit"']
)
def test_the_rule_on_names_lets_other_words_pass(text: str) -> None:
    """Nothing is hidden: the rule forbids no more than it says."""
    assert list(names_a_place(Module("bus/work.py", text))) == []


@pytest.mark.parametrize("text", ['js.key_value("vault")', 'client.publish(f"x.{y}", b"")', 'broker.subscriber("a")'])
def test_the_rule_on_calls_can_fail(text: str) -> None:
    """Nothing is hidden: the rule sees what it forbids."""
    assert len(list(addresses_by_literal(Module("infra/up.py", text)))) == 1
