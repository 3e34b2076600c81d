"""Puts what was found into a framework: formulas, template, and the record of what was found and what was not."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from hybridmesh.agents.worker.formulas import Value, compute
from hybridmesh.agents.worker.framework import Origin
from hybridmesh.agents.worker.numbers import parse_number
from hybridmesh.agents.worker.template import fill
from hybridmesh.schemas.frameworks import Application, Framework, Slot

_MOST_PLACES = 4


@dataclass(frozen=True, slots=True)
class Filled:
    """The finished text and how it came about; ``complete`` says that no required slot is missing."""

    text: str
    application: Application
    complete: bool


def apply(
    framework: Framework, key: str, origin: Origin, slots: Mapping[str, str], checks: Mapping[str, bool]
) -> Filled | None:
    """Fill a framework with confirmed slot values, as they stand in the source, and answered checks.

    None where one of them would leave again.
    """
    known: dict[str, Value] = dict(checks)
    for slot in framework.slots:
        if (value := _operand(slot, slots.get(slot.name))) is not None:
            known[slot.name] = value
    computed = compute(framework.formulas, known)
    texts = {**slots, **{name: _written(value) for name, value in computed.items()}}
    text = fill(framework.template, texts, _truths(framework, checks, computed))
    if text is None:
        return None
    missing = [slot for slot in framework.slots if slot.name not in slots]
    return Filled(
        text=text,
        application=Application(
            key=key,
            origin=origin,
            values={**texts, **checks},
            confirmed=tuple(slot.name for slot in framework.slots if slot.name in slots),
            missing=tuple(slot.name for slot in missing),
        ),
        complete=not any(slot.required for slot in missing),
    )


def _truths(framework: Framework, checks: Mapping[str, bool], computed: Mapping[str, Value]) -> dict[str, bool | None]:
    truths: dict[str, bool | None] = {check.name: checks.get(check.name) for check in framework.checks}
    for formula in framework.formulas:
        value = computed.get(formula.name)
        truths[formula.name] = value if isinstance(value, bool) or value is None else True
    return truths


def _operand(slot: Slot, value: str | None) -> Value | None:
    """Return what a formula sees of a slot: the value of a number or an amount, the text of any other."""
    if value is None:
        return None
    return parse_number(value) if slot.type in {"number", "money"} else value


def _written(value: Value) -> str:
    """Write a result plainly: no exponent, two places where a division left many."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _MOST_PLACES:
        value = value.quantize(Decimal("0.01"), ROUND_HALF_UP) if abs(value) < Decimal(10) ** 20 else value
    return f"{value:f}"
