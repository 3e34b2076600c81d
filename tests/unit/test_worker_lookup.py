"""Drafts by lookup: what stood in the text before, no more than was asked for, and less after bad ones."""

from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.onnx_lookup import LONGEST, Lookup

TEXT = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]


def test_it_finds_how_the_text_went_on() -> None:
    """It runs on what you have: a copy is foreseen from its first tokens."""
    lookup = Lookup([*TEXT, 99, 2, 3])
    assert lookup.draft(3) == [4, 5, 6]
    assert lookup.draft(0) == []


def test_the_longest_run_counts() -> None:
    """It runs on what you have: three tokens in common say more than the latest one."""
    lookup = Lookup([1, 2, 3, 40, 9, 3, 50, 1, 2, 3])
    assert lookup.draft(1) == [40]
    assert Lookup([5, 6, 7]).draft(4) == []


def test_forced_tokens_come_first() -> None:
    """It runs on what you have: what a guide forces is not guessed at, and the lookup goes on behind it."""
    lookup = Lookup([*TEXT, 99])
    assert lookup.draft(4, [3, 4]) == [3, 4, 5, 6]
    assert lookup.draft(1, [3, 4]) == [3]


def test_good_drafts_grow_and_bad_ones_shrink() -> None:
    """It runs on what you have: a text that copies nothing wastes little."""
    lookup = Lookup([*TEXT, 99, 2, 3, 4])
    size = len(lookup.draft(LONGEST))
    lookup.judge(size, size)
    assert len(lookup.draft(LONGEST)) > size
    lookup.judge(size, 0)
    assert len(lookup.draft(LONGEST)) < size
    assert lookup.draft(LONGEST, [7])[:1] == [7]


def test_one_token_in_common_says_little() -> None:
    """It runs on what you have: the draft is the longer, the more of the text agrees."""
    drafts = [Lookup([*TEXT, 99, *tail]) for tail in ([4], [3, 4], [2, 3, 4])]
    for lookup in drafts:
        lookup.judge(4, 4)
    lengths = [len(lookup.draft(LONGEST)) for lookup in drafts]
    assert lengths == sorted(set(lengths))


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(0, LONGEST))
def test_a_draft_is_a_piece_of_the_text(tokens: list[int], most: int) -> None:
    """Nothing is hidden: a draft stands in the text just so, behind what the text ends with."""
    draft = Lookup(tokens).draft(most)
    assert len(draft) <= most
    if draft:
        run = [tokens[-1], *draft]
        assert any(tokens[at : at + len(run)] == run for at in range(len(tokens)))
