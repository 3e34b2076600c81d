"""Prices and statuses."""

from decimal import Decimal

import pytest

from hybridmesh.agents.consultant.prices import price_of
from hybridmesh.agents.consultant.statuses import refusal_reason


def test_a_known_model_has_its_list_price() -> None:
    """Nothing is hidden: what a call cost is known to the cent (2 and 10 USD a million tokens)."""
    assert price_of("anthropic", "claude-sonnet-5-5", 1_000_000, 100_000) == Decimal(3)


def test_an_unknown_model_has_no_price() -> None:
    """Nothing is hidden: an unknown price is unknown, not nothing."""
    assert price_of("anthropic", "a-model-of-tomorrow", 1, 1) is None
    assert price_of("nobody", "claude-sonnet-5-5", 1, 1) is None


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again(status: int) -> None:
    """Nothing is lost: a busy cloud is asked again."""
    assert refusal_reason(status, None) is None


@pytest.mark.parametrize("status", [301, 307, 400, 401, 402, 403, 404, 413, 418, 422])
def test_what_will_not_pass_is_a_refusal(status: int) -> None:
    """Nothing is lost: a refusal is known at once and takes the local lane."""
    assert refusal_reason(status, None) is not None


def test_a_spent_budget_does_not_refill_by_waiting() -> None:
    """Nothing is lost: a spend limit behind a 429 is not waited for."""
    assert refusal_reason(429, "enforced_spend_limit_reached") == "cloud-spend-limit"
