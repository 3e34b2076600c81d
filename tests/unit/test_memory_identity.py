"""Which facts are the same, which are refused, and what replaces what."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.memory.identity import Decision, decide, is_id, item_id, normalise, refusal, to_entry
from hybridmesh.agents.memory.store import Entry
from hybridmesh.schemas.memory import Kind, MemoryItem

START = datetime(2026, 3, 1, tzinfo=UTC)
texts = st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip)


def make_item(text: str = "the contract ends in May", *, day: int = 0, **fields: object) -> MemoryItem:
    values: dict[str, object] = {
        "kind": Kind.RECORD,
        "source": "file:contract.txt",
        "author": "test",
        "created_at": START + timedelta(days=day),
    }
    return MemoryItem.model_validate({**values, "text": text, **fields})


def run(items: Iterable[MemoryItem]) -> tuple[dict[str, Entry], list[Decision]]:
    """Apply decisions one after the other, as a store would hold their rows."""
    rows: dict[str, Entry] = {}
    decisions: list[Decision] = []
    for item in items:
        decision = decide(to_entry("t", item), item.supersedes, rows.values())
        decisions.append(decision)
        changed = (*((decision.insert,) if decision.insert else ()), *decision.amend)
        rows |= {row.id: row for row in changed}
    return rows, decisions


def living(rows: dict[str, Entry]) -> list[str]:
    return sorted(MemoryItem.model_validate_json(row.item).text for row in rows.values() if row.superseded_by is None)


@given(texts)
def test_white_space_and_composition_do_not_make_another_fact(text: str) -> None:
    """Nothing is lost: the same fact is one row, however it was wrapped."""
    spaced = "  \n" + "\t ".join(text.split()) + " "
    assert item_id("t", make_item(text)) == item_id("t", make_item(spaced))
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(("first", "second"), [("AbC", "abc"), ("10²", "102"), ("a b", "ab"), ("a", "a.")])
def test_texts_that_mean_different_things_stay_apart(first: str, second: str) -> None:
    """Nothing is lost: a password's case or an exponent is not folded away."""
    assert item_id("t", make_item(first)) != item_id("t", make_item(second))


def test_tenant_kind_key_and_subject_are_part_of_the_identity() -> None:
    """Nothing private leaves: two tenants' equal facts are two rows, and fields cannot run into each other."""
    ids = {
        item_id("t", make_item()),
        item_id("u", make_item()),
        item_id("t", make_item(kind=Kind.EPISODE)),
        item_id("t", make_item(key="a")),
        item_id("t", make_item(subject="a")),
        item_id("t", make_item(key="a", subject="b")),
        item_id("t", make_item(key="b", subject="a")),
        item_id('t", "record', make_item()),
    }
    assert len(ids) == 8
    assert all(map(is_id, ids))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"origin": "recall"}, "from-memory"),
        ({"text": " \n\t"}, "empty-text"),
        ({"source": "  "}, "no-provenance"),
        ({"author": "\n"}, "no-provenance"),
        ({"created_at": START.replace(tzinfo=None)}, "time-without-zone"),
        ({"expires_at": START}, "already-expired"),
        ({"expires_at": START + timedelta(seconds=1)}, None),
        ({"origin": "cloud"}, None),
    ],
)
def test_what_may_not_be_kept_is_refused_with_a_reason(changes: dict[str, object], reason: str | None) -> None:
    """Mistakes are not repeated: recalled text would feed itself, and text of no source cannot be judged."""
    item = make_item().model_copy(update=changes)
    assert refusal(item, START) == reason


def test_a_callers_own_id_is_replaced() -> None:
    """Nothing is hidden: nobody can overwrite a row by naming its id."""
    entry = to_entry("t", make_item(id="00000000-0000-0000-0000-000000000000"))
    assert entry.id == item_id("t", make_item()) == MemoryItem.model_validate_json(entry.item).id


def test_the_newest_preference_wins_in_every_order_of_arrival() -> None:
    """Nothing is lost: late delivery cannot bring an old preference back to life."""
    versions = [make_item(f"tone {n}", day=n, kind=Kind.PREFERENCE, key="tone") for n in range(3)]
    for order in permutations(versions):
        rows, _ = run(order)
        assert living(rows) == ["tone 2"]
        assert len(rows) == 3


def test_returning_to_an_earlier_preference_is_a_change() -> None:
    """Mistakes are not repeated: formal, informal, formal again ends formal."""
    rows, decisions = run(
        make_item(text, day=day, kind=Kind.PREFERENCE, key="tone")
        for day, text in enumerate(["formal", "informal", "formal"])
    )
    assert living(rows) == ["formal"]
    assert [d.result.outcome for d in decisions] == ["created", "superseded", "duplicate"]


def test_documents_of_two_sources_and_lessons_of_one_key_stand_side_by_side() -> None:
    """Nothing is lost: only a new version of the same document replaces it, and no lesson replaces another."""
    rows, _ = run(
        [
            make_item("v1", kind=Kind.DOCUMENT, key="chapter-1", source="book"),
            make_item("v2", day=1, kind=Kind.DOCUMENT, key="chapter-1", source="book"),
            make_item("other", day=2, kind=Kind.DOCUMENT, key="chapter-1", source="another book"),
            make_item("lesson one", kind=Kind.LESSON, key="k"),
            make_item("lesson two", day=1, kind=Kind.LESSON, key="k"),
            make_item("no key, first"),
            make_item("no key, second", day=1),
        ]
    )
    assert living(rows) == ["lesson one", "lesson two", "no key, first", "no key, second", "other", "v2"]


def test_a_correction_holds_when_the_wrong_text_is_offered_again() -> None:
    """Mistakes are not repeated: reading the same wrong file tomorrow does not undo the correction."""
    wrong = make_item("the fee is 100")
    right = make_item("the fee is 120", day=1, supersedes=item_id("t", wrong))
    again = make_item("the fee is 100", day=2)
    rows, _ = run([wrong, right, again])
    assert living(rows) == ["the fee is 120"]
    back = make_item("the fee is 100", day=3, supersedes=item_id("t", right))
    rows, _ = run([wrong, right, again, back])
    assert living(rows) == ["the fee is 100"]


def test_deciding_again_finishes_what_a_crash_cut_short() -> None:
    """Nothing is lost: the row was written, its predecessor not yet retired; the repeated offer retires it."""
    old, new = (make_item(f"v{n}", day=n, kind=Kind.PREFERENCE, key="k") for n in range(2))
    half_done = [to_entry("t", old), to_entry("t", new)]
    decision = decide(to_entry("t", new), None, half_done)
    assert decision.result.outcome == "duplicate"
    assert [(row.id, row.superseded_by) for row in decision.amend] == [(half_done[0].id, half_done[1].id)]


def test_a_repeated_fact_keeps_every_source_and_parent() -> None:
    """Nothing is hidden: forgetting any one of its sources or parents must find the row."""
    rows, _ = run(
        [
            make_item(source="mail", derived_from=("p1",)),
            make_item(source="file", day=1, derived_from=("p2",)),
            make_item(source="call", day=-1),
        ]
    )
    (row,) = rows.values()
    assert set(row.sources) == {"mail", "file", "call"}
    assert set(row.derived_from) == {"p1", "p2"}


def test_rows_of_another_tenant_decide_nothing() -> None:
    """Nothing private leaves: a row handed in by mistake neither supersedes nor is superseded."""
    mine = make_item("formal", day=1, kind=Kind.PREFERENCE, key="tone")
    theirs = to_entry("u", make_item("informal", kind=Kind.PREFERENCE, key="tone"))
    decision = decide(to_entry("t", mine), theirs.id, [theirs])
    assert (decision.result.outcome, decision.amend) == ("created", ())


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=8))
def test_offering_everything_twice_changes_nothing(offers: list[tuple[str, int]]) -> None:
    """Nothing is lost: a redelivered message is a no-op, whatever came in between."""
    items = [make_item(text, day=day, kind=Kind.PREFERENCE, key="k") for text, day in offers]
    once, _ = run(items)
    twice, _ = run([*items, *items])
    newest = max(day for _, day in offers)
    assert living(once) == living(twice)
    assert len(living(once)) == 1
    assert living(once)[0] in {text for text, day in offers if day == newest}
