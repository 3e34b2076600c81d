"""Numbers and amounts as people write them: 1,234.56, 1.234,56, 1 234,56 €, $5k, 12 %."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from hybridmesh.schemas.letter_case import small

CURRENCY_WORDS = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "usd": "USD", "us$": "USD", "dollar": "USD",
    "dollars": "USD", "dólares": "USD", "dollari": "USD", "dolarów": "USD", "£": "GBP", "gbp": "GBP", "pounds": "GBP",
    "pfund": "GBP", "libras": "GBP", "sterline": "GBP", "funtów": "GBP", "¥": "JPY", "jpy": "JPY", "yen": "JPY",
    "₹": "INR", "inr": "INR", "chf": "CHF", "fr.": "CHF", "franken": "CHF", "sek": "SEK", "nok": "NOK", "dkk": "DKK",
    "pln": "PLN", "zł": "PLN", "złotych": "PLN", "złote": "PLN", "złoty": "PLN", "cad": "CAD", "aud": "AUD",
    "mxn": "MXN", "brl": "BRL", "r$": "BRL", "reais": "BRL", "cny": "CNY",
}  # fmt: skip
SCALES = {
    "k": 10**3, "thousand": 10**3, "tausend": 10**3, "tsd.": 10**3, "mil": 10**3, "mille": 10**3, "mila": 10**3,
    "duizend": 10**3, "tys.": 10**3, "tys": 10**3, "tysiące": 10**3, "tysięcy": 10**3, "million": 10**6,
    "millions": 10**6, "millionen": 10**6, "mio": 10**6, "mio.": 10**6, "millones": 10**6, "milioni": 10**6,
    "miljoen": 10**6, "mln": 10**6, "mln.": 10**6, "miliony": 10**6, "milionów": 10**6, "milhões": 10**6,
}  # fmt: skip
_SPACE = "\u00a0\u202f"
_DIGITS = rf"(?:\d{{1,3}}(?:(?P<group>[.,'’{_SPACE}])\d{{3}}(?:(?P=group)\d{{3}})*)(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)?)"
_SPACED = r"\d{1,3}(?: \d{3})+(?:[.,]\d{1,2})?(?!\d)"


def _one_of(words: dict[str, object]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_CODES = _one_of(dict(CURRENCY_WORDS))
_SCALE = rf"(?:[ {_SPACE}]?(?P<scale>{_one_of(dict(SCALES))})(?!\w))?"
_NUMBER = re.compile(rf"(?<![\d.,])(?P<digits>{_DIGITS}){_SCALE}", re.IGNORECASE)
_WIDE = re.compile(rf"(?<![\d.,])(?P<digits>{_SPACED}|{_DIGITS}){_SCALE}", re.IGNORECASE)
# Currencies are looked for around numbers only: two dozen words tried at every letter of a text took seconds.
_BEFORE = re.compile(rf"(?<!\w)(?P<code>{_CODES})[ {_SPACE}]?[-−]?\Z", re.IGNORECASE)
_AFTER = re.compile(rf"[ {_SPACE}]?(?P<code>{_CODES})(?!\w)", re.IGNORECASE)
_REACH = 12


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text. ``values`` are its possible readings: 1.234 is a thousand or one and a bit."""

    start: int
    end: int
    values: frozenset[Decimal]
    currency: str | None = None


def find_amounts(text: str) -> Iterator[Quantity]:
    """Yield the numbers that stand with a currency; the span holds both."""
    for match in _WIDE.finditer(text):
        near = text[max(0, match.start() - 2) : match.start()], text[match.end() : match.end() + 2]
        left, right = (any(not mark.isdigit() and not mark.isspace() for mark in side) for side in near)
        before = _BEFORE.search(text, max(0, match.start() - _REACH), match.start()) if left else None
        after = _AFTER.match(text, match.end()) if right and not before else None
        if code := before or after:
            start = before.start() if before else match.start()
            end = after.end() if after else match.end()
            yield _quantity(match, (start, end), CURRENCY_WORDS[small(code["code"])])


def find_numbers(text: str) -> Iterator[Quantity]:
    """Yield every number that no letter stands before; the sign is left out, as a hyphen is more often a dash."""
    for match in _NUMBER.finditer(text):
        if not _is_letter(text[match.start() - 1 : match.start()]):
            yield _quantity(match, match.span(), None)


def readings(digits: str) -> frozenset[Decimal]:
    """Return the values that a written number can have, whatever its locale."""
    plain = re.sub(rf"[ '’{_SPACE}]", "", digits)
    marks = [mark for mark in plain if mark in ".,"]
    if not marks:
        return frozenset({Decimal(plain)})
    last = marks[-1]
    head, _, tail = plain.rpartition(last)
    joined = Decimal(re.sub(r"[.,]", "", plain))
    point = Decimal(f"{re.sub(r'[.,]', '', head)}.{tail}")
    if len(set(marks)) > 1:
        return frozenset({point})
    if len(marks) > 1:
        return frozenset({joined})
    if len(tail) == 3 and head != "0" and len(head) <= 3:  # noqa: PLR2004 - a group of thousands has three digits
        return frozenset({joined, point})
    return frozenset({point})


def _is_letter(mark: str) -> bool:
    return mark.isalpha() or mark == "_"


def _quantity(match: re.Match[str], span: tuple[int, int], currency: str | None) -> Quantity:
    scale = SCALES.get(small(match["scale"] or ""), 1)
    values = frozenset((value * scale).normalize() for value in readings(match["digits"]))
    return Quantity(*span, values, currency)
