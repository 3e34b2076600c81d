"""How words are written: what the token classifier learns besides their small letters."""

import time

import pytest

from hybridmesh.agents.classifier.letter_case import KINDS, cases


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("water", 0), ("łódź", 0), ("don't", 0), ("2026", 0), ("—", 0), ("北京", 0),
        ("Water", 1), ("Łódź", 1), ("A", 1), ("Österreich", 1),
        ("WATER", 2), ("ÉCOLE", 2), ("UK", 2),
        ("McDonald", 3), ("iPhone", 3), ("eBay", 3),
    ],
)  # fmt: skip
def test_a_word_has_one_kind(word: str, kind: int) -> None:
    """Nothing private leaves, and clean text stays clean: "Lane" is told from "lane"."""
    assert cases(word, [(0, len(word))]).tolist() == [kind]
    assert kind < KINDS


def test_every_piece_of_a_word_has_the_kind_of_the_whole() -> None:
    """Nothing private leaves: the pieces of one name are read alike."""
    text = "see Thorvaldsen at NATO"
    assert cases(text, [(0, 3), (4, 8), (8, 15), (16, 18), (19, 21), (21, 23)]).tolist() == [0, 1, 1, 0, 2, 2]
    assert cases("", []).tolist() == []


@pytest.mark.parametrize("text", ["a" * 100_000, "é" * 99_999 + "A", "aA" * 50_000, "A" * 100_000])
def test_a_word_without_end_takes_linear_time(text: str) -> None:
    """Nothing private leaves: no word, however long, holds the detector up; this was quadratic once."""
    start = time.perf_counter()
    assert len(cases(text, [(0, 1)])) == 1
    assert time.perf_counter() - start < 2
