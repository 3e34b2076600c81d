"""Computes a framework's formulas: arithmetic and comparisons in exact decimals, nothing that could run or grow."""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, Protocol, cast

from simpleeval import (  # type: ignore[import-untyped] # ships no types
    InvalidExpression,
    SimpleEval,
)

from hybridmesh.schemas.frameworks import Formula

Value = str | Decimal | bool


class _Evaluator(Protocol):
    """What is used of simpleeval's evaluator."""

    nodes: dict[type[ast.AST], Callable[[ast.Constant], object]]

    def eval(self, expr: str) -> object: ...


Operation = Callable[..., object]

_LONGEST = 200  # characters of an expression
_LARGEST_POWER = 12
_DIGITS = 40
_MOST_PLACES = 12
_FAULTS = (InvalidExpression, SyntaxError, ArithmeticError, TypeError, ValueError, LookupError, RecursionError)


def compute(formulas: Sequence[Formula], known: Mapping[str, Value]) -> dict[str, Value]:
    """Return the formulas that have a value, each able to use those before it.

    One that misses a name, divides by zero or is not an expression of this small language has none.
    """
    values = dict(known)
    for formula in formulas:
        result = evaluate(formula.expression, values)
        if result is not None:
            values[formula.name] = result
    return {formula.name: values[formula.name] for formula in formulas if formula.name in values}


def evaluate(expression: str, names: Mapping[str, Value]) -> Value | None:
    """Return the value of one expression, or None."""
    if len(expression) > _LONGEST or names_in(expression) is None:
        return None
    evaluator = cast(
        "_Evaluator", SimpleEval(operators=dict(_OPERATORS), functions=dict(_FUNCTIONS), names=dict(names))
    )
    evaluator.nodes[ast.Constant] = _constant
    try:
        with localcontext(prec=_DIGITS):
            return _result(evaluator.eval(expression))
    except _FAULTS:
        return None


def names_in(expression: str) -> frozenset[str] | None:
    """Return the names that an expression reads, or None when it is not one that can be evaluated."""
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return None
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and type(node) not in _NODES | {ast.Constant}:
            return None
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS):
            return None
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions)


def _result(value: object) -> Value | None:
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return value if isinstance(value, (str, bool)) else None


def _constant(node: ast.Constant) -> Value:
    if isinstance(node.value, (bool, str)):
        return node.value
    if isinstance(node.value, (int, float)):
        return Decimal(repr(node.value))  # the shortest text of a float is the number that was written
    raise TypeError("not a number")


def _numbers(operation: Callable[..., Any]) -> Operation:
    """Let an operation see numbers only: text can neither be multiplied nor glued together."""

    def checked(*values: object) -> object:
        if not all(isinstance(value, Decimal) for value in values):
            raise TypeError("not a number")
        return operation(*values)

    return checked


def _divide(left: Decimal, right: Decimal) -> Decimal:
    return left / right


def _floor(left: Decimal, right: Decimal) -> Decimal:
    return left // right


def _rest(left: Decimal, right: Decimal) -> Decimal:
    return left % right


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    if abs(exponent) > _LARGEST_POWER:
        raise ValueError("the power is too large")
    return base**exponent


def _round(number: object, places: object = Decimal(0)) -> Decimal:
    if not isinstance(number, Decimal) or not isinstance(places, Decimal) or not 0 <= places <= _MOST_PLACES:
        raise TypeError("not a number")
    return number.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)


_NODES = {ast.Expr, ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call}
_OPERATORS: dict[type[ast.AST], Operation] = {
    ast.Add: _numbers(operator.add),
    ast.Sub: _numbers(operator.sub),
    ast.Mult: _numbers(operator.mul),
    ast.Div: _numbers(_divide),
    ast.FloorDiv: _numbers(_floor),
    ast.Mod: _numbers(_rest),
    ast.Pow: _numbers(_power),
    ast.USub: _numbers(operator.neg),
    ast.UAdd: _numbers(operator.pos),
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: _numbers(operator.lt),
    ast.LtE: _numbers(operator.le),
    ast.Gt: _numbers(operator.gt),
    ast.GtE: _numbers(operator.ge),
}
_FUNCTIONS: dict[str, Operation] = {
    "round": _round,
    "min": _numbers(min),
    "max": _numbers(max),
    "abs": _numbers(abs),
}
