"""Names by where they stand alone: a surname in a sentence, a name in small letters that greets or signs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from found_values import find_all
from hybridmesh.agents.classifier.lone_guesses import without_lone
from hybridmesh.agents.classifier.recognizers import organisations
from hybridmesh.agents.classifier.recognizers.credentials import HINTS, NAMED, REMEMBERED
from hybridmesh.agents.classifier.recognizers.introductions import SmallNameRecognizer
from hybridmesh.agents.classifier.recognizers.lone_surnames import LoneSurnameRecognizer
from hybridmesh.agents.classifier.repeats import find_repeats
from hybridmesh.schemas.privacy import Span


def surnames(text: str) -> list[str]:
    return [text[span.start : span.end] for span in LoneSurnameRecognizer().find(text)]


def small(text: str) -> list[str]:
    return [text[span.start : span.end] for span in SmallNameRecognizer().find(text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Danach fragte Brinkhoff, ob die Tür noch offen ist.", "Brinkhoff"),
        ("Gestern hat Tschirner angerufen, und wir waren nicht da.", "Tschirner"),
        ("Notre locataire Taillandier n'est pas là et le loyer non plus.", "Taillandier"),
        ("Hier Kermarrec a appelé pour le dossier de la cave.", "Kermarrec"),
        ("Los papeles los tiene Arrizabalaga en su despacho.", "Arrizabalaga"),
        ("El paciente Carrascosa no está en la sala.", "Carrascosa"),
        ("Il nostro inquilino Quagliarella non è in casa.", "Quagliarella"),
        ("Poi ha chiamato Scognamiglio per la consegna della merce.", "Scognamiglio"),
        ("Onze huurder Grootveld is niet thuis en de huur ook niet.", "Grootveld"),
        ("Toen zei Terpstra dat het niet door kon gaan.", "Terpstra"),
        ("Potem Hadrysiak napisał, że nie może przyjść do biura.", "Hadrysiak"),
        ("Proszę przekazać to do Podgórskiej, która jest w biurze.", "Podgórskiej"),
        ("Dla Jagodzińskiego sprawa jest już zamknięta.", "Jagodzińskiego"),
    ],
)
def test_a_surname_alone_is_told_by_what_stands_beside_it(text: str, name: str) -> None:
    """Nothing private leaves: whoever is somebody's tenant, or has asked something, is a person."""
    assert surnames(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "Danach ging Regen nieder, und der Kundendienst meinte, das sei gut.",
        "Der Patient Ibuprofen bekommt er nicht, sagt die Klinik.",  # a noun behind a noun
        "Die Dachrinnenheizung meldete nichts, der Leitungsschutzschalter auch nicht.",
        "Le client Thunderbird a refusé le message et le serveur aussi.",
        "La Caldera está rota y el Técnico no firma.",
        "Il Conduttore firma il contratto e la Cancelleria conferma.",
        "De Penningmeester zei niets en de Huurder betaalt de borg.",
        "Najemca podpisze umowę, a Kancelaria to potwierdziła.",
        "Morze Bałtyckie i Wkręt Ciesielski to nie to samo.",
        "The tenant Xyzzyq said that he is not at home and will call.",  # English is the model's own
    ],
)
def test_words_of_the_language_in_such_places_are_nobody(text: str) -> None:
    """Clean text stays clean: compounds, programs and whoever is no name stay."""
    assert surnames(text) == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Selon Desrochettes la panne est connue depuis des semaines et rien n'est fait.", ["Desrochettes"]),
        ("Les chemises en lin sont à assortir avec Desrochettes et le reste du lot.", ["Desrochettes"]),
        ("Les chemises en lin sont dans les trois tons Desrochettes et sable pour le printemps.", []),
        (
            "La Caldera y el Técnico van con Desrochettes y el Notario no sabe nada de la Junta.",
            [],
        ),  # all have capitals
    ],
)
def test_a_weak_guess_stays_where_people_are_named(text: str, kept: list[str]) -> None:
    """Nothing private leaves: what the model believes a little and a small word bears out is not let go."""
    start = text.index("Desrochettes")
    span = Span(start=start, end=start + 12, type="PERSON", score=0.1, source="model")
    assert [text[span.start : span.end] for span in without_lone(text, [span])] == kept


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hi, it's tom from accounts, my printer is broken", "tom"),
        ("hey becky, are you there?", "becky"),
        ("see you there, cheers, stu", "stu"),
        ("hi, hier ist steffi aus der buchhaltung", "steffi"),
        ("danke euch und grüße, manni", "manni"),
        ("mein name ist jan-ole und ich warte", "jan-ole"),
        ("coucou, c'est momo de la compta", "momo"),
        ("salut kévin, tu passes ce soir ?", "kévin"),
        ("buenas, soy pili de contabilidad", "pili"),
        ("un saludo, merche", "merche"),
        ("ciao sono gianni della contabilità", "gianni"),
        ("grazie e a presto, pippo", "pippo"),
        ("hoi, met joris van de boekhouding", "joris"),
        ("tot morgen, gr henk", "henk"),
        ("hej, tu zosia z księgowości", "zosia"),
        ("dzięki\n\nkrzysiek", "krzysiek"),
        ("oi, sou a telma da contabilidade", "telma"),
        ("obrigado, tiago", "tiago"),
    ],
)
def test_a_name_in_small_letters_is_told_by_greeting_and_closing(text: str, name: str) -> None:
    """Nothing private leaves: people who chat write no capitals, and still say who they are."""
    assert small(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "hi all, hi team, hey folks, thanks a lot, see you there",
        "it's raining and this is urgent, i am tired",
        "it is xqzbar.service from the log",
        "hi zusammen, hier ist leider alles dunkel, danke und gute nacht",
        "ich bin müde und der meinung, dass wir warten",
        "salut tlm, c'est encore moi, merci et à demain",
        "hola a todos, soy nuevo, gracias y hasta mañana",
        "ciao raga, sono qui, sono stanca, grazie",
        "hoi allemaal, ik ben nieuw, groetjes",
        "hej wam, tu już nic nie ma, pozdrawiam serdecznie",
        "olá a todos, sou a favor, obrigado",
        "Ma carte a été refusée hier soir. Merci",
    ],
)
def test_greetings_of_nobody_stay(text: str) -> None:
    """Clean text stays clean: what one says of oneself, and to all, is no name."""
    assert small(text) == []


def test_the_name_in_an_address_is_one_elsewhere_too() -> None:
    """Nothing private leaves: whoever spells a mail address says the surname once more."""
    text = "mijn mail is bas.vermeulen@example.org, gewoon vermeulen, en support@example.org voor support"
    mails = [
        Span(start=start, end=text.index(" ", start + 1), type="EMAIL", score=1, source="pattern")
        for start in (text.index("bas."), text.index("support@"))
    ]
    found = {text[span.start : span.end] for span in find_repeats([text], [mails], {})[0] if span.type == "PERSON"}
    assert found == {"vermeulen"}


@pytest.mark.parametrize(
    "text",
    [
        "Ihre Vertragsnummer 0151 2345678 steht oben.", "Ticket 0221-998-1204 ist zu", "Schadennummer: 089 4471 2030",
        "Numéro de contrat : 01 44 27 81 90", "Le sinistre n° 05 61 77 20 31", "El siniestro n.º 961 772 031",
        "La pratica 06-1188-2290 è chiusa", "Polisnummer 030 182 2700", "Numer umowy 22 445 71 20",
        "Your contract number 020 7946 0991 is above", "case 555-123-4567 was merged",
    ],
)  # fmt: skip
def test_the_number_of_a_thing_is_no_telephones(text: str) -> None:
    """Clean text stays clean: what a contract or a ticket is called by is not called up."""
    assert find_all(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Zum Vertrag 8812: 0221 4477 1204", "in case 555-123-4567 does not answer", "Im Notfall 0221 4477 1204",
        "En cas de sinistre 05 61 77 20 31", "réservation 05 61 77 20 31", "contract number +44 20 7946 0991",
        "Rufnummer 0221 4477 1204", "ticket via 0221 4477 1204",
    ],
)  # fmt: skip
def test_a_number_to_call_stays_one(text: str) -> None:
    """Nothing private leaves: whom to call about a contract is a telephone."""
    assert [kind for kind, _ in find_all(text)] == ["PHONE"]


@pytest.mark.parametrize(
    "text",
    [
        "La password è stata cambiata ieri", "La contraseña es obligatoria", "Het wachtwoord is gewijzigd",
        "Hasło jest wygasłe", "un chemin relatif ou absolu", "trois cours de danse",
    ],
)  # fmt: skip
def test_what_is_said_of_a_password_or_a_path_is_none(text: str) -> None:
    """Clean text stays clean: no step stays at home for a participle."""
    assert find_all(text) == []


HINTED = [
    *[(re.compile(words), HINTS) for words in (NAMED, REMEMBERED)],
    (organisations.FORM_FIRST, organisations.FORM_HINTS),
    (organisations.SCHOOL, organisations.SCHOOL_HINTS),
]


@given(st.sampled_from(HINTED).flatmap(lambda each: st.tuples(st.from_regex(each[0]), st.just(each))))
def test_what_a_pattern_finds_holds_one_of_its_hints(
    drawn: tuple[str, tuple[re.Pattern[str], tuple[str, ...]]],
) -> None:
    """Nothing private leaves: what is looked for first is in all that is looked for then."""
    text, (pattern, hints) = drawn
    assert all(any(hint in found.group().lower() for hint in hints) for found in pattern.finditer(text))
