"""Rows and turns of the decoding loop: who lies where, and what moves when somebody leaves."""

import random
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.onnx_schedule import Move, Schedule


def make(rows: int, batch: Iterable[str] = (), alone: Iterable[str] = ()) -> Schedule[str]:
    """Return a schedule where these write; names in capitals write alone."""
    schedule: Schedule[str] = Schedule(rows, str.isupper)
    for name in (*batch, *alone):
        schedule.add(name)
        assert schedule.begin() == name
        schedule.promote()
    return schedule


def test_first_come_first_served() -> None:
    """Nothing is lost: who waits is taken up in order, one prompt at a time."""
    schedule = make(2)
    for name in "abc":
        schedule.add(name)
    assert [schedule.begin(), schedule.begin()] == ["a", "a"]
    schedule.promote()
    assert (schedule.begin(), schedule.reading_row) == ("b", 1)
    schedule.promote()
    assert schedule.begin() is None
    schedule.remove("a")
    assert (schedule.begin(), schedule.reading_row) == ("c", 1)
    assert list(schedule) == ["b", "c"]


def test_the_batch_has_no_gap() -> None:
    """Nothing private leaves: the last of the batch takes the free row, and what is being read moves up with it."""
    schedule = make(5, "abc")
    schedule.add("d")
    schedule.begin()
    assert schedule.remove("a") == [Move("c", 2, 0), Move("d", 3, 2)]
    assert (schedule.batch, schedule.reading_row) == (["c", "b"], 2)
    assert schedule.remove("b") == [Move("d", 2, 1)]
    assert schedule.remove("d") == []
    assert schedule.remove("c") == []


def test_who_writes_alone_stays_where_he_is() -> None:
    """Nothing private leaves: rows at the other end do not move when the batch does."""
    schedule = make(4, "ab", "XY")
    assert schedule.alone == {"X": 3, "Y": 2}
    schedule.add("c")
    assert schedule.begin() is None
    assert schedule.remove("a") == [Move("b", 1, 0)]
    assert (schedule.begin(), schedule.reading_row) == ("c", 1)
    schedule.promote()
    assert schedule.remove("X") == []
    schedule.add("Z")
    assert (schedule.begin(), schedule.reading_row) == ("Z", 3)


@given(st.integers(1, 5), st.integers(0, 2**32))
def test_no_two_share_a_row(rows: int, seed: int) -> None:
    """Nothing private leaves: whatever comes and goes, each row is one job's, and holds what that job put there."""
    chance = random.Random(seed)
    schedule: Schedule[str] = Schedule(rows, str.isupper)
    held: dict[int, str] = {}
    for number in range(60):
        here = list(schedule)
        if not here or chance.random() < 0.5:
            schedule.add(f"{chance.choice('xX')}{number}")
        elif chance.random() < 0.5:
            leaving = chance.choice(here)
            for move in schedule.remove(leaving):
                assert held[move.source] == move.job
                held[move.target] = move.job
        if schedule.begin() is not None:
            held[schedule.reading_row] = schedule.reading or ""
            if chance.random() < 0.5:
                schedule.promote()
        places = {**dict(enumerate(schedule.batch)), **{row: job for job, row in schedule.alone.items()}}
        if schedule.reading is not None:
            assert schedule.reading_row not in places
            places[schedule.reading_row] = schedule.reading
        assert len(places) == len(schedule.batch) + len(schedule.alone) + (schedule.reading is not None)
        assert all(0 <= row < rows and held[row] == job for row, job in places.items())


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=12))
def test_everybody_gets_a_turn(rows: int, kinds: list[bool]) -> None:
    """Nothing is lost: nobody waits for ever, whatever stands before him."""
    schedule: Schedule[str] = Schedule(rows, str.isupper)
    for number, alone in enumerate(kinds):
        schedule.add(f"{'X' if alone else 'x'}{number}")
    served: list[str] = []
    while here := list(schedule):
        while (job := schedule.begin()) is not None:
            served.append(job)
            schedule.promote()
        schedule.remove(here[0])
    assert [int(job[1:]) for job in served] == list(range(len(kinds)))
