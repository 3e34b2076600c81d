"""Names that are months, people spoken of in small letters, births with short months, numbers above a million."""

import pytest

from found_values import find_all
from hybridmesh.agents.classifier.repeats import find_repeats
from hybridmesh.agents.consultant.dictated import find_dictated
from hybridmesh.schemas.privacy import Span


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mr april called", "april"),
        ("frau mai hat angerufen", "mai"),
        ("Dr. med. Mai hat die Patientin gesehen.", "Mai"),
        ("Herr August und die anderen klagen.", "August"),
        ("Mme Avril a téléphoné.", "Avril"),
        ("La señora Abril ha firmado.", "Abril"),
        ("Sig.ra Aprile Rossi è qui.", "Aprile Rossi"),
        ("mevrouw mei belde", "mei"),
        ("Avril Lavoisin a signé.", "Avril Lavoisin"),
        ("Sunday Okonjo plays well.", "Sunday Okonjo"),
        ("Gruß an alle: Juni Brandvoll", "Juni Brandvoll"),
        ("Mars Delacroix-Vanneau est absent.", "Mars Delacroix-Vanneau"),
    ],
)
def test_who_is_called_like_a_month_is_a_person(text: str, name: str) -> None:
    """Nothing private leaves: an honorific or a surname of no list makes a name of a month."""
    assert ("PERSON", name) in find_all(text)


@pytest.mark.parametrize(
    "text",
    [
        "The meeting is in April 2024.",
        "In May Germany won.",
        "May I ask you?",
        "Am 3. August ist Termin.",
        "Anfang April Regen, Ende Mai Sonne.",
        "Juni Angebote im Laden",
        "Frau kommt Mai 2024",
        "Since March Berlin is closed.",
        "En avril Paris est beau.",
        "Ab Montag Umleitung",
    ],
)
def test_a_month_alone_is_nobody(text: str) -> None:
    """Clean text stays clean: what dates something is no name."""
    assert not [found for found in find_all(text) if found[0] == "PERSON"]


def test_a_name_that_is_a_month_is_not_repeated_in_a_date() -> None:
    """Clean text stays clean: "Frau Mai" makes no name of "3. Mai"."""
    text = "Frau Mai, Ihr Termin ist am 3. Mai. Oder Mai 2024? Danke, Mai!"
    repeats = find_repeats([text], [[Span(start=5, end=8, type="PERSON", score=1.0, source="pattern")]], {})[0]
    assert [span.start for span in repeats] == [5, text.rindex("Mai")]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("frag mal tjorven wegen der karte", "tjorven"),
        ("tjorven meinte das passt so", "tjorven"),
        ("das ist der tjorven aus der werkstatt", "tjorven"),
        ("kwame said its fine", "kwame"),
        ("pls ask thandiwe", "thandiwe"),
        ("im thandiwe btw", "thandiwe"),
        ("gwenolé a dit que c'est bon", "gwenolé"),
        ("demande à gwenolé", "gwenolé"),
        ("nekane dijo que sí", "nekane"),
        ("buenas, soy la nekane", "nekane"),
        ("dile a nekane que venga", "nekane"),
        ("fiammetta ha detto di sì", "fiammetta"),
        ("chiedi a fiammetta", "fiammetta"),
        ("sjoerd zei dat het goed is", "sjoerd"),
        ("vraag het aan sjoerd", "sjoerd"),
    ],
)
def test_people_are_spoken_of_in_small_letters(text: str, name: str) -> None:
    """Nothing private leaves: a word of no language that is asked, told or has said something is somebody's name."""
    assert ("PERSON", name) in find_all(text)


@pytest.mark.parametrize(
    "text",
    [
        "the doctor said its fine",
        "der chef meinte das passt so",
        "frag mal den support",
        "ask around",
        "tell everyone",
        "sag bescheid",
        "ma collègue a dit oui",
        "mi vecina dijo que sí",
        "demande à quelqu'un",
        "chiedi a tutti",
        "vraag het aan iedereen",
        "i'm stuck here",
    ],
)
def test_who_is_known_by_a_word_is_nobody(text: str) -> None:
    """Clean text stays clean: an everyday word names nobody in the same places."""
    assert not [found for found in find_all(text) if found[0] == "PERSON"]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("geboren am 3. Okt. 1985 in Jena", "3. Okt. 1985"),
        ("geb. 3. Okt. 85", "3. Okt. 85"),
        ("née le 12 févr. 1990", "12 févr. 1990"),
        ("naissance : 12 févr 90", "12 févr 90"),
        ("geboren op 3 mrt 1988", "3 mrt 1988"),
        ("geboren op 3-mrt-1988", "3-mrt-1988"),
        ("DOB: 3-Oct-85", "3-Oct-85"),
        ("fecha de nacimiento: 4-ene-1990", "4-ene-1990"),
        ("data di nascita 4 gen '90", "4 gen '90"),
        ("Max (*3. Okt. 1985) wohnt da", "3. Okt. 1985"),
        ("Max (* 3. Oktober 1985) wohnt da", "3. Oktober 1985"),
    ],
)
def test_a_date_of_birth_may_have_a_short_month(text: str, date: str) -> None:
    """Nothing private leaves: a date of birth is one however its month is written."""
    assert ("BIRTH_DATE", date) in find_all(text)


@pytest.mark.parametrize("text", ["Lieferung am 3. Okt. 85 Stück", "* 3. Okt. 1985 Besprechung", "fällig 12 févr 90"])
def test_another_date_is_none(text: str) -> None:
    """Clean text stays clean: a date alone is not private."""
    assert not find_all(text)


NUMBERS = [
    ("BANK_ACCOUNT", "my account is {}", "one million two hundred thirty-four thousand five hundred sixty-seven"),
    ("BANK_ACCOUNT", "Kontonummer {}", "eine Million zweihundertvierunddreißigtausendfünfhundertsiebenundsechzig"),
    ("BANK_ACCOUNT", "mon compte : {}", "quatre millions deux cent trente-quatre mille cinq cent soixante-sept"),
    ("BANK_ACCOUNT", "mi cuenta es {}", "cuatro millones doscientos treinta y cuatro mil quinientos sesenta y siete"),
    ("BANK_ACCOUNT", "il mio conto è {}", "quattro milioni duecentotrentaquattromilacinquecentosessantasette"),
    ("BANK_ACCOUNT", "mijn rekening is {}", "vier miljoen tweehonderdvierendertigduizend vijfhonderdzevenenzestig"),
    ("PHONE", "phone: {}", "seven million six hundred fifty-four thousand three hundred twenty-one"),
    ("NATIONAL_ID", "ausweis {}", "zwölf millionen dreihundertfünfundvierzigtausendsechshundertachtundsiebzig"),
]


@pytest.mark.parametrize(("kind", "text", "number"), NUMBERS)
def test_a_number_above_a_million_is_told_as_one(kind: str, text: str, number: str) -> None:
    """Nothing private leaves: both scans know a number that is not told digit by digit."""
    assert find_all(text.format(number)) == [(kind, number)]
    assert find_dictated(text.format(number))[1] == 1


@pytest.mark.parametrize(
    "text",
    [
        "over one million two hundred thousand people live here",
        "the account grew by one million two hundred thousand dollars",
        "our account: one million two hundred thirty-four thousand five hundred sixty-seven euros",
        "zwei Millionen Euro auf dem Konto",
        "our account holds one million two hundred thirty-four thousand",
        "eine Million zweihundertvierunddreißigtausend",
        "due milioni trecentoquarantacinquemila",
        "dos millones trescientos mil habitantes y quinientos perros",
        "un million de francs sur le compte",
        "twelve thousand three hundred forty five and six hundred",
    ],
)
def test_sums_and_crowds_number_nobody(text: str) -> None:
    """Clean text stays clean: a round number, money and people are counted, not numbered."""
    assert not find_all(text)
    assert find_dictated(text)[1] == 0


@pytest.mark.parametrize(
    "piece", ["one million two hundred ", "zehn", "million ", "mr april ", "frag mal x ", "ab cd "]
)
def test_long_texts_are_read_soon(piece: str) -> None:
    """Nothing hangs: a text of nothing but numbers or cues takes no longer than others (pytest's own limit)."""
    find_all("account " + piece * 5_000)
    find_dictated(piece * 5_000)
