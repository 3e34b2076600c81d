"""Clean text stays clean: weak guesses where nothing else is found, and words that only look like names."""

import pytest

from hybridmesh.agents.classifier.lone_guesses import without_lone
from hybridmesh.agents.classifier.noise import Guess, is_noise
from hybridmesh.schemas.privacy import Span


def span(text: str, value: str, kind: str = "PERSON", score: float = 0.1, source: str = "model") -> Span:
    return Span(start=text.index(value), end=text.index(value) + len(value), type=kind, score=score, source=source)


CLEAN = [
    ("Die neue Kollektion gibt es in drei Farben: Oliv, Sand und Marine.", ("Oliv", "Marine")),
    ("Les chemises en lin sont à assortir en Olive, sable et marine pour le printemps.", ("Olive",)),
    ("El tóner se cambia con la tapa abierta y el cable en Oliva o gris.", ("Oliva",)),
    ("Purtroppo non è possibile restituire gli articoli aperti.", ("Purtroppo",)),
    ("Glansspoelmiddel is niet bij de levering inbegrepen.", ("Glansspoelmiddel",)),
    ("Nabłyszczacz nie jest częścią zestawu i kosztuje mało.", ("Nabłyszczacz",)),
]


@pytest.mark.parametrize(("text", "values"), CLEAN, ids=[text[:24] for text, _ in CLEAN])
def test_weak_guesses_alone_in_a_text_are_words(text: str, values: tuple[str, ...]) -> None:
    """Clean text stays clean: of what the model hardly believes and nothing else confirms, nothing is cut out."""
    assert without_lone(text, [span(text, value) for value in values]) == []


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Ruf bitte Oliv an, sie ist da.", [("Oliv", 0.9)]),  # the model is sure
        ("Oliv und Marine sind da.", [("Oliv", 0.1), ("Marine", 0.1)]),  # hardly any other words
        ("Die Kollektion gibt es in Oliv, sagt Anna Berg aus dem Verkauf.", [("Oliv", 0.1), ("Anna Berg", 0.99)]),
        ("Die Kollektion gibt es in drei Farben, sagt Mo Ait, und die in Sand.", [("Mo Ait", 0.1)]),  # two words
        ("The shirts come in three colours, and the one in Olive is the best of them.", [("Olive", 0.1)]),  # English
        ("xyz qqq Oliv wvw zzz kkk ttt rrr ppp", [("Oliv", 0.1)]),  # nobody knows the language
    ],
)
def test_what_may_be_somebody_stays(text: str, spans: list[tuple[str, float]]) -> None:
    """Nothing private leaves: a text that anything sure was found in keeps its weak guesses, too."""
    found = [span(text, value, score=score) for value, score in spans]
    assert without_lone(text, found) == found


def test_only_guesses_of_the_model_are_weak() -> None:
    """Nothing private leaves: what a form or a list finds stands by itself."""
    text = "Die Kollektion gibt es in drei Farben und der Preis steht fest."
    found = [span(text, "Preis", "TERM", 0.1, "term")]
    assert without_lone(text, found) == found


NOISE = [
    ("Énergie 1520 kJ par portion", "kJ", "PERSON"),
    ("Bitte Grafana prüfen", "Grafana", "PERSON"),
    ("ouvrir le fichier Markdown", "Markdown", "LOCATION"),
    ("explicar el ciclo de Calvin", "Calvin", "PERSON"),
    ("der Calvin-Zyklus in der Schule", "Calvin", "PERSON"),
    ("il teorema di Pitagora", "Pitagora", "PERSON"),
    ("Newton's laws of motion", "Newton", "PERSON"),
    ("wet van Ohm", "Ohm", "PERSON"),
    ("Gesucht: IT-Leiter", "-Leiter", "PERSON"),
    ("compte, clé 45", "45", "PERSON"),
    ("lista: 3 x Engelse Sleutel", "3 x Engelse Sleutel", "ADDRESS"),
    ("2 szt. Klucz", "2 szt. Klucz", "ADDRESS"),
    ("Mandatsreferenz 8812-55", "Mandatsreferenz 8812-55", "ADDRESS"),
    ("from 10.0.0.7 port 50122 ssh2", "50122 ssh2", "ADDRESS"),
    ("Venus komt voor de zon op", "Venus", "PERSON"),
    ("y Urano se ve con un telescopio", "Urano", "PERSON"),
    ("a Neptuna nie widać", "Neptuna", "LOCATION"),
    ("Desde Pascua no abre", "Pascua", "LOCATION"),
    ("después de Semana Santa", "Semana Santa", "LOCATION"),
    ("zespół Gilberta", "Gilberta", "PERSON"),
    ("Numer umowy 22 445 71 20", "22 445 71 20", "PHONE"),
    ("Sendungsnummer 00340 4341 6150", "4341 6150", "DRIVERS_LICENSE"),
    ("Ja, das ist so", "Ja", "PERSON"),
]


@pytest.mark.parametrize(("text", "value", "kind"), NOISE)
def test_units_techniques_laws_and_counts_are_nobodys(text: str, value: str, kind: str) -> None:
    """Clean text stays clean: whatever the model takes it for."""
    start = text.index(value)
    assert is_noise(Guess(text, start, start + len(value), kind, frozenset({"SURNAME", "STREET_NAME"}), 0.99))


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("Calvin hat angerufen", "Calvin", "PERSON"),
        ("la loi dit que Pascal est absent", "Pascal", "PERSON"),
        ("ciclo de Marta", "Marta", "PERSON"),
        ("Newton is late", "Newton", "PERSON"),
        ("Venus is late for school", "Venus", "PERSON"),
        ("bestellt bei Saturn", "Saturn", "ORGANISATION"),
        ("Zum Vertrag 8812: 0221 4477 1204", "0221 4477 1204", "PHONE"),
        ("Herr Al-Masri", "-Masri", "PERSON"),
        ("wohnt Lange Reihe 88", "Lange Reihe 88", "ADDRESS"),
        ("Hauptstraße 3/5", "Hauptstraße 3/5", "ADDRESS"),
    ],
)
def test_people_and_streets_like_them_stay(text: str, value: str, kind: str) -> None:
    """Nothing private leaves: only right beside the word for it is a name a law's."""
    start = text.index(value)
    assert not is_noise(Guess(text, start, start + len(value), kind, frozenset({"SURNAME", "STREET_NAME"}), 0.99))
