"""Where a name or an address begins and ends: labels, lists, initials, small words, units and trades beside it."""

import pytest

from hybridmesh.agents.classifier.everyday import without_everyday
from hybridmesh.agents.classifier.name_links import join_names
from hybridmesh.agents.classifier.places import join_places
from hybridmesh.agents.classifier.tags import Tag, spans_of
from hybridmesh.schemas.privacy import Span


def tags(text: str, *labelled: tuple[str, str]) -> list[Tag]:
    found: list[Tag] = []
    at = 0
    for word, label in labelled:
        at = text.index(word, at)
        found.append(Tag(at, at + len(word), label, 0.99, begins=not found))
        at += len(word)
    return found


def span(text: str, value: str, kind: str, score: float = 0.9, source: str = "model") -> Span:
    return Span(start=text.index(value), end=text.index(value) + len(value), type=kind, score=score, source=source)


def said(text: str, spans: list[Span]) -> list[str]:
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    ("text", "labelled", "expected"),
    [
        ("70122 Bari\nPartita IVA: 00", [("Bari", "CITY"), ("Partita", "CITY"), ("IVA", "CITY")], ["Bari"]),
        ("Hamilton\nVAT Reg No: 1", [("Hamilton", "CITY"), ("VAT", "CITY")], ["Hamilton"]),
        ("92400 Courbevoie\nPortable : 07", [("Courbevoie", "CITY"), ("Portable", "CITY")], ["Courbevoie"]),
        ("BIC Elena Berg", [("BIC", "GIVEN_NAME"), ("Elena", "GIVEN_NAME"), ("Berg", "SURNAME")], ["Elena Berg"]),
        ("LG Kathi", [("LG", "GIVEN_NAME"), ("Kathi", "GIVEN_NAME")], ["Kathi"]),
        ("Iva D. Grusová", [("Iva", "GIVEN_NAME"), ("D", "SURNAME"), ("Grusová", "SURNAME")], ["Iva D. Grusová"]),
        ("Helm. PostgreSQL", [("Helm", "GIVEN_NAME"), (".", "SURNAME"), ("PostgreSQL", "SURNAME")], ["Helm."]),
        ("J. Berg und St. John", [("J", "GIVEN_NAME"), ("Berg", "SURNAME"), ("St", "SURNAME"), ("John", "SURNAME")],
         ["J. Berg", "St. John"]),
        ("Köln\n- Bonn", [("Köln", "CITY"), ("Bonn", "CITY")], ["Köln", "Bonn"]),
        ("Holz e.K.\nz. Hd.", [("Holz", "ORGANISATION"), ("e.K", "ORGANISATION"), ("z", "ORGANISATION")],
         ["Holz e.K"]),
        ("Helm. PostgreSQL lief", [("PostgreSQL", "SURNAME")], []),
        ("C) Celle D) Neptun", [("Celle", "CITY"), ("D", "CITY")], ["Celle"]),
    ],
)  # fmt: skip
def test_a_label_a_list_and_a_full_stop_end_a_name(
    text: str, labelled: list[tuple[str, str]], expected: list[str]
) -> None:
    """Clean text stays clean: the word that names the next value, and the next item, are none of this one's."""
    assert said(text, list(spans_of(text, tags(text, *labelled)))) == expected


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("mit Jürgen Frhr. v. Stetten", [("Jürgen", "PERSON"), ("Stetten", "PERSON")], ["Jürgen Frhr. v. Stetten"]),
        ("dhr. 't Hart is er", [("Hart", "PERSON")], ["'t Hart"]),
        ("Berkel, Joost van den\n", [("Berkel", "PERSON"), ("Joost", "PERSON")], ["Berkel", "Joost van den"]),
        ("es de Joan Bosch i Vila y no mía", [("Joan Bosch", "PERSON"), ("Vila", "PERSON")], ["Joan Bosch i Vila"]),
        ("to są Jan Bosch i Ewa w domu", [("Jan Bosch", "PERSON"), ("Ewa", "PERSON")], ["Jan Bosch", "Ewa"]),
        ("at Larchmont Surgery", [("Larchmont", "LOCATION")], ["Larchmont Surgery"]),
        ("Kanzlei Bohl & Partner", [("Kanzlei Bohl", "ORGANISATION")], ["Kanzlei Bohl & Partner"]),
        ("Anna and Partner Bob", [("Anna", "PERSON"), ("Bob", "PERSON")], ["Anna and Partner", "Bob"]),
        ("line one\nVera", [("Vera", "PERSON")], ["Vera"]),
    ],
)
def test_small_words_and_trades_are_part_of_a_name(
    text: str, pieces: list[tuple[str, str]], expected: list[str]
) -> None:
    """Nothing private leaves: half a name is covered as a whole."""
    assert said(text, join_names(text, [span(text, value, kind) for value, kind in pieces])) == expected


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("in Obere Gasse 3 a, Ulm", [("Obere Gasse 3", "ADDRESS")], ["Obere Gasse 3 a"]),
        ("en calle olivos 45 bajo en", [("calle olivos 45", "ADDRESS")], ["calle olivos 45 bajo"]),
        ("a 12 rue Bleue a lieu", [("12 rue Bleue", "ADDRESS")], ["12 rue Bleue"]),
        ("chez moi, appt 12, 3e étage, 18 cours Vitton", [("18 cours Vitton", "ADDRESS")],
         ["appt 12, 3e étage, 18 cours Vitton"]),
        ("a interno 7, Vicolo Stretto 3", [("7, Vicolo Stretto 3", "ADDRESS")], ["interno 7, Vicolo Stretto 3"]),
        ("70122 Bari (BA) Italia", [("70122 Bari", "ADDRESS"), ("BA", "ORGANISATION")], ["70122 Bari (BA"]),
        ("Anna (BA) war da", [("Anna", "PERSON"), ("BA", "ORGANISATION")], ["Anna", "BA"]),
    ],
)  # fmt: skip
def test_units_letters_and_provinces_are_part_of_an_address(
    text: str, pieces: list[tuple[str, str]], expected: list[str]
) -> None:
    """Nothing private leaves: the flat, the letter of the house, the province behind the town."""
    assert said(text, join_places(text, [span(text, value, kind) for value, kind in pieces])) == expected


@pytest.mark.parametrize(
    ("text", "value", "kind", "score", "expected"),
    [
        ("ciao abito a sesto fiorentino e non ci sono", "sesto fiorentino", "LOCATION", 1.0, ["sesto fiorentino"]),
        ("Salut, tu vas bien ? jean-baptiste est là", "jean-baptiste", "PERSON", 1.0, ["jean-baptiste"]),
        ("also marek wohnt in der stadt und ich auch", "marek wohnt", "PERSON", 1.0, ["marek"]),
        ("FEHLER beim Warten auf die Sperre (Versuch 3/5)", "Versuch 3/5", "ADDRESS", 0.8, []),
        ("ERREUR planificateur.py:118 Délai de la requête", "118 Délai", "ADDRESS", 0.6, []),
        ("Wir wohnen in der Kirchstraße 3/5 und nicht hier", "Kirchstraße 3/5", "ADDRESS", 0.8, ["Kirchstraße 3/5"]),
        ("Zahlung für die Miete März ist nicht da", "Miete März", "PERSON", 0.9, []),
        ("Il Titolo IV non è in vigore", "Titolo IV", "PERSON", 0.3, []),
        ("Il Titolo Ilario non è in vigore", "Titolo Ilario", "PERSON", 0.3, ["Titolo Ilario"]),
    ],
)
def test_everyday_words_around_names(text: str, value: str, kind: str, score: float, expected: list[str]) -> None:
    """Clean text stays clean, and nothing private leaves: two sure words in small letters are a name."""
    assert said(text, without_everyday(text, [span(text, value, kind, score)])) == expected
