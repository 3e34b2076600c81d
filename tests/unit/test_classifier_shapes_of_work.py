"""Nothing private leaves: shapes in which values stand in dictations, chats, headers, forms and streets."""

import pytest

from found_values import find_all
from hybridmesh.agents.classifier.noise import Guess, is_noise
from hybridmesh.agents.classifier.places import join_places
from hybridmesh.schemas.privacy import Span

SESSION = "9f3kq0v7h2m5" + "t8b1c4d6e0g2"  # in two parts, so that no scanner takes this file for a leak
FOUND = [
    ("PHONE", "reach me at five seven oh, double five one four two", "five seven oh, double five one four two"),
    (
        "PHONE",
        "c'est le zéro six douze trente-quatre cinquante-six dix",
        "zéro six douze trente-quatre cinquante-six dix",
    ),
    ("PHONE", "Nummer null eins sieben sechs zwei zwei drei vier", "null eins sieben sechs zwei zwei drei vier"),
    ("PHONE", "tel. sześć zero jeden dwa trzy cztery pięć", "sześć zero jeden dwa trzy cztery pięć"),
    ("IBAN", "to GB45 NWBK 7124\n    8107 5690 07, ref", "GB45 NWBK 7124\n    8107 5690 07"),
    ("IBAN", "to GB45\nNWBK71248107569007", "GB45\nNWBK71248107569007"),
    ("URL", "DSN=https://" + "56e3e312cdea8116" * 2 + "@o4504.ingest.example/45", "ingest.example/45"),
    ("SECRET", f"Set-Cookie: PHPSESSID={SESSION}; path=/", SESSION),
    ("SECRET", f"Cookie: theme=dark; csrftoken={SESSION}", SESSION),
    ("SECRET", "kluis open, pincode 9034.", "9034"),
    ("SECRET", "ha cambiato il PIN in 5582", "5582"),
    ("SECRET", "Alarmanlage Code 7719.", "7719"),
    ("BIRTH_DATE", "ma cliente, née Kerguelen le 3 mai 1986", "3 mai 1986"),
    ("BIRTH_DATE", "PATIENTE : MME VANDER LÉO, 12/01/1952", "12/01/1952"),
    ("USERNAME", "[10:02] tkowal: hi\n[10:03] s.nair: is it you?", "s.nair"),
    ("NATIONAL_ID", "result of today, MRN 00482917: normal", "00482917"),
    ("NATIONAL_ID", "un avertissement. Matricule 00812", "00812"),
    ("PERSON", "klient:\n  nazwisko: Hałas", "Hałas"),
]
CLEAN = [
    "docker run -v $PWD:/data nginx",
    "[10:02] note: the order\n[10:05] info: done",
    "one two three, and four five six",
    "PO 4500017823 is overdue",
    "the pin 12 of the port and a code 40112",
]
GUESSES = [
    ("Date: Tue, 14 Oct 2025", "Tue", "LOCATION", True),
    ("see Tue at the desk", "Tue", "LOCATION", False),
    ("BEGIN:VEVENT\nSUMMARY:x", "VEVENT", "LOCATION", True),
    ("ERROR c.a.p.PaymentController - failed", "PaymentController", "PERSON", True),
    ("ask PaymentController", "PaymentController", "PERSON", False),
    ("trace 00-4bf92f3577b34da6a3ce929d", "00-4bf92f3577b34da6a3ce929d", "PHONE", True),
    ("a Pandora box", "Pandora", "PERSON", True),
    ("met Pandora there", "Pandora", "PERSON", False),
    ("le talon d'Achille du projet", "Achille", "PERSON", True),
]
STREETS = [
    ("see 8, passage des Petites-Écuries", "Petites-Écuries", "PERSON", "8, passage des Petites-Écuries"),
    ("zam. ul. Gen. Sikorskiego", "Sikorskiego", "PERSON", "ul. Gen. Sikorskiego"),
    ("to 4F, 3-12-8 Nishi-Azabu", "Nishi-Azabu", "PERSON", "4F, 3-12-8 Nishi-Azabu"),
    ("at Unit 7, Saltmarsh Estate", "Saltmarsh Estate", "PERSON", "Unit 7, Saltmarsh Estate"),
    ("la place du Marché", "Marché", "LOCATION", "place du Marché"),
    ("le cours de Marie Dupont", "Marie Dupont", "PERSON", "Marie Dupont"),
]


@pytest.mark.parametrize(("kind", "text", "value"), FOUND)
def test_values_in_such_shapes_are_found(kind: str, text: str, value: str) -> None:
    """Nothing private leaves: the whole value is found, with its type."""
    assert any(found == kind and value in private for found, private in find_all(text)), find_all(text)


@pytest.mark.parametrize("text", CLEAN)
def test_their_look_alikes_are_left_alone(text: str) -> None:
    """Nothing is lost: what only looks so stays."""
    assert find_all(text) == []


@pytest.mark.parametrize(("text", "value", "kind", "noise"), GUESSES)
def test_syntax_days_and_sayings_are_nobody(text: str, value: str, kind: str, noise: bool) -> None:
    """Nothing is lost: a guess is none where its place says what it is, and stays one elsewhere."""
    start = text.index(value)
    assert is_noise(Guess(text, start, start + len(value), kind, frozenset({kind}), 0.9)) is noise


@pytest.mark.parametrize(("text", "name", "kind", "whole"), STREETS)
def test_a_street_is_whole_with_its_kind_and_number(text: str, name: str, kind: str, whole: str) -> None:
    """Nothing private leaves: streets are called after people, and their numbers stand before them."""
    start = text.index(name)
    span = Span(start=start, end=start + len(name), type=kind, score=0.9, source="model")
    (found,) = join_places(text, [span])
    assert text[found.start : found.end] == whole
