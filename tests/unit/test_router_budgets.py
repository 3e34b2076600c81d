"""The ledger: set aside once, paid once, whatever is handled twice."""

from decimal import Decimal
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.bus.budgets import Entry, Spending, release, reserve, settle

D = Decimal
LIMIT = D(1)
Act = tuple[Literal["reserve", "settle", "release"], str, Decimal]
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "release"]),
        st.sampled_from(["a/1", "a/2", "b/1"]),
        st.decimals("0.01", "0.6", places=2),
    ),
    max_size=12,
)


def apply(spending: Spending, act: Act) -> Spending:
    kind, key, amount = act
    match kind:
        case "reserve":
            return reserve(spending, key, amount, LIMIT) or spending
        case "settle":
            return settle(spending, key, amount) if key in spending.entries else spending
        case "release":
            return release(spending, key) or spending


@given(ACTS)
def test_an_act_repeated_changes_nothing_and_reservations_stay_within_the_limit(acts: list[Act]) -> None:
    """Nothing is lost: effects are counted once; what is set aside is never more than the limit leaves."""
    spending = Spending()
    for act in acts:
        after = apply(spending, act)
        assert apply(after, act) == after
        if act[0] == "reserve" and after != spending:
            assert after.taken() <= LIMIT
        if act[0] == "release":
            assert after.taken() <= spending.taken()
        spending = after


def test_what_a_call_came_to_replaces_what_was_set_aside() -> None:
    """Nothing is hidden: a price that is not known counts as reserved, a call that came back late is booked."""
    held = reserve(None, "a/1", D("0.5"), LIMIT)
    assert held is not None
    assert reserve(held, "a/2", D("0.6"), LIMIT) is None
    assert settle(held, "a/1", D("0.1")).taken() == D("0.1")
    assert settle(held, "a/1", None).taken() == D("0.5")
    freed = release(held, "a/1")
    assert freed is not None
    assert freed.taken() == 0
    assert settle(freed, "a/1", D("0.2")).taken() == D("0.2")
    assert release(settle(held, "a/1", D("0.1")), "a/1") == settle(held, "a/1", D("0.1"))
    assert release(None, "a/1") is None
    assert settle(None, "a/1", D("0.2")).entries == {"a/1": Entry(reserved=D(0), settled=D("0.2"))}
    assert held.taken(except_key="a/1") == 0
