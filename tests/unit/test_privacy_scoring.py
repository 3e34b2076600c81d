"""Nothing is hidden: the figures of the privacy benchmark mean what their definitions say."""

import json
from pathlib import Path

import pytest

from bench.privacy.datasets import Corpus, Labelled, read_corpora
from bench.privacy.scoring import score, unasked, uncovered

TEXT = "Dr. Ada Lovelace, 36, of London wrote on 1 May."
ADA, AGE, LONDON, DATE = (4, 16, "PERSON"), (18, 20, "AGE"), (25, 31, "LOCATION"), (41, 46, "DATE")
LABELLED = Labelled(TEXT, (ADA, AGE, LONDON, DATE))


def test_a_span_with_an_uncovered_letter_leaks() -> None:
    """Nothing is hidden: half a name counts for recall and leaks all the same; punctuation is nobody's."""
    found = [(4, 11, "ORGANISATION"), (25, 32, "LOCATION")]
    result = score(Corpus("x", (LABELLED,)), [found])
    assert (result.gold, result.leak, result.precision, result.recall) == (2, 0.5, 1.0, 1.0)
    assert result.covered == {"LOCATION": (1.0, 1), "PERSON": (0.0, 1)}
    assert list(uncovered(LABELLED, found)) == [ADA]


def test_ignored_labels_count_on_neither_side() -> None:
    """Nothing is hidden: an age found as a number is not judged, a found word is wrong, a found date is left out."""
    found = [(18, 20, "NATIONAL_ID"), (32, 37, "PERSON"), DATE]
    result = score(Corpus("x", (LABELLED,)), [found])
    assert (result.precision, result.leak) == (0.0, 1.0)
    assert list(unasked(LABELLED, found)) == [(32, 37, "PERSON")]


def test_where_only_names_are_labelled_only_names_count() -> None:
    """Nothing is hidden: a found number is no fault where nobody has labelled numbers."""
    found = [(18, 20, "NATIONAL_ID"), ADA]
    assert score(Corpus("x", (LABELLED,), names=True), [found]).precision == 1.0


def test_texts_without_labels_are_clean() -> None:
    """Nothing is hidden: the share of clean texts that were touched is of those without any label."""
    clean = Labelled("nothing here", ())
    result = score(Corpus("x", (clean, clean, LABELLED)), [[(0, 7, "PERSON")], [], []])
    assert (result.clean, result.touched) == (2, 0.5)
    assert score(Corpus("x", (LABELLED,)), [[]]).touched is None
    assert result.f2 == pytest.approx(0.0)


def test_corpora_are_told_by_their_form(tmp_path: Path) -> None:
    """Nothing is hidden: the three forms of labelled texts are read alike."""
    spans = [{"entity_type": "GPE", "start_position": 0, "end_position": 4}]
    (tmp_path / "synth_a.json").write_text(json.dumps([{"full_text": "Rome", "spans": spans}]))
    (tmp_path / "dog_a.json").write_text(
        json.dumps([{"input": "Ada", "expected_entities": [{"type": "PERSON", "start": 0, "end": 3}]}])
    )
    (tmp_path / "dog_b.jsonl").write_text('{"text": "Ada", "spans": []}\n')
    (tmp_path / "news.conll").write_text("Ada\tB-person\nLovelace\tI-person\nhere\tO\n\nBaku\tB-location\n")
    found = {corpus.name: corpus for corpus in read_corpora(tmp_path)}
    assert found["synth"].texts == (Labelled("Rome", ((0, 4, "LOCATION"),)),)
    assert [row.gold for row in found["dog"].texts] == [((0, 3, "PERSON"),), ()]
    assert found["news"].texts[0] == Labelled("Ada Lovelace here", ((0, 12, "PERSON"),))
    assert found["news"].names
