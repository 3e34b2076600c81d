"""The demo tickets are what every privacy test is held against, so the list of planted values must be true."""

import csv
import ipaddress
import json
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import BaseModel, ConfigDict

DEMO = Path(__file__).resolve().parents[2] / "infra" / "demo"

# The numbers that card schemes and payment providers publish for tests; none belongs to anybody.
TEST_CARDS = frozenset(
    [
        "4111111111111111",
        "4012888888881881",
        "4242424242424242",
        "4000056655665556",
        "5555555555554444",
        "5105105105105100",
        "2223003122003222",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
    ]
)
RESERVED_MAIL = re.compile(r"@(?:example\.(?:com|org|net)|[a-z0-9-]+\.example)\Z")
# Numbers kept free for fiction (Ofcom, NANPA, Bundesnetzagentur, ARCEP, ComReg), as bare digits.
FICTIONAL_PHONE = re.compile(
    r"1?\d{3}55501\d\d"
    r"|(?:(?:00)?440?|0)(?:207946|1632960|7700900)\d{3,4}"
    r"|(?:490?|0)(?:3023125|4066969)\d{3}"
    r"|017139200\d\d"
    r"|019900\d{4}"
    r"|02091\d{5}"
)
DOCUMENTATION_NETS = [
    ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
SURROGATE_LIKE = re.compile(r"\[[A-Z]+_[0-9A-Z]{4}\]")


class Private(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    type: str
    value: str


class Planted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    category: str
    language: str
    note: str
    greeting_name: str | None
    private: tuple[Private, ...]
    keep: tuple[str, ...]

    def values(self, kind: str) -> list[str]:
        return [entry.value for entry in self.private if entry.type == kind]


class Ticket(NamedTuple):
    received: datetime
    subject: str
    body: str
    planted: Planted


def read_rows() -> list[dict[str, str]]:
    with (DEMO / "tickets.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def read_planted() -> list[Planted]:
    loaded = json.loads((DEMO / "planted.json").read_text(encoding="utf-8"))
    return [Planted.model_validate(entry) for entry in loaded["tickets"]]


def load() -> list[Ticket]:
    return [
        Ticket(datetime.fromisoformat(row["received"]), row["subject"], row["body"], planted)
        for row, planted in zip(read_rows(), read_planted(), strict=True)
    ]


TICKETS = load()
each_ticket = pytest.mark.parametrize("ticket", TICKETS, ids=lambda ticket: ticket.planted.id)


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def passes_luhn(text: str) -> bool:
    """Luhn, ISO/IEC 7812-1 annex B."""
    doubled = (int(c) * (1 + i % 2) for i, c in enumerate(reversed(digits(text))))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def passes_mod_97(text: str) -> bool:
    """ISO 7064 MOD 97-10 as ISO 13616 uses it."""
    compact = text.replace(" ", "")
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def rest_of(ticket: Ticket) -> str:
    """The body without its planted values, the longest taken out first."""
    rest = ticket.body
    for entry in sorted(ticket.planted.private, key=lambda entry: -len(entry.value)):
        rest = rest.replace(entry.value, "\N{REPLACEMENT CHARACTER}")
    return rest


def test_the_table_has_thirty_tickets_in_order() -> None:
    """Nothing is lost: the demo counts thirty tickets in and must be able to count thirty out."""
    rows = read_rows()
    assert list(rows[0]) == ["id", "received", "channel", "subject", "body"]
    assert [row["id"] for row in rows] == [f"T-{n:02d}" for n in range(1, 31)]
    assert [planted.id for planted in read_planted()] == [row["id"] for row in rows]
    received = [ticket.received for ticket in TICKETS]
    assert all(moment.tzinfo for moment in received)
    assert received == sorted(received)


@each_ticket
def test_planted_values_stand_in_the_body(ticket: Ticket) -> None:
    """Nothing private leaves: a value that is not verbatim in the text could never be seen to leak."""
    values = [entry.value for entry in ticket.planted.private]
    assert len(values) == len(set(values))
    assert [value for value in values if value not in ticket.body] == []


@each_ticket
def test_kept_values_stand_in_the_body_and_are_not_private(ticket: Ticket) -> None:
    """Nothing private leaves, and no more than that is taken: references, sums and dates must survive."""
    rest = rest_of(ticket)
    assert [value for value in ticket.planted.keep if value not in rest] == []


@each_ticket
def test_no_private_value_is_missing_from_the_list(ticket: Ticket) -> None:
    """Nothing private leaves: what can be recognised by its form, or by a listed name, must be listed."""
    rest = rest_of(ticket)
    assert re.findall(r"\S+@\S+\.\S+", rest) == []
    assert re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", rest) == []
    assert re.findall(r"\b[A-Z]{2}\d\d[ ]?(?:[A-Z0-9]{4}[ ]?){2,}", rest) == []
    names = {part for name in ticket.planted.values("PERSON") for part in re.findall(r"[^\W\d_]{3,}", name)}
    assert names.isdisjoint(re.findall(r"[^\W\d_]+", rest))
    for reference in sorted(ticket.planted.keep, key=len, reverse=True):
        rest = rest.replace(reference, "")
    assert re.findall(r"\d(?:[ ()./-]{0,2}\d){8,}", rest) == []


@each_ticket
def test_private_values_belong_to_one_ticket_only(ticket: Ticket) -> None:
    """Nothing private leaves: a value seen in another ticket's answer is then a leak, never a coincidence."""
    others = [f"{other.subject}\n{other.body}" for other in TICKETS if other.planted.id != ticket.planted.id]
    strays = [e.value for e in ticket.planted.private if e.value in ticket.subject or e.value in "\n".join(others)]
    assert strays == []


@each_ticket
def test_the_name_to_greet_is_a_planted_person(ticket: Ticket) -> None:
    """Nothing is lost: a reply is checked for the name that its redaction took out."""
    greeting = ticket.planted.greeting_name
    assert greeting is None if not ticket.planted.private else greeting in ticket.planted.values("PERSON")


@each_ticket
def test_planted_values_are_valid_but_belong_to_nobody(ticket: Ticket) -> None:
    """Nothing private leaves: not even from this repository, so every value comes from a reserved range."""
    cards, ibans = ticket.planted.values("CARD"), ticket.planted.values("IBAN")
    assert [card for card in cards if not passes_luhn(card) or digits(card) not in TEST_CARDS] == []
    assert [iban for iban in ibans if not passes_mod_97(iban)] == []
    assert [mail for mail in ticket.planted.values("EMAIL") if not RESERVED_MAIL.search(mail)] == []
    assert [tel for tel in ticket.planted.values("PHONE") if not FICTIONAL_PHONE.fullmatch(digits(tel))] == []
    addresses = [ipaddress.ip_address(ip) for ip in ticket.planted.values("IP")]
    assert [ip for ip in addresses if not any(ip in net for net in DOCUMENTATION_NETS)] == []


def test_categories_languages_and_types_are_covered() -> None:
    """Nothing private leaves: in no kind of message, in no language that the demo claims."""
    categories = Counter(ticket.planted.category for ticket in TICKETS)
    wanted = {"billing", "outage", "cancellation", "legal_threat", "data_protection", "praise"}
    assert set(categories) == wanted | {"other"}
    assert min(categories[category] for category in wanted) >= 3
    assert Counter(t.planted.language for t in TICKETS) == {"en": 25, "de": 3, "es": 1, "und": 1}
    types = Counter(entry.type for ticket in TICKETS for entry in ticket.planted.private)
    frequent = {"PERSON", "EMAIL", "PHONE", "CARD", "IBAN", "ADDRESS", "DATE_OF_BIRTH", "NATIONAL_ID", "IP"}
    assert set(types) == frequent | {"USERNAME", "SECRET"}
    assert min(types[kind] for kind in frequent) >= 3


def test_most_tickets_have_the_length_of_a_real_message() -> None:
    """It runs on what you have: the figures of the demo are for ordinary messages, with one long exception."""
    assert sum(60 <= len(ticket.body.split()) <= 140 for ticket in TICKETS) >= 26


def test_one_ticket_is_empty_and_one_holds_nothing_private() -> None:
    """Nothing is lost: both edges reach an end, and clean text comes back as it was."""
    without = [ticket for ticket in TICKETS if not ticket.planted.private]
    assert sorted(bool(ticket.body) for ticket in without) == [False, True]


def test_the_long_ticket_has_private_values_on_first_middle_and_last_pages() -> None:
    """Nothing private leaves: a detector that stops reading early is found out."""
    (ticket,) = [ticket for ticket in TICKETS if len(ticket.body.split()) > 1_000]
    assert len(ticket.body.split()) >= 9_000
    pages = re.split(r"^--- Page \d+ of 20: .+ ---$", ticket.body, flags=re.MULTILINE)[1:]
    assert len(pages) == 20
    first_seen = Counter(
        next(number for number, page in enumerate(pages, 1) if entry.value in page) for entry in ticket.planted.private
    )
    assert first_seen[1] >= 5
    assert first_seen[20] >= 5
    assert sum(count for number, count in first_seen.items() if 5 <= number <= 16) >= 5
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", " ".join(pages[1:8])) if len(s.split()) > 5]
    assert len(set(sentences)) == len(sentences), "the diary never repeats itself"


def test_one_ticket_tries_to_make_the_model_leak() -> None:
    """Nothing private leaves: the instruction stands beside a real card number and e-mail address."""
    (ticket,) = [ticket for ticket in TICKETS if "ignore all previous instructions" in ticket.body.lower()]
    assert "evil.example" in ticket.body
    assert {"CARD", "EMAIL"} <= {entry.type for entry in ticket.planted.private}


def test_one_ticket_holds_text_that_looks_like_surrogates() -> None:
    """Nothing is lost: text that only looks like a surrogate must come back byte for byte."""
    (ticket,) = [ticket for ticket in TICKETS if SURROGATE_LIKE.search(ticket.body)]
    assert {"[PERSON_7Q2M]", "[EMAIL_ABCD]"} <= set(SURROGATE_LIKE.findall(ticket.body))
    assert not any(SURROGATE_LIKE.search(entry.value) for entry in ticket.planted.private)
