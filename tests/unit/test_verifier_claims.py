"""What a draft states, found and brought to one form however it is written."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.verifier.claims import find_statements, text_keys, value_keys
from hybridmesh.agents.verifier.dates import MONTH_OF
from hybridmesh.agents.verifier.evidence import find_evidence, read_source
from hybridmesh.agents.verifier.numbers import CURRENCY_WORDS, SCALES, readings
from hybridmesh.agents.verifier.private_values import contains, find_private


def found(text: str) -> list[tuple[str, str]]:
    return [(item.kind, item.text) for item in find_statements(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs €1.234,56 or USD 1,200.00.", [("amount", "€1.234,56"), ("amount", "USD 1,200.00")]),
        ("Wir erstatten 99,90 EUR.", [("amount", "99,90 EUR")]),
        ("Total : 1 234,56 €", [("amount", "1 234,56 €")]),
        ("a $5k budget", [("amount", "$5k")]),
        ("12,5 % in 14 days, 250g", [("number", "12,5"), ("number", "14"), ("number", "250")]),
        ("on 2026-03-12 and 12.03.2026", [("date", "2026-03-12"), ("date", "12.03.2026")]),
        ("March 12, 2026; 12 March 2026", [("date", "March 12, 2026"), ("date", "12 March 2026")]),
        ("el 5 de mayo de 2026", [("date", "5 de mayo de 2026")]),
        ("le 1er août 2026", [("date", "1er août 2026")]),
        ("im März 2026 um 14:30", [("date", "März 2026"), ("number", "14:30")]),
        ("order INV-2026-0042, ticket #4821", [("reference", "INV-2026-0042"), ("reference", "4821")]),
        ("Bestellnummer: 991234", [("reference", "991234")]),
        ("see https://example.org/a/17.", [("reference", "https://example.org/a/17")]),
        ("1. First\n2) Second\nStep 3 is last", []),
        ("Dear Ms Lopez,\nhello", [("name", "Lopez")]),
        ("Sehr geehrte Damen und Herren,", []),
        ("Dear Customer,", []),
        ("Hi there! Thank you for your order.", []),
        ("Hello, Unfortunately this takes longer.", []),
        ("We spoke with Maria Lopez about it.", [("name", "Maria Lopez")]),
        ("The Contract is fine. Thank You.", []),
    ],
)
def test_statements_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    """Mistakes are not repeated: what can be checked in a draft is seen, in four languages, and nothing else."""
    assert found(text) == expected


def test_a_noun_after_a_german_name_is_no_part_of_the_person() -> None:
    """Mistakes are not repeated: only the name that a title marks has to be proven."""
    persons = [item.words for item in find_statements("Da ist, was Frau Müller Geld kostet.") if item.person]
    assert persons == [("muller",)]


def test_a_day_that_no_calendar_has_is_no_date() -> None:
    """Mistakes are not repeated: 31.02.2026 is not read as a date."""
    assert all(kind != "date" for kind, _ in found("on 31.02.2026"))


@given(st.decimals(min_value=1, max_value=9_999_999, places=2))
def test_one_value_has_one_key_in_every_locale(value: Decimal) -> None:
    """Mistakes are not repeated: an amount is recognised whether it is written the English, German or French way."""
    english = f"{value:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    french = english.replace(",", "\u202f").replace(".", ",")
    swiss = english.replace(",", "’")
    for written in (english, german, french, swiss, str(value)):
        source = text_keys(f"The sum of {written} EUR is due.")
        for other in (english, german, french, swiss):
            (statement,) = [item for item in find_statements(f"Please pay {other} €.") if item.kind == "amount"]
            assert statement.keys & source, (written, other)


@given(st.dates(min_value=dt.date(1950, 1, 1), max_value=dt.date(2090, 12, 31)))
def test_one_day_has_one_key_in_every_form(day: dt.date) -> None:
    """Mistakes are not repeated: a date is recognised however it is written."""
    forms = [day.isoformat(), f"{day.day:02}.{day.month:02}.{day.year}", f"{day.day} {day:%B} {day.year}"]
    forms += [f"{day:%B} {day.day}, {day.year}", f"{day.day:02}/{day.month:02}/{day.year}"]
    for source in forms:
        keys = text_keys(f"It began on {source} as agreed.")
        for form in forms:
            (statement,) = [item for item in find_statements(f"Start: {form}.") if item.kind == "date"]
            assert statement.keys & keys, (source, form)


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_other_numbers_are_other_keys(one: int, other: int) -> None:
    """Mistakes are not repeated: a wrong number never counts as the right one."""
    (statement,) = find_statements(f"We counted {one} of them")
    assert bool(statement.keys & text_keys(f"We counted {other} of them")) == (one == other)


def test_ambiguous_numbers_have_both_readings() -> None:
    """Mistakes are not repeated: 1.234 may be a thousand or one and a bit, 0.234 and 1.2345 may not."""
    assert readings("1.234") == {Decimal(1234), Decimal("1.234")}
    assert readings("0.234") == {Decimal("0.234")}
    assert readings("1,234.5") == {Decimal("1234.5")}
    assert readings("1.234.567") == {Decimal(1234567)}


def test_a_currency_is_part_of_an_amount() -> None:
    """Mistakes are not repeated: 100 USD is not supported by 100 EUR, but by a bare 100."""
    (dollars,) = find_statements("You get $100")
    assert not dollars.keys & text_keys("The price was 100 EUR")
    assert dollars.keys & text_keys("The price was 100")
    assert dollars.keys & value_keys(Decimal("100.001"))


def test_a_date_is_evidence_for_its_coarser_forms_only() -> None:
    """Mistakes are not repeated: 12 March 2026 supports March 2026, and March 2026 does not support a day."""
    day = text_keys("on 12 March 2026")
    for text in ("in March 2026", "on 12 March", "by 12.03.2026"):
        (statement,) = find_statements(text)
        assert statement.keys & day, text
    (exact,) = find_statements("on 12 March 2026")
    assert not exact.keys & text_keys("in March 2026")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to jo.doe@example.org", "e-mail address"),
        ("IBAN DE89 3704 0044 0532 0130 00", "account number"),
        ("card 4111 1111 1111 1111", "card number"),
        ("call +49 30 1234567", "phone number"),
        ("call (555) 010-9999", "phone number"),
    ],
)
def test_private_values_are_found_and_recognised(text: str, kind: str) -> None:
    """Nothing private leaves: contacts and accounts are seen, and known again in another grouping."""
    (value,) = find_private(text)
    assert value.kind == kind
    assert contains(text, value)
    regrouped = text.upper() if kind == "e-mail address" else re.sub(r"[ ()-]", "", text)
    assert contains(regrouped, value)
    assert not contains("nothing of the kind", value)


@pytest.mark.parametrize("text", ["DE89 3704 0044 0532 0130 01", "4111 1111 1111 1112", "on 12.03.2026", "10-20"])
def test_what_fails_its_checksum_is_not_private(text: str) -> None:
    """Nothing private leaves, and nothing else is taken for private."""
    assert [value for value in find_private(text) if value.kind in ("account number", "card number")] == []


ALIKE = {"i": "İıI", "s": "ſS", "k": "\u212aK"}


def spellings(word: str) -> list[str]:
    """Return the word with each of its letters as any other that a pattern without regard to case takes for it."""
    return [
        word[:at] + other + word[at + 1 :] for at, mark in enumerate(word) for other in ALIKE.get(mark, mark.upper())
    ]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (MONTH_OF, "on 5 {} 2026."),
        (CURRENCY_WORDS, "100 {} and {} 100"),
        (SCALES, "5 {} EUR"),
    ],
)
def test_letters_that_a_pattern_takes_for_others_are_read_as_those(words: dict[str, object], text: str) -> None:
    """Nothing is lost: a mail of a Turkish shop ("5 aprıl", "APRİL") is checked, and ends no task."""
    for word in words:
        for spelling in (word, *spellings(word)):
            assert text_keys(text.replace("{}", spelling)) == text_keys(text.replace("{}", word)), spelling


@pytest.mark.parametrize(
    ("address", "text", "there"),
    [
        ("ann@x.example", "Write to Ann@X.example.", True),
        ("ann@x.example", "<ann@x.example>, joann@x.example", True),
        ("ann@x.example", "joann@x.example", False),
        ("ann@x.example", "ann@x.example.org", False),
        ("ann@x.example", "first.ann@x.example", False),
    ],
)
def test_a_part_of_an_address_is_another_address(address: str, text: str, *, there: bool) -> None:
    """Nothing private leaves: a made-up recipient does not pass for one whose address it stands in."""
    (value,) = find_private(address)
    assert contains(text, value) is there


@pytest.mark.parametrize(
    ("draft", "text"),
    [
        ("Dear Mr O'Neil,", "Sean O’Neil"),
        ("Dear Mr O’Neil,", "Sean O'Neil"),
        ("Dear Ms Lopez-Diaz,", "Ana Lopez\u2011Diaz"),
        ("Dear Ms Lopez-Diaz,", "Ana Lopez\u2010Diaz"),
    ],
)
def test_a_name_is_the_same_with_either_apostrophe_or_hyphen(draft: str, text: str) -> None:
    """Nothing is lost: a right greeting is not turned down for the keyboard that it was typed on."""
    (name,) = find_statements(draft)
    assert find_evidence(name, [read_source("input", "task", text)]) == ("input",)
