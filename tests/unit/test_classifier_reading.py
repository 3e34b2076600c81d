"""Nothing private leaves: how text is read for detection, and how findings become disjoint spans of the original."""

import time
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.classifier.labels import label_in_doubt, label_of
from hybridmesh.agents.classifier.normalise import normalise
from hybridmesh.agents.classifier.phrases import fold, is_same
from hybridmesh.agents.classifier.places import join_places
from hybridmesh.agents.classifier.recognizers.scripts import is_unreadable
from hybridmesh.agents.classifier.repeats import find_repeats, name_parts
from hybridmesh.agents.classifier.spans import count, resolve, subtract
from hybridmesh.agents.classifier.tags import Tag, kept, spans_of
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.schemas.privacy import Findings, Sensitivity, Span


def span(start: int, end: int, kind: str = "PERSON", source: str = "model", score: float = 0.9) -> Span:
    return Span(start=start, end=end, type=kind, score=score, source=source)


def span_of(text: str, value: str, kind: str = "PERSON") -> Span:
    return span(text.index(value), text.index(value) + len(value), kind)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("in S?o Paulo, bei Frau M\ufffdller", "in Sao Paulo, bei Frau Maller"),
        ("(?lvarez) M?LLER", "(alvarez) MALLER"),
        ("ok?Peter, was? a.php?id=3 b?c=d", "ok?Peter, was? a.php?id=3 b?c=d"),
    ],
)
def test_a_letter_that_an_encoding_lost_hides_no_name(text: str, read: str) -> None:
    """Nothing private leaves: old exports have a question mark for an accent; a question stays one."""
    assert normalise(text).text == read


def test_a_long_run_of_lost_letters_is_read_at_once() -> None:
    """Nothing private leaves: hostile text costs no more time than its length."""
    began = time.monotonic()
    for text in ("?" * 200_000, "a?" * 100_000 + "=", "?a" * 100_000 + "A"):
        assert len(normalise(text).text) == len(text)
    assert time.monotonic() - began < 2.0


def test_invisible_characters_and_width_do_not_hide_a_value() -> None:
    """Nothing private leaves: zero-width and full-width characters are read through, and cut with the value."""
    text = "x j\u200bo@ex\u00adample.org ４１１１"
    view = normalise(text)
    assert view.text == "x jo@example.org 4111"
    found = view.below(span(2, 16))
    assert text[found.start : found.end] == "j\u200bo@ex\u00adample.org"


@given(st.text(st.characters()))
def test_normalised_offsets_cover_the_original_in_order(text: str) -> None:
    """Nothing private leaves: each character read stands for a stretch of the original, never outside of it."""
    view = normalise(text)
    view.text.encode()
    places = [view.below(span(index, index + 1)) for index in range(len(view.text))]
    assert all(0 <= place.start < place.end <= len(text) for place in places)
    assert [place.start for place in places] == sorted(place.start for place in places)


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 12), st.sampled_from(["A", "B"])).map(
        lambda case: span(case[0], case[0] + case[1], case[2])
    )
)


@given(SPANS)
def test_resolved_spans_are_disjoint_and_cover_the_same(spans: list[Span]) -> None:
    """Nothing private leaves: resolving overlaps uncovers no character."""
    resolved = resolve(spans)
    assert all(left.end <= right.start for left, right in pairwise(resolved))
    assert {index for found in resolved for index in range(found.start, found.end)} == {
        index for found in spans for index in range(found.start, found.end)
    }


def test_check_digits_give_the_type() -> None:
    """Nothing is hidden: a card inside of a longer guess is counted as a card."""
    resolved = resolve([span(0, 30, "PHONE"), span(5, 21, "CARD", source="checksum", score=1.0)])
    assert [(found.start, found.end, found.type) for found in resolved] == [(0, 30, "CARD")]


def test_a_secret_stays_a_secret() -> None:
    """Nothing private leaves: a password that also looks like a tax number keeps its text at home."""
    resolved = resolve([span(0, 20, "TAX_ID", score=0.99), span(0, 19, "SECRET", score=0.9)])
    assert [(found.start, found.end, found.type) for found in resolved] == [(0, 20, "SECRET")]


def test_subtracting_leaves_what_stands_outside() -> None:
    """Nothing private leaves: a value beside a surrogate is still a finding."""
    text = "Dear [PERSON_7Q2M] Smith, hi"
    rests = subtract([span(5, 24)], [(5, 18)], text)
    assert [text[rest.start : rest.end] for rest in rests] == ["Smith"]
    assert subtract([span(5, 19)], [(5, 18)], text) == []


def test_values_are_counted_once() -> None:
    """Nothing is hidden: counts are of different values, by type."""
    text = "Ada met Ada and Bo"
    assert count([text], [[span(0, 3), span(8, 11), span(16, 18, "TERM")]]).counts == {"PERSON": 1, "TERM": 1}


def test_a_found_value_is_found_everywhere_and_by_its_parts() -> None:
    """Nothing private leaves: after "John Smith", "Smith" and JOHN SMITH elsewhere are private, "smithy" is not."""
    texts = ["I am John Smith.", "Smith called; ask JOHN SMITH, not the smithy or a smith"]
    repeats = find_repeats(texts, [[span_of(texts[0], "John Smith")], []], {})
    found = {texts[1][hit.start : hit.end] for hit in repeats[1]}
    assert found == {"Smith", "JOHN SMITH", "JOHN", "SMITH"}
    assert {hit.type for hit in repeats[1]} == {"PERSON"}


def test_the_name_of_an_account_is_found_without_its_domain() -> None:
    """Nothing private leaves: who writes from jwinter84@example.org is jwinter84 elsewhere; "info" is a word."""
    text = "Write to jwinter84@example.org or info@example.org. For info: jwinter84 is away, xjwinter84 is not."
    found = [span_of(text, "jwinter84@example.org", "EMAIL"), span_of(text, "info@example.org", "EMAIL")]
    (repeats,) = find_repeats([text], [found], {})
    alone = [hit for hit in repeats if hit.type == "USERNAME" and hit.start > text.index("For")]
    assert [text[hit.start : hit.end] for hit in alone] == ["jwinter84"]
    assert not [hit for hit in repeats if text[hit.start : hit.end] == "info"]


def test_known_originals_are_found_again() -> None:
    """Nothing private leaves: what an earlier step of the task found is private in each later one."""
    repeats = find_repeats(["the code is tulip-9 today"], [[]], {"tulip-9": "SECRET"})
    assert [hit.type for hit in repeats[0]] == ["SECRET"]


def test_a_name_that_is_a_word_needs_its_capital() -> None:
    """Nothing is lost: after a person called Will, "will" stays a verb."""
    assert is_same("Will", "Will")
    assert is_same("Will", "WILL")
    assert not is_same("Will", "will")
    assert is_same("Will Smith", "will smith")
    assert name_parts("Ana-Maria de la Cruz") == {"Ana-Maria", "Cruz"}
    assert name_parts("Prince") == set()


@given(st.text(st.characters()))
def test_folding_keeps_every_place(text: str) -> None:
    """Nothing private leaves: offsets of folded text are offsets of the text."""
    assert len(fold(text)) == len(text)


def tags(text: str, *labelled: tuple[str, str]) -> list[Tag]:
    return [
        Tag(text.index(piece), text.index(piece) + len(piece), label, 0.9, begins=True) for piece, label in labelled
    ]


def test_parts_of_a_name_and_of_an_address_become_one_value() -> None:
    """Nothing private leaves: tokens are joined by kind and grown to whole words."""
    text = "John Smith, 12 Baker Street, London; Berlin"
    found = list(
        spans_of(
            text,
            tags(
                text, ("John", "GIVEN_NAME"), ("Smi", "SURNAME"), ("12", "BUILDING_NUMBER"), ("Baker", "STREET_NAME"),
                ("Street", "STREET_NAME"), ("London", "CITY"), ("Berlin", "CITY"),
            ),
        )
    )  # fmt: skip
    assert [(hit.type, text[hit.start : hit.end]) for hit in found] == [
        ("PERSON", "John Smith"),
        ("ADDRESS", "12 Baker Street, London"),
        ("LOCATION", "Berlin"),
    ]


def test_references_and_quantities_are_not_ids() -> None:
    """Nothing is lost: an order number that was read as a house number or a licence stays."""
    for text, piece, label in [
        ("Bestellung 4711 kam", "4711", "BUILDING_NUMBER"),
        ("ticket JOB-55102 open", "55102", "ZIP_CODE"),
        ("since 2004 here", "2004", "ZIP_CODE"),
        ("for 120 days", "120", "DRIVERS_LICENSE"),
        ("ring me soon", "me", "URL"),
    ]:
        assert list(spans_of(text, tags(text, (piece, label)))) == []


def weighed(text: str, *labelled: tuple[str, float]) -> list[Tag]:
    return [
        Tag(text.index(piece), text.index(piece) + len(piece), "GIVEN_NAME", score, begins=True)
        for piece, score in labelled
    ]


def test_a_single_word_in_lower_case_is_a_name_only_when_sure_or_called() -> None:
    """Nothing is lost: a word is a word until something says that somebody is called by it."""
    text = "praise for the team"
    assert list(spans_of(text, weighed(text, ("praise", 0.8)))) == []
    assert len(list(spans_of(text, weighed(text, ("praise", 0.95))))) == 1
    text = "hi emma, i am late"
    assert [text[hit.start : hit.end] for hit in spans_of(text, weighed(text, ("emma", 0.5)))] == ["emma"]
    text = "const john_doe = 1"
    assert list(spans_of(text, weighed(text, ("john", 0.8), ("doe", 0.8)))) == []


def test_the_weaker_part_of_a_name_is_kept_beside_the_surer_one() -> None:
    """Nothing private leaves: a family name that nobody knows is private beside its given name, a verb is not."""
    text = "Pirjo Madetoja wrote Berlin"
    tags = weighed(text, ("Pirjo", 0.9), ("Madetoja", 0.1), ("wrote", 0.1), ("Berlin", 0.1))
    assert [text[tag.start : tag.end] for tag in kept(text, tags, Thresholds(0.3))] == ["Pirjo", "Madetoja"]
    assert kept(text, tags[1:], Thresholds(0.3)) == []
    assert kept("", [], Thresholds(0.3)) == []


def test_small_letters_ask_for_more_where_there_are_capitals() -> None:
    """Clean text stays clean: the model's vocabulary has no capitals, so the text's own are looked at."""
    tags = [Tag(0, 5, "GIVEN_NAME", 0.5, begins=True), Tag(6, 13, "SURNAME", 0.5, begins=False)]
    assert kept("enrico shouted", tags, Thresholds(0.3)) == tags
    assert kept("Enric shouted", tags, Thresholds(0.3)) == tags[:1]
    sure = [replace(tag, score=0.96) for tag in tags]
    assert kept("Enric shouted", sure, Thresholds(0.3)) == sure


def test_thresholds_are_by_type() -> None:
    """Nothing private leaves: each type has the threshold that is its own, any other the default."""
    thresholds = Thresholds(0.5, {"PERSON": 0.2})
    assert (thresholds.of("PERSON"), thresholds.of("ADDRESS"), thresholds.least) == (0.2, 0.5, 0.05)
    text = "Ada, Baker"
    tags = [Tag(0, 3, "SURNAME", 0.3, begins=True), Tag(5, 10, "STREET_NAME", 0.3, begins=True)]
    assert kept(text, tags, thresholds) == tags[:1]


def test_an_address_is_joined_over_units_and_grown_over_numbers() -> None:
    """Nothing private leaves: no unit or postcode of an address is left behind."""
    text = "at 12 74 Main Street Suite 680, Springfield 36903 since 2019"
    joined = join_places(text, [span_of(text, "74 Main Street", "ADDRESS"), span_of(text, "Springfield", "LOCATION")])
    assert [(hit.type, text[hit.start : hit.end]) for hit in joined] == [
        ("ADDRESS", "12 74 Main Street Suite 680, Springfield 36903")
    ]


@pytest.mark.parametrize(
    ("text", "first", "whole"),
    [
        ("at the corner of Kuu Road and Gro 80, then", "Kuu Road", "the corner of Kuu Road and Gro 80"),
        ("Treffpunkt Ecke Goethestraße und Lange Gasse, ja?", "Goethestraße", "Ecke Goethestraße und Lange Gasse"),
        ("the corner of Elm Street is dark", "Elm Street", "the corner of Elm Street"),
        ("Elm Street and Oak Lane are shut", "Elm Street", "Elm Street"),
    ],
)  # fmt: skip
def test_a_corner_is_one_place_with_both_its_streets(text: str, first: str, whole: str) -> None:
    """Nothing private leaves: a corner says where somebody is, and its second street may have been missed."""
    (place,) = join_places(text, [span_of(text, first, "ADDRESS")])
    assert (place.type, text[place.start : place.end]) == ("ADDRESS", whole)


def test_a_corner_of_streets_that_were_both_found_is_one_span() -> None:
    """Nothing private leaves: nor is a street that is called after somebody left apart."""
    text = "the corner of Minik Courts and Elisabeth Parks"
    spans = [span_of(text, "Minik Courts", "ADDRESS"), span_of(text, "Elisabeth Parks", "PERSON")]
    assert [text[place.start : place.end] for place in join_places(text, spans)] == [text]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Number 411111111111111 is too short.", False),
        ("Please debit my account 411111111111111.", True),
        ("Bitte auf Konto 4111111111 zahlen", True),
        ("Legacy value 123456789 appears.", True),
    ],
)
def test_a_long_number_is_an_account_where_the_text_says_so(text: str, found: bool) -> None:
    """Nothing private leaves, and clean text stays clean: the model takes any long number for an account."""
    number = max(text.split(), key=lambda word: sum(map(str.isdigit, word))).strip(".")
    start = text.index(number)
    tags = [Tag(start, start + len(number), "BANK_ACCOUNT", 0.99, begins=True)]
    assert bool(list(spans_of(text, tags))) is found


def test_a_month_is_a_name_only_where_the_model_is_sure_and_a_date_is_no_address() -> None:
    """Nothing is lost: dates stay readable, and somebody called May is found where the text says so."""
    text = "Coldwater Mill, 5 November 2026. May called."
    address = [Tag(0, 9, "STREET_NAME", 0.9, begins=True), Tag(10, 14, "STREET_NAME", 0.9, begins=False)]
    day = Tag(16, 17, "BUILDING_NUMBER", 0.6, begins=False)
    (place,) = spans_of(text, [*address, day])
    assert text[place.start : place.end] == "Coldwater Mill"
    may = text.index("May")
    for score, found in ((0.2, False), (0.9, True)):
        assert bool(list(spans_of(text, [Tag(may, may + 3, "GIVEN_NAME", score, begins=True)]))) is found


def test_a_postcode_before_a_town_makes_an_address_of_it() -> None:
    """Nothing private leaves: five digits before a town are where somebody lives; four may be a year."""
    for text, found in (("10115 Berlin", "10115 Berlin"), ("in 2026 Berlin", "Berlin"), ("1.10115 Berlin", "Berlin")):
        (place,) = join_places(text, [span_of(text, "Berlin", "LOCATION")])
        assert text[place.start : place.end] == found


def test_a_text_in_another_script_is_in_doubt() -> None:
    """Nothing private leaves: what nobody here can read does not go out."""
    assert is_unreadable("Меня зовут Иван Петров, я живу в Москве на улице Ленина, дом пять. " * 3)
    assert not is_unreadable("The customer Иван Петров called about his order, " * 3)


def test_labels_never_fall_below_the_floor() -> None:
    """Nothing private leaves: a step is at least as private as its inputs, and a doubt is the highest."""
    assert label_of(Findings(), Sensitivity.PUBLIC) is Sensitivity.PUBLIC
    assert label_of(Findings(), Sensitivity.PERSONAL) is Sensitivity.PERSONAL
    assert label_of(Findings(counts={"TERM": 2}), Sensitivity.PUBLIC) is Sensitivity.INTERNAL
    assert label_of(Findings(counts={"PERSON": 1, "TERM": 1}), Sensitivity.PUBLIC) is Sensitivity.PERSONAL
    assert label_of(Findings(counts={"SECRET": 1}), Sensitivity.PUBLIC) is Sensitivity.SECRET
    assert label_in_doubt(Sensitivity.PUBLIC) is Sensitivity.SECRET


@pytest.mark.parametrize(
    ("text", "value", "kind", "found"),
    [
        ("La maladie de Crohn et le syndrome de Raynaud", "Crohn", "PERSON", False),
        ("La maladie de Crohn et le syndrome de Raynaud", "Raynaud", "PERSON", False),
        ("Morbus Parkinson und Alzheimer sind häufig", "Morbus Parkinson und Alzheimer", "PERSON", False),
        ("She has Parkinson's disease", "Parkinson", "PERSON", False),
        ("La maladie de Marie", "Marie", "PERSON", True),
        ("Mr Wilson has Parkinson's disease", "Wilson", "PERSON", True),
        ("M. Gilbert est atteint de la maladie de Crohn", "Gilbert", "PERSON", True),
        ("Frau Hashimoto hat Morbus Basedow", "Hashimoto", "PERSON", True),
        ("NAME: RAM", "RAM", "PERSON", True),
        ("Ask Mr Parkinson about the invoice", "Parkinson", "PERSON", True),
        ("dosaggio del TSH, FT3", "TSH, FT3", "ORGANISATION", False),
        ("Call Ram today", "Ram", "PERSON", True),
    ],
)
def test_illnesses_and_acronyms_are_nobody(text: str, value: str, kind: str, found: bool) -> None:
    """Clean text stays clean: Crohn's illness names no Crohn, but that of Marie names Marie."""
    label = {"PERSON": "SURNAME"}.get(kind, kind)
    tag = Tag(text.index(value), text.index(value) + len(value), label, 0.99, begins=True)
    assert bool(list(spans_of(text, [tag]))) is found
