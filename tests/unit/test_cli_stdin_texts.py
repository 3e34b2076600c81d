"""Nothing is lost: every document on standard input is read, and every line that is none is named."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.infra.cli.stdin_texts import Fault, Form, Text, read_texts


def read(content: bytes, form: Form = Form.AUTO) -> list[Text | Fault]:
    return list(read_texts(io.BytesIO(content), form))


def test_a_text_is_one_document() -> None:
    """Nothing is lost: line ends, blank lines and JSON that is no record are part of the text."""
    assert read(b"\n\none\r\ntwo\n") == [Text("stdin", "\n\none\r\ntwo\n")]
    assert read(b'{"name": "Ada",\n "age": 3}') == [Text("stdin", '{"name": "Ada",\n "age": 3}')]
    assert read(b"") == [Text("stdin", "")]
    assert read("\ufeffé".encode()) == [Text("stdin", "é")]


def test_lines_are_documents_when_asked() -> None:
    """Nothing is lost: each line is named by its number, and blank ones are skipped."""
    assert read(b"one\n\ntwo\r\nthree", Form.LINES) == [Text(1, "one"), Text(3, "two"), Text(4, "three")]


def test_json_lines_are_seen_as_such() -> None:
    """Nothing is lost: a record keeps its id, of either kind, and may come without one."""
    content = b'\n{"id": "a", "text": "one"}\n{"text": "two", "id": 7}\n\n{"text": "three", "more": []}'
    assert read(content) == [Text("a", "one"), Text(7, "two"), Text(5, "three")]
    assert read(b'{"id": 1, "text": "x"}', Form.TEXT) == [Text("stdin", '{"id": 1, "text": "x"}')]


@pytest.mark.parametrize(
    "line",
    [b'{"id": 1}', b'{"text": 5}', b'["text"]', b'{"text": "x"', b'{"id": 1.5, "text": "x"}',
     b'{"id": true, "text": ""}', b'{"text": "\xff"}', b"[" * 100_000, b"nonsense", b"9" * 5000],
)  # fmt: skip
def test_a_bad_line_is_named_and_the_rest_is_read(line: bytes) -> None:
    """Nothing is lost: the lines before and after a bad one are documents all the same."""
    found = read(b'{"id": 1, "text": "a"}\n' + line + b'\n{"id": 3, "text": "b"}\n')
    assert found[0] == Text(1, "a")
    assert isinstance(found[1], Fault)
    assert found[1].line == 2
    assert found[2:] == [Text(3, "b")]


def test_bytes_that_are_no_text_are_a_fault() -> None:
    """Nothing is hidden: the line of the first bad byte is named."""
    assert read(b"one\ntwo\xff") == [Fault(2, "not UTF-8", whole=True)]
    assert read(b"one\n\xff\nthree", Form.LINES) == [Text(1, "one"), Fault(2, "not UTF-8"), Text(3, "three")]


@given(st.lists(st.tuples(st.text(st.characters(), max_size=20), st.text(st.characters()))))
def test_records_come_back_as_they_were(records: list[tuple[str, str]]) -> None:
    """Nothing is lost: any text that JSON can carry is read, offsets and all."""
    lines = [json.dumps({"id": name, "text": text}) for name, text in records]
    assert read("\n".join(lines).encode(), Form.JSON) == [Text(*record) for record in records]
    if records:
        assert read("\n".join(lines).encode()) == [Text(*record) for record in records]


@given(st.binary(max_size=300), st.sampled_from(Form))
def test_any_bytes_are_read_to_their_end(content: bytes, form: Form) -> None:
    """Nothing is hidden: whatever is on standard input is a document or a fault."""
    for item in read(content, form):
        assert isinstance(item, (Text, Fault))
