"""What looks private by its form, found without the classifier: e-mail, IBAN, payment card, phone number.

A second, independent look: the point is not to find everything, but never to let a made-up contact or account pass.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hybridmesh.agents.verifier.spans import Spans

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?!\w)")
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,15}(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w.,/-])(?:(?:\+|00)\d[\d ()/.-]{5,18}\d|\(?0\d{2,4}\)?[ /-]\d[\d -]{3,10}\d"
    r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?![\w-])"
)
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[ ()/.\-]+(?=\d)")
_TAIL = 8  # country and trunk prefixes differ between two ways of writing the same number


@dataclass(frozen=True, slots=True)
class PrivateValue:
    """A private-looking value: ``normal`` is what two ways of writing it share."""

    kind: Literal["e-mail address", "account number", "card number", "phone number"]
    start: int
    end: int
    normal: str


def find_private(text: str) -> Iterator[PrivateValue]:
    """Yield private-looking values, each place once; accounts and cards only with a valid checksum."""
    spans = Spans(len(text))
    yield from (value for value in _candidates(text) if spans.take(value.start, value.end))


def _candidates(text: str) -> Iterator[PrivateValue]:
    for match in _EMAIL.finditer(text):
        yield PrivateValue("e-mail address", match.start(), match.end(), match.group().casefold())
    for match in _IBAN.finditer(text):
        compact = match.group().replace(" ", "")
        if _iban_holds(compact):
            yield PrivateValue("account number", match.start(), match.end(), compact)
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if _luhn_holds(digits):
            yield PrivateValue("card number", match.start(), match.end(), digits)
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        yield PrivateValue("phone number", match.start(), match.end(), digits[-_TAIL:])


def contains(text: str, value: PrivateValue) -> bool:
    """Say whether a text holds the value, in whatever grouping."""
    if value.kind == "e-mail address":
        # A part of somebody else's address is another address.
        whole = rf"(?<![\w.+%-]){re.escape(value.normal)}(?![\w-]|\.\w)"
        return re.search(whole, text.casefold()) is not None
    if value.kind == "account number":
        return value.normal in text.replace(" ", "").upper()
    return value.normal in _BETWEEN_DIGITS.sub("", text)


def _iban_holds(compact: str) -> bool:
    """Check an IBAN by ISO 7064 MOD 97-10."""
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(mark, 36)) for mark in moved)) % 97 == 1


def _luhn_holds(digits: str) -> bool:
    """Check a card number by the Luhn algorithm (ISO/IEC 7812-1, annex B)."""
    doubled = [int(mark) * (1 + place % 2) for place, mark in enumerate(reversed(digits))]
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0
