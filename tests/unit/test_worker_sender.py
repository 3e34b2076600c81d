"""Names, references, amounts, dates and languages are found by rule, where a small model would guess."""

import csv
import json
from pathlib import Path

import pytest

from hybridmesh.agents.worker.dates import find_dates
from hybridmesh.agents.worker.language import guess_language
from hybridmesh.agents.worker.sightings import find_amount, find_by_pattern, find_date, find_reference
from hybridmesh.agents.worker.signoff import find_sender
from hybridmesh.schemas.frameworks import Slot

DEMO = Path(__file__).resolve().parents[2] / "infra" / "demo"


def read_tickets() -> list[tuple[str, str, str | None, str]]:
    with (DEMO / "tickets.csv").open(encoding="utf-8", newline="") as file:
        bodies = {row["id"]: row["body"] for row in csv.DictReader(file, strict=True)}
    planted = json.loads((DEMO / "planted.json").read_text(encoding="utf-8"))["tickets"]
    return [(entry["id"], bodies[entry["id"]], entry["greeting_name"], entry["language"]) for entry in planted]


TICKETS = read_tickets()


@pytest.mark.parametrize(("ticket", "body", "name", "language"), TICKETS, ids=lambda value: str(value)[:4])
def test_the_writer_of_a_demo_ticket_is_found(ticket: str, body: str, name: str | None, language: str) -> None:
    """Nothing is lost: a reply greets the person who wrote, in their language; nobody where no name is given."""
    found = find_sender(body)
    assert (found is None) == (name is None)
    assert name is None or name in (found or "")
    assert guess_language(body) == (None if language == "und" else language)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hello, my name is Ana María de la Cruz and I am lost.", "Ana María de la Cruz"),
        ("Guten Tag, mein Name ist Dr. Jörg Müller-Lüdenscheidt.", "Jörg Müller-Lüdenscheidt"),
        ("It broke.\n\nBest regards,\nJohn O'Neill\nHead of Things", "John O'Neill"),
        ("Kaputt.\n\nMit freundlichen Grüßen\n\nFrau Ute Graf", "Ute Graf"),
        ("No funciona.\n\nUn saludo,\nLucía Pérez", "Lucía Pérez"),
        ("Cela ne marche pas.\n\nCordialement,\nÉlodie Durand", "Élodie Durand"),
        ("This is Ana Ruiz.\n\nPlease call me.\n\nAna", "Ana Ruiz"),
    ],
)
def test_introductions_and_closings_of_several_languages(text: str, name: str) -> None:
    """Nothing is lost: a name is found where people write it, without its title."""
    assert find_sender(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello,\n\nplease help.\n\nThank you",
        "I am waiting for a reply.\n\nRegards",
        "Where is my order?",
        "First.\n\nPlease call me back before 5 pm.",
        "Subject: x\n\nSent from my iPhone",
    ],
)
def test_nobody_is_greeted_by_a_word_that_is_no_name(text: str) -> None:
    """Nothing is hidden: without a name the reply has none, rather than a wrong one."""
    assert find_sender(text) is None


def test_patterns_are_in_charge_by_the_slots_name() -> None:
    """It runs on what you have: the usual slots need no model at all."""
    text = "Order ORD-771902 of 3 May 2026 came to £12.50.\n\nRegards,\nAna Ruiz"
    slots = {
        "customer_name": ("text", "Ana Ruiz"),
        "order_number": ("text", "ORD-771902"),
        "amount": ("money", "£12.50"),
        "date": ("date", "3 May 2026"),
    }
    for name, (kind, value) in slots.items():
        slot = Slot.model_validate({"name": name, "type": kind, "question": "?"})
        assert find_by_pattern(slot, text) == (True, value)
    assert find_by_pattern(Slot(name="notice_period", question="?"), text) == (False, None)
    assert find_by_pattern(Slot(name="number", type="number", question="?"), text) == (False, None)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("see INV-2026-10-4471 and NL-204417", "INV-2026-10-4471"),
        ("Rechnung Nr. 4711234 vom Mai", "4711234"),
        ("case FC-2231/25 of the court", "FC-2231/25"),
        ("card 4111 1111 1111 1111", None),
        ("order 12", None),
        ("call 020 7946 0318", None),
        ("COVID-19 and A-1", None),
    ],
)
def test_references(text: str, reference: str | None) -> None:
    """Nothing is hidden: a card or telephone number is never taken for a reference."""
    assert find_reference("reference", text) == reference


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("paid £4,812.60.", "£4,812.60"),
        ("um 89,90 € mehr", "89,90 €"),
        ("23,15 EUR zurück", "23,15 EUR"),
        ("$120, again", "$120"),
        ("version 6.12.9 of 3 files", None),
    ],
)
def test_amounts(text: str, amount: str | None) -> None:
    """Nothing is hidden: an amount comes with its currency and without the sentence's full stop."""
    assert find_amount("amount", text) == amount


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("on 5 October 2026 and Nov 3", ["5 October 2026", "Nov 3"]),
        ("am 15. Oktober 2026, zum 31.12.2026.", ["15. Oktober 2026", "31.12.2026"]),
        ("el 22 de julio. Y 2026-11-05", ["22 de julio", "2026-11-05"]),
        ("October 12, 2026; the 3rd of October", ["October 12, 2026", "3rd of October"]),
        ("born on 14 March 1971, moved on 1 May 2020", ["1 May 2020"]),
        ("at 10:31:07, version 1.2.3, 192.0.2.17", []),
        ("you may 5 times, from May 6 on", ["May 6"]),
    ],
)
def test_dates(text: str, dates: list[str]) -> None:
    """Nothing private leaves: a date of birth is not what a reply speaks of."""
    assert [match.group() for match in find_dates(text)] == dates


def test_the_end_of_a_contract_is_told_from_other_dates() -> None:
    """Nothing is hidden: a cancellation names the end that the customer wants, or none."""
    text = "I called on October 12. I want the service to end on November 30, 2026."
    assert find_date("end_date", text) == "November 30, 2026"
    assert find_date("end_date", "She died on 17 October 2026.") is None


def test_an_unsure_language_is_none() -> None:
    """Nothing is hidden: two words are no evidence for a language."""
    assert guess_language("OK") is None
    assert guess_language("NL-4711 503 error") is None
    assert guess_language("la le les el los de que y et") is None
