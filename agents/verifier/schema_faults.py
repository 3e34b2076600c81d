"""What of a JSON schema the form check cannot hold a result against: said before there is any result."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from hybridmesh.agents.verifier.json_form import CHECKS, NOTES, TYPES, is_array, is_object


def find_schema_faults(schema: object, place: str = "$") -> Iterator[str]:
    """Yield what of a schema cannot be checked here, each with its place: a result of it would never pass."""
    if isinstance(schema, bool):
        return
    if not is_object(schema):
        yield f"{place}: is no schema"
        return
    for keyword, rule in schema.items():
        if keyword in NOTES:
            continue
        if keyword not in CHECKS:
            yield f"{place}: {keyword!r} cannot be checked here"
        elif not _is_rule(keyword, rule):
            yield f"{place}: {keyword!r} has a value that means nothing"
        else:
            for name, part in _parts(keyword, rule):
                yield from find_schema_faults(part, f"{place}{name}")


def _is_rule(keyword: str, rule: object) -> bool:
    """Say whether a keyword has a value that its check can read."""
    fits = _RULES.get(keyword)
    return fits is None or fits(rule)


def _is_type(rule: object) -> bool:
    names = rule if is_array(rule) else [rule]
    return bool(names) and all(isinstance(name, str) and name in TYPES for name in names)


def _is_choice(rule: object) -> bool:
    return is_array(rule) and bool(rule)


def _is_names(rule: object) -> bool:
    return is_array(rule) and all(isinstance(name, str) for name in rule)


def _is_bound(rule: object) -> bool:
    return isinstance(rule, int | float) and not isinstance(rule, bool)


def _parts(keyword: str, rule: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - what _is_rule let pass
    """Yield the schemas inside a keyword's value, each with its place."""
    if keyword == "properties":
        yield from ((f".{name}", part) for name, part in rule.items())
    elif keyword == "anyOf":
        yield from ((f"|{number}", part) for number, part in enumerate(rule))
    elif keyword in ("items", "additionalProperties"):
        yield ("[]" if keyword == "items" else ".*"), rule


def _is_pattern(rule: object) -> bool:
    try:
        return isinstance(rule, str) and bool(re.compile(rule))
    except re.error:
        return False


_RULES: dict[str, Callable[[object], bool]] = {
    "type": _is_type,
    "enum": _is_choice,
    "anyOf": _is_choice,
    "properties": is_object,
    "required": _is_names,
    "pattern": _is_pattern,
    **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum"), _is_bound),
}
