"""What people write in words, in capitals and in a hurry: dates, streets, passwords, plates and firms."""

import pytest

from found_values import find_all
from hybridmesh.agents.classifier.everyday import without_everyday
from hybridmesh.agents.classifier.name_links import join_names
from hybridmesh.schemas.privacy import Span

FOUND = [
    (
        "BIRTH_DATE",
        "I was born on the third of May nineteen seventy-one in Leeds.",
        "third of May nineteen seventy-one",
    ),
    ("BIRTH_DATE", "geboren am zwölften Juli neunzehnhundertachtzig in Ulm", "zwölften Juli neunzehnhundertachtzig"),
    ("BIRTH_DATE", "née le douze mai mil neuf cent quatre-vingts à Lens", "douze mai mil neuf cent quatre-vingts"),
    (
        "BIRTH_DATE",
        "nació, nacida el dos de enero de mil novecientos setenta",
        "dos de enero de mil novecientos setenta",
    ),
    ("BIRTH_DATE", "nata il venti marzo millenovecentosettanta a Bari", "venti marzo millenovecentosettanta"),
    ("BIRTH_DATE", "geboren op tien maart negentienhonderdzestig te Gouda", "tien maart negentienhonderdzestig"),
    (
        "BIRTH_DATE",
        "urodzona dnia piątego maja tysiąc dziewięćset szóstego roku",
        "piątego maja tysiąc dziewięćset szóstego",
    ),
    ("BIRTH_DATE", "Pat. H., *03.04.1958, wach", "03.04.1958"),
    ("BIRTH_DATE", "Né(e) le : 04.05.1966", "04.05.1966"),
    ("EMAIL", "meine Adresse ist lea punkt brandt ät postfach punkt de", "lea punkt brandt ät postfach punkt de"),
    ("EMAIL", "es luis punto rey arroba correo punto es", "luis punto rey arroba correo punto es"),
    ("ADDRESS", "venez au douze rue des tilleuls ce soir", "douze rue des tilleuls"),
    ("ADDRESS", "estoy en calle de la fuente treinta y cinco", "calle de la fuente treinta y cinco"),
    ("ADDRESS", "abito in via garibaldi ventidue al terzo piano", "via garibaldi ventidue"),
    ("ADDRESS", "sta bij molenstraat zestien voor de deur", "molenstraat zestien"),
    ("ADDRESS", "ich steh vor der gartenstraße zwölf", "gartenstraße zwölf"),
    ("ADDRESS", "pick me up at fourteen mill road please", "fourteen mill road"),
    ("ADDRESS", "SPEDIRE A VIA DEI PINI 8, 50014 FIESOLE", "VIA DEI PINI 8, 50014 FIESOLE"),
    ("ADDRESS", "ADRES: UL. DŁUGA 4 M. 7, 31-147 KRAKÓW", "UL. DŁUGA 4 M. 7, 31-147 KRAKÓW"),
    ("ADDRESS", "RÉSIDENCE DES LILAS, BÂT. B, 64100 BAYONNE", "RÉSIDENCE DES LILAS, BÂT. B, 64100 BAYONNE"),
    ("SECRET", "const token = 'f4Kw-88aPz-2LqM'", "f4Kw-88aPz-2LqM"),
    ("SECRET", "const ww = 'Regenboog77';", "Regenboog77"),
    ("SECRET", 'CHIAVE_API = "p0Lm-44vTs-9Qe"', "p0Lm-44vTs-9Qe"),
    ("SECRET", "mein kenwort ist Hafer#12", "Hafer#12"),
    ("SECRET", "try Pumpkin!2019 instead", "Pumpkin!2019"),
    ("VEHICLE", "Véhicule AB-344-CD devant la porte", "AB-344-CD"),
    ("VEHICLE", "el vehículo 1234 BCD de mi padre", "1234 BCD"),
    ("VEHICLE", "Vehicle reg: YC19 ABD", "YC19 ABD"),
    ("VEHICLE", "pojazd KR 7F552 na parkingu", "KR 7F552"),
    ("NATIONAL_ID", "legitymuje się dowodem osobistym DEF 482915", "DEF 482915"),
    ("USERNAME", "# TODO(ines): move this", "ines"),
    ("USERNAME", "mi usuario es dacosta.m y no entra", "dacosta.m"),
    ("USERNAME", "l'utente l.ferrandi84 non accede", "l.ferrandi84"),
    ("USERNAME", "login mislukt gebruiker=hbakker_admin bron=web", "hbakker_admin"),
    ("USERNAME", "utilisateur kdiallo_rh depuis le bureau", "kdiallo_rh"),
    ("USERNAME", "DB_USER=ledger", "ledger"),
    ("USERNAME", "utilisateur : kdiallo77 bloqué", "kdiallo77"),
    ("SECRET", "bron=web token=zk_live_9fQ2mX7bTn41LrVd", "zk_live_9fQ2mX7bTn41LrVd"),
    ("ORGANISATION", "a assigné la SARL Charpentes du Velay en", "SARL Charpentes du Velay"),
    ("ORGANISATION", "scrive lo Studio Legale Ferretti di", "Studio Legale Ferretti"),
    ("ORGANISATION", "na rzecz Spółdzielni Mieszkaniowej „Zorza” kwotę", "Spółdzielni Mieszkaniowej „Zorza”"),
    ("ORGANISATION", "el taller de Pérez e Hijos cerró", "Pérez e Hijos"),
    ("ORGANISATION", "die Grundschule am Weidenbach fährt", "Grundschule am Weidenbach"),
    ("ORGANISATION", "l'école élémentaire des Trois-Tilleuls organise", "école élémentaire des Trois-Tilleuls"),
    ("ORGANISATION", "van basisschool De Klimtoren licht", "basisschool De Klimtoren"),
    ("ORGANISATION", "w Szkole Podstawowej nr 7 zebranie", "Szkole Podstawowej nr 7"),
    ("ORGANISATION", "our son at Hazel Lane Primary School was", "Hazel Lane Primary School"),
    ("PERSON", "Revue par le Pr Garnier hier", "Garnier"),
]
CLEAN = [
    "She was born in May and moved to Leeds; the first of May is a holiday.",
    "* 03.04.2024 Release notes\n** 04.05.2024 **bold**",
    "one way street, two lane road, three drive bays and a four lane road",
    "const token = 'string'; max_tokens = 512; the token is invalid; next token: none",
    "Wow!2 points, Sale! 2025, C#7, Ticket#2291, R&D$5",
    "The vehicle weighs 1200 KG and does 0-60 in 5 s; PS2 and A4 are models.",
    "via USB zwei, Weg eins, trois fois rue",
    "TODO: move this; NOTE(1) and FIXME() stay",
    "the user is logged out; user=get_user(id), username=None, token=next(tokens), token=str",
    "Our Primary School teaches maths; Junior High School starts late; das Gymnasium ist zu; au collège avec lui",
    "see the user manual.pdf, usermanual.pdf, a user e.g. an editor, user-friendly, the user is well-known",
]


@pytest.mark.parametrize(("kind", "text", "value"), FOUND, ids=[f"{kind}-{text[:24]}" for kind, text, _ in FOUND])
def test_values_in_words_are_found(kind: str, text: str, value: str) -> None:
    """Nothing private leaves: what was said aloud and typed as it was heard is as private as its figures."""
    assert any(found == kind and value in private for found, private in find_all(text)), find_all(text)


@pytest.mark.parametrize("text", CLEAN, ids=[text[:24] for text in CLEAN])
def test_words_like_them_are_left_alone(text: str) -> None:
    """Clean text stays clean: numbers in words, stars and signs alone are nothing private."""
    assert find_all(text) == []


def guess(text: str, value: str, kind: str, score: float = 0.97) -> Span:
    start = text.index(value)
    return Span(start=start, end=start + len(value), type=kind, score=score, source="model")


MENU = "Scegli il Servizio Clienti, poi la Linea Natura e il Nuovo Prodotto; chiedi a Giusy della tua Offerta."


def test_where_titles_have_capitals_a_capital_tells_little() -> None:
    """Clean text stays clean: the words of menus and products are no names, alone, in pairs or side by side."""
    titles = [guess(MENU, words, "PERSON") for words in ("Servizio Clienti", "Linea", "Natura", "Prodotto", "Offerta")]
    name = guess(MENU, "Giusy", "PERSON", 0.4)
    assert without_everyday(MENU, sorted([*titles, name], key=lambda span: span.start)) == [name]
    calm = "La lettera è per il Servizio Clienti e per nessun altro."
    assert without_everyday(calm, [guess(calm, "Servizio Clienti", "PERSON")])


def test_a_name_of_a_program_is_nobodys() -> None:
    """Clean text stays clean: a function's name is none of a person or a firm."""
    text = "return order.getTotal() for Mira"
    assert without_everyday(text, [guess(text, "getTotal", "ORGANISATION"), guess(text, "Mira", "PERSON")]) == [
        guess(text, "Mira", "PERSON")
    ]


@pytest.mark.parametrize(
    ("text", "pieces", "whole"),
    [
        ("kommt Philippa Gräfin von Gleichen an", ["Philippa", "Gleichen"], "Philippa Gräfin von Gleichen"),
        ("scrive Carla Bassi di Torreglia, teste", ["Carla Bassi"], "Carla Bassi di Torreglia"),
        ("gedaagde Reinout van Haersma zegt", ["Reinout"], "Reinout van Haersma"),
    ],
)
def test_where_a_family_comes_from_is_part_of_its_name(text: str, pieces: list[str], whole: str) -> None:
    """Nothing private leaves: the rarer half of a name does not stay behind."""
    (joined,) = join_names(text, [guess(text, piece, "PERSON") for piece in pieces])
    assert text[joined.start : joined.end] == whole
