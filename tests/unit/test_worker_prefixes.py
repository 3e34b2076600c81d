"""What is kept of earlier prompts: the longest start that is shared, within its bound, system prompts last to go."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.onnx_prefixes import Ids, Kept, Prefixes

TOKEN_BYTES = 4


def ids(*parts: tuple[int, int]) -> Ids:
    """Return tokens: each number so many times."""
    return np.concatenate([np.full(times, number, np.int64) for number, times in parts])


def kept(tokens: Ids, *, family: bool = False) -> Kept:
    return Kept(tokens, np.zeros((1, 1, len(tokens), 1), np.float32), family)


def test_the_longest_shared_start_is_found() -> None:
    """It runs on what you have: as much as possible is not read again, and never the end that has to be."""
    prefixes = Prefixes(10_000)
    prefixes.keep(kept(ids((1, 40)), family=True))
    prefixes.keep(kept(ids((1, 40), (2, 30))))
    found = prefixes.find(ids((1, 40), (2, 20), (3, 9)))
    assert found is not None
    assert found[1] == 60
    same = prefixes.find(ids((1, 40), (2, 30)))
    assert same is not None
    assert same[1] == 68
    assert prefixes.find(ids((1, 10), (3, 90))) is None


def test_a_prompt_takes_the_place_of_what_it_continues() -> None:
    """It runs on what you have: one text asked about again and again is kept once."""
    prefixes = Prefixes(10_000)
    prefixes.keep(kept(ids((1, 40))))
    prefixes.keep(kept(ids((1, 40), (2, 40))))
    assert prefixes.used_bytes == 80 * TOKEN_BYTES
    assert not prefixes.wants(ids((1, 40), (2, 20)), 60 * TOKEN_BYTES)
    assert prefixes.wants(ids((1, 40), (3, 20)), 60 * TOKEN_BYTES)


def test_system_prompts_outlive_prompts() -> None:
    """It runs on what you have: many long prompts do not push out what all of them begin with."""
    prefixes = Prefixes(200 * TOKEN_BYTES)
    prefixes.keep(kept(ids((1, 40)), family=True))
    for number in range(2, 9):
        prefixes.keep(kept(ids((number, 90))))
    found = prefixes.find(ids((1, 40), (50, 50)))
    assert found is not None
    assert found[1] == 40
    prefixes.forget(None)
    assert prefixes.used_bytes == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(16, 50), st.booleans()), max_size=30))
def test_the_bound_holds(prompts: list[tuple[int, int, bool]]) -> None:
    """It runs on what you have: whatever is asked, no more is kept than was set aside, system prompts in half of it."""
    limit = 120 * TOKEN_BYTES
    prefixes = Prefixes(limit)
    for number, length, family in prompts:
        tokens = ids((number, length))
        if prefixes.wants(tokens, length * TOKEN_BYTES):
            prefixes.keep(kept(tokens, family=family))
        assert prefixes.used_bytes <= limit
    assert Prefixes(0).wants(ids((1, 40)), 40 * TOKEN_BYTES) is False


def test_each_engine_finds_its_own_in_the_shared_memory() -> None:
    """It runs on what you have: two models share one bound, and no token of one is taken for a word of the other."""
    prefixes = Prefixes(200 * TOKEN_BYTES)
    for owner in ("small", "large"):
        prefixes.keep(replace(kept(ids((1, 60))), owner=owner))
    assert prefixes.find(ids((1, 60), (2, 30)), "other") is None
    found = prefixes.find(ids((1, 60), (2, 30)), "small")
    assert found is not None
    assert found[0].owner == "small"
    assert not prefixes.wants(ids((1, 60)), 1, "large")
    prefixes.keep(replace(kept(ids((3, 90))), owner="large"))
    assert (prefixes.bytes_of("small"), prefixes.bytes_of("large")) == (60 * TOKEN_BYTES, 90 * TOKEN_BYTES)
    prefixes.forget("large")
    assert prefixes.used_bytes == 60 * TOKEN_BYTES
