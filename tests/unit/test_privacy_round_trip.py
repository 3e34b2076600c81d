"""The promises on values, for any text and any JSON: what was taken out comes back, and never goes out."""

import json
import re
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmesh.agents.classifier.door import judge, prompt_texts
from hybridmesh.agents.classifier.surrogates import pseudonymise
from hybridmesh.agents.worker.restoring import issued_for, restore_answer
from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.plans import OutputForm
from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.restoring import open_reply
from hybridmesh.schemas.steps import Redacted
from hybridmesh.schemas.surrogates import restore

KEY = b"k" * 32
ODD = [
    "[PERSON_7Q2M]",
    "person_7q2m",
    "[",
    "]",
    "\\",
    "\\_",
    "&#91;",
    "%5B",
    "https://e.org/?q=",
    "](",
    "<a ",
    "John",
    "Smith",
]
TEXTS = st.one_of(
    st.text(st.characters(), max_size=40), st.lists(st.sampled_from([*ODD, " ", "é"]), max_size=10).map("".join)
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def spans_in(data: st.DataObject, text: str) -> list[Span]:
    edges = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    return [
        Span(
            start=start,
            end=end,
            type=data.draw(st.sampled_from(["PERSON", "EMAIL", "PERSON_LAST"])),
            score=1,
            source="t",
        )
        for start, end in zip(edges[::2], edges[1::2], strict=False)
    ]


def number_in(data: st.DataObject, text: str) -> list[Span]:
    taken = Span(start=0, end=len(text), type="CARD", score=1, source="t", bare=True)
    return [taken] if data.draw(st.booleans()) else []


Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | bool | None


def parts_in(value: Json) -> list[str | float]:
    """Return the strings and numbers of a JSON value in order, keys included."""
    if isinstance(value, str) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return [value]
    if isinstance(value, Mapping):
        return [part for pair in value.items() for piece in pair for part in parts_in(piece)]
    if isinstance(value, Sequence):
        return [part for piece in value for part in parts_in(piece)]
    return []


def with_parts(value: Json, parts: list[Json]) -> Json:
    """Return the value with its strings and numbers replaced, in order."""
    if isinstance(value, str) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return parts.pop(0)
    if isinstance(value, Mapping):
        return {str(with_parts(key, parts)): with_parts(part, parts) for key, part in value.items()}
    if isinstance(value, Sequence):
        return [with_parts(part, parts) for part in value]
    return value


@given(TEXTS, st.data())
def test_restore_of_replace_is_the_text(text: str, data: st.DataObject) -> None:
    """Nothing is lost: for any text and whatever is taken out of it, whole and as a stream of single characters."""
    result = pseudonymise([text], [spans_in(data, text)], KEY, {})
    (redacted,) = result.texts
    assert restore(redacted, result.originals).text == text
    stream = open_reply(result.originals, "text", own=True)
    assert "".join(map(stream.feed, redacted)) + stream.finish() == text
    assert len(set(result.originals.values())) == len(result.originals)


@settings(max_examples=60)
@given(JSON, st.data())
def test_restore_of_replace_is_the_json_value(value: Json, data: st.DataObject) -> None:
    """Nothing is lost: every string and number of a document is replaced by itself, and all comes back as it was."""
    texts = [part if isinstance(part, str) else json.dumps(part) for part in parts_in(value)]
    spans = [
        spans_in(data, part) if isinstance(part, str) else number_in(data, text)
        for part, text in zip(parts_in(value), texts, strict=True)
    ]
    result = pseudonymise(texts, spans, KEY, {})
    parts = [
        text if isinstance(part, str) else json.loads(text)
        for part, text in zip(parts_in(value), result.texts, strict=True)
    ]
    sent = json.dumps(with_parts(value, parts), ensure_ascii=data.draw(st.booleans()))
    stream = open_reply(result.originals, "json", own=True)
    assert json.loads("".join(map(stream.feed, sent)) + stream.finish()) == value
    answer = restore_answer(sent, result.originals, OutputForm(kind="json", json_schema={}))
    assert answer.withheld or json.loads(answer.text) == value


def stands_alone(value: str, text: str) -> bool:
    """Say whether a value stands in a text as a word of its own."""
    return re.search(rf"(?<![\w]){re.escape(value)}(?![\w])", text) is not None


@given(st.lists(TEXTS, min_size=1, max_size=3), st.data())
def test_no_value_of_the_vault_is_in_what_passes_the_door(texts: list[str], data: st.DataObject) -> None:
    """Nothing private leaves: whatever the steps before got wrong, a prompt with a value in it does not pass."""
    result = pseudonymise(texts, [spans_in(data, text) for text in texts], KEY, {})
    planted = data.draw(st.lists(st.sampled_from([*result.originals.values(), " ", ", "]), max_size=3))
    prompt = Prompt(system="You help.", user="\n".join([*result.texts, *planted]))
    verdict = judge(prompt_texts(prompt), [[], []], result.originals)
    if verdict.reason is not None:
        return
    sent = prompt.user
    for surrogate in result.originals:
        sent = sent.replace(surrogate, "\n")
    for surrogate, value in result.originals.items():
        if any(map(str.isalnum, value)) and not surrogate.startswith("[TEXT_"):
            assert not stands_alone(value, sent), value


@given(TEXTS, st.data())
def test_a_reply_gets_only_what_its_own_step_held(text: str, data: st.DataObject) -> None:
    """Nothing private leaves: who makes the cloud name a surrogate of another step does not get its value."""
    mine = pseudonymise([text], [spans_in(data, text)], KEY, {})
    others = {f"[{name[1:-1]}0]": value for name, value in mine.originals.items()}
    redacted = Redacted(goal=mine.texts[0], instruction="")
    issued = issued_for(redacted, {**others, **mine.originals})
    assert issued.items() <= mine.originals.items()
    assert issued_for(None, mine.originals) == {}
