"""When a cloud is asked again."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.consultant.patience import asked_wait_s, next_pause_s
from hybridmesh.bus.settings import BusSettings

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@given(
    st.floats(min_value=-30, max_value=100),
    st.lists(st.one_of(st.none(), st.floats(min_value=0, max_value=4000)), min_size=20, max_size=20),
    st.lists(st.floats(min_value=0, max_value=90), min_size=20, max_size=20),
)
def test_patience_ends_before_the_work_loop_gives_up(
    start: float, asked: list[float | None], durations: list[float]
) -> None:
    """Nothing is lost: an outage of the cloud ends in a refusal, never in the dead letters."""
    elapsed, tries = start, 0
    for wish, duration in zip(asked, durations, strict=True):
        tries += 1
        elapsed += duration
        pause = next_pause_s(elapsed, wish, 60)
        if pause is None:
            break
        assert pause >= (wish or 0)
        elapsed += pause
        assert elapsed <= 60 or start < 0
    # A clock that runs behind the classifier's costs at most the tries of its lag.
    assert tries < BusSettings().max_tries or start < 0
    assert tries < 20


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:20 GMT"}, 20),
        ({"retry-after": "Mon, 23 Nov 2026 09:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
def test_reads_every_form_of_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """It runs on what you have: the provider's wish is read, and nonsense is not obeyed."""
    assert asked_wait_s(headers, NOW) == seconds


def test_a_huge_wish_means_the_local_lane_at_once() -> None:
    """Nothing is lost: nobody waits an hour for a cloud."""
    assert next_pause_s(0, 3600, 60) is None


def test_a_date_that_no_calendar_has_asks_for_nothing() -> None:
    """Nothing is lost: no answer's head can end the handler."""
    asked = {"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}
    assert asked_wait_s(asked, datetime(2026, 11, 23, tzinfo=UTC)) is None
