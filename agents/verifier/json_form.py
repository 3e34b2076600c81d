"""Whether JSON has the form that a step asked for, and which of its values state something.

A subset of JSON Schema (2020-12) that output forms use; a keyword outside it is reported, never passed over.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard, cast

Schema = dict[str, Any]
Check = Callable[[Any, Any, Schema, str], Iterator[str]]

NOTES = frozenset(
    {"title", "description", "$schema", "$id", "default", "examples", "format", "$comment", "$defs", "definitions"}
)
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def read_json(text: str) -> tuple[Any, str | None]:
    """Return the value and None, or None and what is wrong; NaN and infinities are no JSON."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=refuse), None
    except (ValueError, RecursionError):
        return None, "it is not valid JSON"


def find_form_problems(
    value: Any,  # noqa: ANN401 - any JSON
    schema: Schema | bool,
    place: str = "$",
) -> Iterator[str]:
    """Yield what keeps a value from the schema's form, each with its place; values themselves are not named."""
    if isinstance(schema, bool):
        yield from () if schema else (f"{place}: was not asked for",)
        return
    for keyword, rule in schema.items():
        if keyword in NOTES:
            continue
        check = CHECKS.get(keyword)
        if check is None:
            yield f"{place}: the schema's {keyword!r} cannot be checked here"
        else:
            yield from check(value, rule, schema, place)


def find_stated_texts(value: object, schema: object) -> Iterator[str]:
    """Yield the parts of a JSON value that state something about the task.

    What the schema itself allows by name (``enum``, ``const``) or between two bounds (a score) states nothing.
    """
    schema = schema if is_object(schema) else {}
    if "enum" in schema or "const" in schema or isinstance(value, bool) or value is None:
        return
    if is_object(value):
        properties: dict[str, object] = schema.get("properties", {})
        for name, part in value.items():
            yield from find_stated_texts(part, properties.get(name))
    elif is_array(value):
        for part in value:
            yield from find_stated_texts(part, schema.get("items"))
    elif isinstance(value, str) or not {"minimum", "maximum"} <= schema.keys():
        yield str(value)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Say whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Say whether a JSON value is an array."""
    return isinstance(value, list)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _type(value: Any, rule: Any, _schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    names: list[str] = [rule] if isinstance(rule, str) else rule
    if not any(_is(value, name) for name in names):
        yield f"{place}: must be {' or '.join(names)}"


def _is(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES.get(name, ()))


def _enum(value: Any, rule: Any, _schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    if not any(value == option and type(value) is type(option) for option in rule):
        yield f"{place}: must be one of {json.dumps(rule, ensure_ascii=False)}"


def _const(value: Any, rule: Any, schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    yield from _enum(value, [rule], schema, place)


def _properties(value: Any, rule: Any, _schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    if is_object(value):
        for name, part in cast("dict[str, Schema]", rule).items():
            if name in value:
                yield from find_form_problems(value[name], part, f"{place}.{name}")


def _required(value: Any, rule: Any, _schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    if is_object(value):
        yield from (f"{place}: {name!r} is missing" for name in rule if name not in value)


def _additional(value: Any, rule: Any, schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    if not is_object(value) or rule is True:
        return
    for name, part in value.items():
        if name in schema.get("properties", {}):
            continue
        if rule is False:
            yield f"{place}: has a field that was not asked for"
        else:
            yield from find_form_problems(part, rule, f"{place}.*")


def _items(value: Any, rule: Any, _schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    if is_array(value):
        for number, part in enumerate(value):
            yield from find_form_problems(part, rule, f"{place}[{number}]")


def _length(is_kind: Callable[[object], bool], *, least: bool) -> Check:
    def check(value: Any, rule: Any, _schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
        if is_kind(value) and (len(value) < rule if least else len(value) > rule):
            yield f"{place}: is {'shorter' if least else 'longer'} than {rule}"

    return check


def _minimum(value: Any, rule: Any, _schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, int | float) and not isinstance(value, bool) and value < rule:
        yield f"{place}: is below {rule}"


def _maximum(value: Any, rule: Any, _schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, int | float) and not isinstance(value, bool) and value > rule:
        yield f"{place}: is above {rule}"


def _pattern(value: Any, rule: Any, _schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    try:
        fits = not isinstance(value, str) or re.search(rule, value) is not None
    except re.error:
        yield f"{place}: the schema's 'pattern' cannot be checked here"
        return
    if not fits:
        yield f"{place}: does not have the form that was asked for"


def _any_of(value: Any, rule: Any, _schema: Schema, place: str) -> Iterator[str]:  # noqa: ANN401
    if not any(not list(find_form_problems(value, part, place)) for part in rule):
        yield f"{place}: fits none of the forms that were asked for"


CHECKS: dict[str, Check] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "items": _items,
    "minItems": _length(is_array, least=True),
    "maxItems": _length(is_array, least=False),
    "minLength": _length(_is_text, least=True),
    "maxLength": _length(_is_text, least=False),
    "minimum": _minimum,
    "maximum": _maximum,
    "pattern": _pattern,
    "anyOf": _any_of,
}
