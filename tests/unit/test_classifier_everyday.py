"""Nothing private leaves, and clean text stays clean: the model's guesses beside the words of a text's language."""

import pytest

from hybridmesh.agents.classifier.everyday import languages_of, without_everyday, words_of
from hybridmesh.agents.classifier.inflection import find_forms
from hybridmesh.agents.classifier.name_links import join_names
from hybridmesh.schemas.privacy import Span


def guess(text: str, value: str, kind: str = "PERSON", score: float = 0.5, source: str = "model") -> Span:
    return Span(start=text.index(value), end=text.index(value) + len(value), type=kind, score=score, source=source)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Die Rechnung ist noch nicht bezahlt.", "de"),
        ("La facture n'est pas encore payée, nous vous écrirons.", "fr"),
        ("La factura no está pagada y lo sé.", "es"),
        ("La fattura non è stata pagata, mi dispiace.", "it"),
        ("De factuur is nog niet betaald, wij bellen u.", "nl"),
        ("Faktura nie jest opłacona, proszę o przelew.", "pl"),
        ("The invoice is not paid yet.", "en"),
        ("Reparto | Budget | Spese\nAcquisti | 12000\nVendite | 15000", "it"),
    ],
)
def test_the_language_is_that_of_the_small_words_or_of_most_words(text: str, language: str) -> None:
    """Clean text stays clean: a word is everyday in the language of its text, not in some language."""
    assert languages_of(text)[0] == language


@pytest.mark.parametrize(
    ("text", "value", "kind", "score"),
    [
        ("Für die Suppe Kartoffeln und Möhren würfeln.", "Kartoffeln", "LOCATION", 0.5),
        ("Die Höhe der Forderung ist nicht klar.", "Höhe", "LOCATION", 0.7),
        ("Ingresada por una fractura de cadera.", "cadera", "PERSON", 1.0),
        ("El Arrendador entrega las llaves.", "El Arrendador", "ORGANISATION", 0.5),
        ("Peut-être que oui. Nous verrons avec le client.", "Nous", "PERSON", 0.5),
        ("Nessun problema, ci vediamo la settimana prossima.", "Nessun", "PERSON", 0.5),
        ("Il forno vende pane e cornetti la domenica.", "cornetti", "PERSON", 0.99),
        ("Wir geben das an unserer Technik weiter, die ist da.", "unserer Technik", "ORGANISATION", 0.96),
        ("Qué alegría recibir tus palabras, es un gusto.", "alegría", "PERSON", 1.0),
        ("Die Größe der Arbeitstabelle ist nicht bekannt.", "Arbeitstabelle", "PERSON", 0.6),
        ("De bloemen staan op de Bloemenafdeling van de winkel.", "Bloemenafdeling", "PERSON", 0.6),
        ("To wszystko jest w Rozdziale VII, proszę przeczytać.", "Rozdziale VII", "LOCATION", 0.98),
        ("The customer wants to leave: notice, Kündigung, and so on.", "Kündigung", "PERSON", 0.05),
        ("The words are thanks, gracias, felicidades and merci.", "felicidades", "PERSON", 0.97),
        ("That is the end. Mend this now and go on with it.", "Mend", "PERSON", 0.09),
    ],
)
def test_an_everyday_word_is_no_name_on_the_models_word_alone(text: str, value: str, kind: str, score: float) -> None:
    """Clean text stays clean: nouns, first words of sentences and words in small letters are not cut out."""
    assert without_everyday(text, [guess(text, value, kind, score)]) == []


@pytest.mark.parametrize(
    ("text", "value", "kind", "score"),
    [
        ("Herr Keller ist im Haus, und Keller sagt das.", "Keller", "PERSON", 0.5),  # somebody's name
        ("Die Firma Höhe ist nicht da.", "Höhe", "ORGANISATION", 0.99),  # the model is sure
        ("Il dott. Lo Bianco è assente e non risponde.", "Lo Bianco", "PERSON", 0.9),  # behind a title, no article
        ("C'est Manon qui a les clés de la maison.", "Manon", "PERSON", 0.3),
        ("Vive en la ciudad de Buenos Aires y no en el campo.", "Buenos Aires", "LOCATION", 0.5),
        ("The Reverend Stone is not at home, and we wait.", "Stone", "PERSON", 0.3),  # English is the model's own
        ("The customer is called Anwalt, and he will call us.", "Anwalt", "PERSON", 0.6),
        ("Hope is not at home. Will is, and we wait for him.", "Will", "PERSON", 0.05),  # somebody's name
        ("Das Haus von Rosenbaum ist nicht weit von der Stadt.", "Rosenbaum", "PERSON", 0.3),  # as surnames are made
        ("Qué alegría, dice marisol, y no es la primera.", "marisol", "PERSON", 1.0),
    ],
)
def test_what_may_be_a_name_stays_one(text: str, value: str, kind: str, score: float) -> None:
    """Nothing private leaves: names that are words, names with two capitals, and what the model is sure of stay."""
    spans = [guess(text, value, kind, score)]
    assert without_everyday(text, spans) == spans


def test_only_guesses_of_names_are_doubted_and_not_those_beside_another() -> None:
    """Nothing private leaves: what a recognizer found stays, and so does "Société" before "Vaudrey"."""
    text = "Ma collègue dit que la Société Vaudrey est dans le dossier Rendezvous."
    pair = [guess(text, "Société", "ORGANISATION"), guess(text, "Vaudrey", "ORGANISATION")]
    sure = guess(text, "dossier", "TERM", 1.0, "term")
    assert without_everyday(text, [*pair, sure]) == [*pair, sure]


def test_the_lists_hold_no_common_names() -> None:
    """Nothing private leaves: whoever is called like a common name is none of the everyday words."""
    names = "keller müller schmidt weber koch anna thomas garcía martínez rossi bianchi dupont moreau jansen nowak"
    for language in ("de", "en", "es", "fr", "it", "nl", "pl", "pt"):
        assert len(words_of(language)) > 20_000
        assert not words_of(language) & set(names.split())


@pytest.mark.parametrize(
    ("text", "pieces", "kind", "whole"),
    [
        ("Hier kommt Maximilian von Gleichen.", ["Maximilian", "Gleichen"], "PERSON", "Maximilian von Gleichen"),
        (
            "avec Marie de La Tour d'Auvergne",
            ["Marie", "La Tour", "'Auvergne"],
            "PERSON",
            "Marie de La Tour d'Auvergne",
        ),
        ("chez Atelier du Rhône hier", ["Atelier", "Rhône"], "ORGANISATION", "Atelier du Rhône"),
        ("alla Meccanica dell'Arno ieri", ["'Arno"], "ORGANISATION", "Meccanica dell'Arno"),
        ("in via dell'Industria 14", ["'Industria 14"], "ADDRESS", "dell'Industria 14"),
    ],
)
def test_a_name_with_a_small_word_inside_is_one_name(text: str, pieces: list[str], kind: str, whole: str) -> None:
    """Nothing private leaves: no rest of a name stands between two surrogates, or before an apostrophe."""
    joined = join_names(text, [guess(text, piece, kind) for piece in pieces])
    assert [text[span.start : span.end] for span in joined] == [whole]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Ana y Luis vienen", ["Ana", "Luis"]),
        ("Anna und Jonas kommen", ["Anna", "Jonas"]),
        ("Ana, Luis", ["Ana", "Luis"]),
    ],
)
def test_two_people_stay_two(text: str, pieces: list[str]) -> None:
    """Nothing is lost: the cloud can tell two people apart."""
    spans = [guess(text, piece) for piece in pieces]
    assert join_names(text, spans) == spans


@pytest.mark.parametrize(
    ("text", "names", "forms"),
    [
        ("Sprawa jest dla Kowalskim, a Kowalska nie odbiera.", ["Jan", "Kowalskiego"], ["Kowalskim", "Kowalska"]),
        ("Nowaka nie ma, proszę o Nowaku nie mówić.", ["Marek", "Nowak"], ["Nowaka", "Nowaku"]),
        ("Das ist Müllers Auto, nicht das der Müllersche.", ["Petra", "Müller"], ["Müllers"]),
        ("The Smiths are here, and Mark is in Markets.", ["Smith", "Mark"], ["Smiths"]),
        ("Hopes are high, but the Hopes left, and wills are for Will.", ["Hope", "Will"], ["Hopes"]),
    ],
)
def test_other_forms_of_a_name_are_the_name(text: str, names: list[str], forms: list[str]) -> None:
    """Nothing private leaves: the genitive, the plural and the cases of Polish tell as much as the name."""
    assert [text[start:end] for start, end in find_forms(text, names)] == forms
