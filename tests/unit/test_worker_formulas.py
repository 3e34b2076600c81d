"""Formulas are arithmetic and nothing else."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.formulas import compute, evaluate, names_in
from hybridmesh.schemas.frameworks import Formula

KNOWN: dict[str, str | Decimal | bool] = {"price": Decimal("39.90"), "late": True, "months": Decimal(3), "name": "Ana"}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("price * months", Decimal("119.70")),
        ("0.1 + 0.2", Decimal("0.3")),
        ("round(price / months, 2)", Decimal("13.30")),
        ("round(2.5)", Decimal(3)),
        ("min(price, 10) if late else 0", Decimal(10)),
        ("abs(-price) > 39.89 and not late", False),
        ("max(1, 2, months) ** 2", Decimal(9)),
        ("7 // 2 + 7 % 2", Decimal(4)),
        ("name == 'Ana'", True),
    ],
)
def test_arithmetic_is_exact(expression: str, value: Decimal | bool) -> None:
    """Nothing is hidden: an amount in a reply is the amount, not what a float makes of it."""
    assert evaluate(expression, KNOWN) == value


@pytest.mark.parametrize(
    "expression",
    [
        "missing + 1",
        "1 / 0",
        "9 ** 9999",
        "(9 ** 12) ** 12 ** 12",
        "'a' * 99999999",
        "name + name",
        "name * 3",
        "late + 1",
        "__import__('os').system('true')",
        "().__class__",
        "[x for x in (1, 2)]",
        "lambda: 1",
        "f'{price}'",
        "price; months",
        "round(1, 1000000)",
        "min(price)",
        "1e999",
        "",
        "1 +",
        "(" * 90 + "1" + ")" * 90,
        "price if",
        "rand()",
        "1" * 201,
    ],
)
def test_what_is_no_arithmetic_has_no_value(expression: str) -> None:
    """Nothing private leaves: a framework from outside is data; it can neither run, nor grow, nor raise."""
    assert evaluate(expression, KNOWN) is None or expression.startswith("((")


@given(st.text(max_size=220))
def test_no_text_raises(expression: str) -> None:
    """Nothing is lost: a broken formula is a missing value, never a failed step."""
    evaluate(expression, KNOWN)
    names_in(expression)


@given(
    st.recursive(
        st.sampled_from(["price", "months", "2", "0.5", "late", "name"]),
        lambda inner: st.builds(
            "({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "**", "<", "==", "and"]), inner
        ),
        max_leaves=8,
    )
)
def test_every_expression_ends_in_a_value_or_none(expression: str) -> None:
    """Nothing is lost: types that do not go together make a missing value."""
    assert isinstance(evaluate(expression, KNOWN), (Decimal, bool, str, type(None)))


def test_formulas_see_earlier_ones() -> None:
    """Nothing is hidden: a chain with a gap is missing from the gap on, and only there."""
    chain = [
        Formula(name="total", expression="price * months"),
        Formula(name="bad", expression="total / nothing"),
        Formula(name="half", expression="total / 2"),
        Formula(name="worse", expression="bad + 1"),
    ]
    assert compute(chain, KNOWN) == {"total": Decimal("119.70"), "half": Decimal("59.85")}


def test_names_are_known_before_use() -> None:
    """Nothing is hidden: a framework with a formula over an unknown name is refused on arrival."""
    assert names_in("round(a + b, 2) if c else d") == frozenset("abcd")
    assert names_in("open('x')") is None
    assert names_in("a.b") is None
