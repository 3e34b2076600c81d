"""The lines of ``memory add``: what makes an item, and how one that is none is named."""

import json
from datetime import UTC, datetime

import pytest

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.memory_lines import read_items
from hybridmesh.schemas.memory import Kind

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_line_is_an_item_with_where_it_came_from() -> None:
    """Nothing is hidden: who added an item, from where and when, is not the file's to say."""
    line = {"text": "Ann\u2028pays", "kind": "document", "key": "C-1", "subject": "Ann", "data": {"due": 3}}
    content = "\n" + json.dumps(line, ensure_ascii=False) + '\r\n{"text": "x"}'
    items = read_items(content, source="file:a", author="publisher", now=NOW)
    assert list(items) == [2, 3]
    assert (items[2].text, items[2].kind, items[2].key, items[2].subject) == (
        "Ann\u2028pays",
        Kind.DOCUMENT,
        "C-1",
        "Ann",
    )
    assert (items[3].kind, items[3].source, items[3].author, items[3].created_at) == (
        Kind.RECORD,
        "file:a",
        "publisher",
        NOW,
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{broken", "line 2 is not JSON"),
        ('{"text": "a", "data": {"x": "\\ud800"}}', "line 2 is not JSON"),
        ("[" * 100_000, "line 2 is not JSON"),
        ('"Ann"', "line 2: it: "),
        ('{"kind": "record"}', "line 2: text: "),
        ('{"text": "Ann", "kind": "lesson"}', "line 2: kind: "),
        ('{"text": "Ann", "origin": "feedback"}', "line 2: origin: "),
    ],
    ids=lambda value: value[:20],
)
def test_a_line_that_is_no_item_is_named_without_its_words(line: str, said: str) -> None:
    """Nothing private leaves: what an error says may end in a log."""
    with pytest.raises(UsageError) as caught:
        read_items(f'{{"text": "a good line"}}\n{line}\n', source="s", author="a", now=NOW)
    assert str(caught.value).startswith(said)
    assert "Ann" not in str(caught.value)
    assert caught.value.remedy


def test_nothing_is_nothing_to_add() -> None:
    """Nothing is hidden."""
    with pytest.raises(UsageError, match="nothing to add"):
        read_items(" \n", source="s", author="a", now=NOW)
