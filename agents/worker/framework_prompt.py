"""How the cloud is asked for a framework: the rules with a worked example, and the JSON Schema of the answer."""

import json
from collections.abc import Mapping
from typing import Any, cast

from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.frameworks import Formula, Framework, Slot, YesNo

_EXAMPLE = Framework(
    title="Reply to a late delivery",
    slots=(
        Slot(name="customer_name", question="What is the name of the customer?"),
        Slot(name="price", type="money", question="What did the customer pay?"),
        Slot(name="days_late", type="number", question="How many days late is the delivery?"),
    ),
    checks=(YesNo(name="wants_cancellation", question="Does the customer ask to cancel the order?"),),
    formulas=(Formula(name="voucher", expression="round(min(price * 0.01 * days_late, price * 0.1), 2)"),),
    template="Dear {customer_name},\n{!customer_name}Hello,\n\nwe are sorry that you had to wait.\n"
    "We will credit {voucher}.\n{?wants_cancellation}Your order is cancelled.\n\nYour service team",
)
_SYSTEM = """\
You design a framework: a reasoning plan as data. A small model will apply it to private texts that you will never \
see, and a program will fill in the template. You are told only what kind of step it is. Do not ask for the text.

A framework has
- slots: values that the small model copies word for word from the text. name in snake_case, type text, number, \
date or money, one short question that finds the value, required only where the result is worthless without it.
- checks: questions with a yes or no answer that can be seen from the text alone.
- formulas: arithmetic over slots, checks and earlier formulas: + - * / // % **, comparisons, and, or, not, \
A if B else C, round, min, max, abs. Nothing else.
- template: the finished result, in the language asked for. {name} is replaced by a slot or formula, and a line with \
a name that has no value is left out. A line that starts with {?name} or {!name} stays only when a check or formula \
is true or false, or when a slot has a value or has none. Several such marks may stand in a row.

Put your expertise into the checks and the template: which findings matter, and what follows from each. Write every \
sentence of the result into the template; state nothing as a fact that no slot or check has established. Do not \
invent names, numbers, dates or square-bracket marks. Prefer the slot names customer_name, reference, amount, date \
where they fit. Example (another kind of step):
"""


def ask_for_framework(problem: str) -> Prompt:
    """Return the prompt for a framework that solves ``problem``, an abstract statement."""
    example = _EXAMPLE.model_dump_json()
    return Prompt(system=_SYSTEM + example, user=problem, json_schema=framework_schema())


def framework_schema() -> dict[str, Any]:
    """Return the JSON Schema of a framework on its own: no references, and no properties but those it names."""
    schema = Framework.model_json_schema()
    definitions = cast("dict[str, object]", schema.pop("$defs", {}))
    return cast("dict[str, Any]", json.loads(json.dumps(_closed(schema, definitions))))


def _closed(part: object, definitions: Mapping[str, object]) -> object:
    if isinstance(part, list):
        return [_closed(item, definitions) for item in cast("list[object]", part)]
    if not isinstance(part, dict):
        return part
    node = cast("dict[str, object]", part)
    if isinstance(reference := node.get("$ref"), str):
        return _closed(definitions[reference.removeprefix("#/$defs/")], definitions)
    closed = {key: _closed(value, definitions) for key, value in node.items() if key != "default"}
    properties = closed.get("properties")
    if node.get("type") == "object" and isinstance(properties, dict):
        names = list(cast("dict[str, object]", properties))
        return {**closed, "additionalProperties": False, "required": names}
    return closed
