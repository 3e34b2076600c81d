"""A choice that the instruction's own words decide needs no model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.options import choose_option

OPTIONS = ("billing", "outage", "cancellation", "other")
INSTRUCTION = (
    "What is it about? billing: invoices, refunds, Rechnung. outage: broken, unreachable, engineer. "
    "cancellation: leaving, Kündigung. other: none of these."
)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("Please refund the second invoice.", "billing"),
        ("Die Rechnung ist falsch, bitte um Refund.", "billing"),
        ("I cancelled in May.", "cancellation"),
        ("It is broken, send an engineer.", "outage"),
        ("My invoice is broken.", None),
        ("Good morning!", None),
        ("", None),
    ],
)
def test_words_decide_only_where_they_are_clear(text: str, option: str | None) -> None:
    """Nothing is hidden: one word for each of two options decides nothing, and the model is asked."""
    assert choose_option(text, INSTRUCTION, OPTIONS) == option


def test_options_without_a_description_are_not_decided_by_words() -> None:
    """Nothing is hidden: the word "high" in a text is no reason to choose the option of that name."""
    assert choose_option("high high priority", "How urgent is it?", ("high", "normal")) is None
    assert choose_option("high invoice", "high: urgent, now. How urgent?", ("high", "normal")) is None


@given(st.text(max_size=200), st.text(max_size=100))
def test_the_answer_is_an_option_or_none(text: str, instruction: str) -> None:
    """Nothing is lost: no text and no instruction breaks the rule."""
    assert choose_option(text, instruction + INSTRUCTION, OPTIONS) in (*OPTIONS, None)
