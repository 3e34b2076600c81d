"""The form check for JSON results against the reference validator."""

from typing import Any

import jsonschema  # type: ignore[import-untyped] # ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.verifier.json_form import find_form_problems, find_stated_texts, read_json

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False},
    {"type": "object", "properties": {"a": {"type": ["string", "null"], "minLength": 1, "maxLength": 3}}},
    {"type": "object", "properties": {"b": {"type": "array", "items": {"type": "number"}, "maxItems": 2}}},
    {"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 1},
    {"anyOf": [{"type": "string", "pattern": "^a"}, {"type": "number", "minimum": 0, "maximum": 5}]},
    {"type": "object", "additionalProperties": {"type": "boolean"}},
    {"const": "x"},
]
scalars = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([0.5, 2.0, -1.5]) | st.text("axy", max_size=5)
)
values = st.recursive(
    scalars,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from("abc"), part, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(SCHEMAS), values)
def test_forms_are_judged_as_the_reference_does(schema: dict[str, Any], value: Any) -> None:  # noqa: ANN401
    """Mistakes are not repeated: a result is of its form exactly when JSON Schema says so."""
    reference = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert (list(find_form_problems(value, schema)) == []) == reference


def test_unknown_keywords_are_not_passed_over() -> None:
    """Nothing is hidden: a form that cannot be checked is said to be so."""
    problems = list(find_form_problems(3, {"type": "integer", "multipleOf": 2}))
    assert problems == ["$: the schema's 'multipleOf' cannot be checked here"]
    assert list(find_form_problems("a", {"pattern": "("})) == ["$: the schema's 'pattern' cannot be checked here"]


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", '{"a": NaN}', "[" * 100_000])
def test_what_is_no_json(text: str) -> None:
    """Mistakes are not repeated: what no JSON reader takes is refused without an accident."""
    assert read_json(text) == (None, "it is not valid JSON")


def test_scores_and_options_state_nothing() -> None:
    """Mistakes are not repeated: values are checked where they state something about the text, and only there."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["a1234"]},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "sum": {"type": "number"},
            "lines": {"type": "array", "items": {"type": "string"}},
        },
    }
    value = {"kind": "a1234", "score": 0.7, "sum": 120, "lines": ["x", "y"], "more": "z", "flag": True, "none": None}
    assert list(find_stated_texts(value, schema)) == ["120", "x", "y", "z"]
