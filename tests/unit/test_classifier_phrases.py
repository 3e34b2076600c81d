"""Nothing private leaves: phrases, and the organisation's own terms, are found however they are written."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.classifier.phrases import PhraseIndex
from hybridmesh.agents.classifier.terms import TermRecognizer


def test_phrases_are_found_at_borders_and_overlapping() -> None:
    """Nothing private leaves: a phrase in brackets or before a sign is found, a part of a word is not."""
    index = PhraseIndex(["+49 30 901820", "New York", "York"])
    text = "(+49 30 901820) new york, Yorkshire"
    assert sorted(text[start:end] for start, end, _ in index.find(text)) == ["+49 30 901820", "new york", "york"]


@pytest.mark.parametrize(
    "written",
    [
        "Projekt Falke",
        "Projekt\nFalke",
        "Projekt  Falke",
        "projekt\tfalke",
        "Projekt\r\n> Falke",
        "Projekt \n>> > Falke",
    ],
)
def test_a_phrase_is_itself_across_a_line_break(written: str) -> None:
    """Nothing private leaves: how a term is broken into lines, quoted or spaced changes nothing."""
    text = f"All  of\n> it: {written}.\nAnd\r\n{written}"
    found = PhraseIndex(["Projekt Falke"]).find(text)
    assert [(text[start:end], phrase) for start, end, phrase in found] == [(written, "Projekt Falke")] * 2
    assert list(PhraseIndex([written]).find("a Projekt Falke")) == [(2, 15, written)]


@pytest.mark.parametrize(
    "text", ["Projekt\n\nFalke", "Projekt > Falke", "Projekt-Falke", "ProjektFalke", "Projekt\n-Falke"]
)
def test_a_phrase_ends_at_a_paragraph(text: str) -> None:
    """Nothing is lost: two paragraphs, or words with a sign between, are no phrase."""
    assert list(PhraseIndex(["Projekt Falke"]).find(text)) == []


PHRASES = st.lists(st.text("ab -", min_size=1, max_size=6), max_size=8)


@given(PHRASES, PHRASES, PHRASES, st.text("abA -.\n>", max_size=30))
def test_a_changed_index_is_the_index_of_what_it_holds(
    first: list[str], added: list[str], removed: list[str], text: str
) -> None:
    """Mistakes are not repeated: after any change the terms that are there are found, and no others."""
    index = PhraseIndex(first)
    before = sorted(index.find(text))
    changed = index.changed(added, removed)
    expected = PhraseIndex((set(first) - set(removed)) | set(added))
    assert sorted(changed.find(text)) == sorted(expected.find(text))
    assert sorted(index.find(text)) == before


def test_phrases_that_begin_alike_cost_no_more() -> None:
    """Nothing is lost: ten thousand projects are looked for as fast as one."""
    index = PhraseIndex([f"Project {number:05x}" for number in range(20_000)])
    start = time.monotonic()
    assert len(list(index.find("project 00abc, " * 2000))) == 2000
    assert time.monotonic() - start < 5
    index = index.changed([f"Project {number:05x}" for number in range(20_000, 20_100)], ["Project 00abc"])
    assert list(index.find("project 00abc and project 04e21")) == [(18, 31, "Project 04e21")]


@given(st.lists(st.tuples(st.sampled_from(["g", "h"]), st.lists(st.sampled_from(["Falke", "X-17", "falke", " "])))))
def test_terms_are_those_of_all_groups(changes: list[tuple[str, list[str]]]) -> None:
    """Nothing private leaves: a term that is in two groups stays while it is in one."""
    terms = TermRecognizer(["Seed"])
    groups: dict[str, list[str]] = {}
    for name, group in changes:
        terms.change({name: group})
        groups[name] = group
    text = "seed FALKE x-17"
    left = {term.lower() for group in groups.values() for term in group if term.strip()} | {"seed"}
    assert {text[span.start : span.end].lower() for span in terms.find(text)} == left
