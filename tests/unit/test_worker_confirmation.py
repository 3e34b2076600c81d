"""A value that was extracted counts only when it stands in the source."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.confirmation import ValueType, stands_in
from hybridmesh.agents.worker.numbers import find_numbers, parse_number

SOURCE = "We paid  £1,300.00\non 3 May to Straße & Co, ref. INV-77, 19 % of 89,90 €, twice."


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("£1300", "money"),
        ("1300.00", "number"),
        ("89,90 €", "money"),
        ("89.9", "number"),
        ("paid £1,300.00 on", "text"),
        ("3 may", "date"),
        ("STRASSE & CO", "text"),
        ("inv-77", "text"),
    ],
)
def test_what_stands_there_is_confirmed(value: str, kind: ValueType) -> None:
    """Nothing is lost: case, white space and the way a number is written do not matter."""
    assert stands_in(value, SOURCE, kind)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("£1,301", "money"),
        ("$1300", "money"),
        ("130", "number"),
        ("300", "text"),
        ("INV-7", "text"),
        ("4 May", "date"),
        ("Jane", "text"),
        ("", "text"),
        ("…", "text"),
        ("null", "text"),
    ],
)
def test_what_does_not_stand_there_is_missing(value: str, kind: ValueType) -> None:
    """Nothing is hidden: a small model's invention never becomes a value, not even a part of a longer one."""
    assert not stands_in(value, SOURCE, kind)


@given(st.text(min_size=1, max_size=20), st.text(max_size=40), st.text(max_size=40))
def test_a_word_is_confirmed_exactly_when_it_was_put_there(value: str, before: str, after: str) -> None:
    """Nothing is lost: any value with a letter or digit that stands alone in the source is found again."""
    flat = " ".join(value.split())
    if any(char.isalnum() for char in flat) and flat[0].isalnum() and flat[-1].isalnum():
        assert stands_in(flat, f"{before} | {value} | {after}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("£4,812.60", "4812.60"),
        ("1.234,56 EUR", "1234.56"),
        ("89,90 €", "89.90"),
        ("31,750", "31750"),
        ("1.300", "1300"),
        ("0.300", "0.300"),
        ("1 234,5", "1234.5"),
        ("15 %", "15"),
        ("-3", "-3"),
        ("12'000", "12000"),
    ],
)
def test_numbers_are_read_as_they_are_written(text: str, value: str) -> None:
    """Nothing is hidden: an amount keeps its value in every notation."""
    assert parse_number(text) == Decimal(value)


def test_no_number_or_several_are_none() -> None:
    """Nothing is hidden: which of two numbers was meant is not guessed."""
    assert parse_number("none") is None
    assert parse_number("3 or 4") is None


@given(st.text(max_size=80))
def test_any_text_can_be_read_for_numbers(text: str) -> None:
    """Nothing is lost: no text makes the confirmation fail."""
    assert all(number.is_finite() for number in find_numbers(text))
