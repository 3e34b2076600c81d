"""The form check for JSON results against the reference validator."""

from typing import Any

import jsonschema  # type: ignore[import-untyped] # ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.verifier.evidence import make_claim
from hybridmesh.agents.verifier.json_form import find_form_problems, find_stated_texts, read_json
from hybridmesh.agents.verifier.rules import stated
from hybridmesh.agents.verifier.schema_faults import find_schema_faults
from hybridmesh.schemas.plans import OutputForm

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False},
    {"type": "object", "properties": {"a": {"type": ["string", "null"], "minLength": 1, "maxLength": 3}}},
    {"type": "object", "properties": {"b": {"type": "array", "items": {"type": "number"}, "maxItems": 2}}},
    {"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 1},
    {"anyOf": [{"type": "string", "pattern": "^a"}, {"type": "number", "minimum": 0, "maximum": 5}]},
    {"type": "object", "additionalProperties": {"type": "boolean"}},
    {"const": "x"},
    {"type": "object", "properties": {"a": True, "b": False}},
    {"type": "object", "additionalProperties": False},
    {"type": "array", "items": False},
    {"anyOf": [False, {"type": "array", "items": True}]},
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


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_schema_that_can_be_checked_has_no_fault(schema: dict[str, Any]) -> None:
    """It runs on what you have."""
    assert list(find_schema_faults(schema)) == []


FAULTY: list[tuple[dict[str, Any], str]] = [
    ({"multipleOf": 2}, "$: 'multipleOf'"),
    ({"type": "objekt"}, "$: 'type'"),
    ({"type": []}, "$: 'type'"),
    ({"enum": "ab"}, "$: 'enum'"),
    ({"required": "ab"}, "$: 'required'"),
    ({"properties": {"a": {"maximum": "5"}}}, "$.a: 'maximum'"),
    ({"properties": ["a"]}, "$: 'properties'"),
    ({"items": {"pattern": "("}}, "$[]: 'pattern'"),
    ({"additionalProperties": "no"}, "$.*: is no schema"),
    ({"anyOf": [{"type": "string"}, {"oneOf": []}]}, "$|1: 'oneOf'"),
]


@pytest.mark.parametrize(("schema", "place"), FAULTY)
def test_a_schema_that_cannot_be_checked_is_named_before_anything_is_held_against_it(
    schema: dict[str, Any], place: str
) -> None:
    """Nothing is lost: no task is taken on whose result could not pass."""
    assert next(find_schema_faults(schema)).startswith(place)


def test_half_a_character_in_a_result_can_be_named() -> None:
    """Nothing is lost: what a result states goes into the verdict, whatever escapes its JSON holds."""
    form = OutputForm(kind="json", json_schema={"type": "object"})
    (statement,) = stated('{"place": "https://shop.example/\\ud800c"}', form)
    assert "shop.example" in make_claim(statement, ()).model_dump_json()
