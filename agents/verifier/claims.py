"""What a text states that can be checked: numbers, amounts, dates, times, references, names.

Each statement has keys, normal forms that do not depend on how it is written; a statement is supported where a
source has one of them. ``n`` is a number by value, ``b`` one without a currency, ``a`` an amount with its currency,
``d`` a date, ``t`` a time, ``r`` a reference.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from hybridmesh.agents.verifier.dates import find_dates
from hybridmesh.agents.verifier.names import find_names
from hybridmesh.agents.verifier.numbers import Quantity, find_amounts, find_numbers
from hybridmesh.agents.verifier.private_values import find_private
from hybridmesh.agents.verifier.spans import Spans

ClaimKind = Literal["number", "date", "name", "amount", "reference"]

_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"')\]]{0,500}[^\s<>\"')\].,;:!?]", re.IGNORECASE)
_TIME = re.compile(
    r"(?<![\w:.,])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?:\s?(?P<half>[ap])\.?m\b)?",
    re.IGNORECASE,
)
_HALF_DAY = 12
# Numbers that order the text itself and state nothing.
_ORDER = re.compile(
    r"^[ \t]*[(\[]?\d{1,2}[.):\]](?=\s)|(?:^|(?<=\n))#{1,6} \d{1,2}(?:\.\d{1,2})*\b"
    r"|\b(?:step|option|point|section|schritt|punkt|teil|paso|opción|étape|partie|passo|punto|parte|opzione|sezione|stap"
    r"|punt|deel|optie|krok|część|opcja|ponto|opção|secção|seção) \d{1,2}\b(?![.,]\d)",
    re.IGNORECASE | re.MULTILINE,
)
_TOKEN = re.compile(r"(?<![\w/@.-])#?[^\W_]+(?:[-/_.][^\W_]+)*(?![\w@])")
_SUBJECTS = (
    "order|invoice|ticket|case|customer|contract|policy|account|reference|ref|tracking|shipment|booking|claim|id"
    "|bestellung|rechnung|auftrag|vertrag|kunde|vorgang|sendung|bestellnummer|rechnungsnummer|auftragsnummer|kundennummer"
    "|pedido|factura|contrato|referencia|commande|facture|contrat|dossier|référence"
    "|ordine|fattura|contratto|cliente|pratica|riferimento|spedizione|bestelling|factuur|klant|referentie|zending"
    "|zamówieni[ea]|faktur[ayę]|umow[ay]|klienta?|spraw[ay]|zgłoszeni[ea]|przesyłk[ai]|encomenda|fatura|processo|referência"
)
_NUMBERED = re.compile(
    rf"\b(?:{_SUBJECTS})\b\.?(?:\s+(?:no|nr|number|nummer|núm|num|id|numéro|número|numero|numer)\b\.?|\s*n\.?[°º])?\s*[:#]?\s*(?P<digits>\d{{3,}})\b"
    r"(?![.,/-]\d)",
    re.IGNORECASE,
)
_LEAST_DIGITS = 3
_WORDS = (
    "zero null cero zéro nul", "one ein eine uno un une una een één jeden jedna um uma",
    "two zwei dos deux due twee dwa dwie dois duas", "three drei tres trois tre drie trzy três",
    "four vier cuatro quatre quattro cztery quatro", "five fünf cinco cinq cinque vijf pięć",
    "six sechs seis sei zes sześć", "seven sieben siete sept sette zeven siedem sete",
    "eight acht ocho huit otto osiem oito", "nine neun nueve neuf nove negen dziewięć",
    "ten zehn diez dix dieci tien dziesięć dez", "eleven elf once onze undici jedenaście",
    "twelve zwölf doce douze dodici twaalf dwanaście doze",
)  # fmt: skip
_VALUE_OF = {word: value for value, words in enumerate(_WORDS) for word in words.split()}
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that a text states, where, and its keys; for names ``words`` and whether a person is meant."""

    kind: ClaimKind
    text: str
    start: int
    end: int
    keys: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    person: bool = False


def find_statements(text: str) -> list[Statement]:
    """Return what the text states, in its order, each place once; private-looking values have a rule of their own."""
    spans = Spans(len(text))
    for value in find_private(text):
        spans.cover(value.start, value.end)
    for match in _ORDER.finditer(text):
        spans.cover(*match.span())
    found = [statement for statement in _statements(text) if spans.take(statement.start, statement.end)]
    return sorted([*found, *_names(text)], key=lambda statement: statement.start)


def text_keys(text: str) -> frozenset[str]:
    """Return every key that the text is evidence for; more than its statements' own, as 12 March 2026 is in 2026."""
    keys: set[str] = set()
    covered = Spans(len(text))
    for statement in (*_marked(text), *_tokens(text)):
        keys |= {key for key in statement.keys if statement.kind != "amount" or not key.startswith("b:")}
        if statement.kind == "amount":
            keys |= {"n:" + key.rpartition(":")[2] for key in statement.keys}
        covered.cover(statement.start, statement.end)
    for date in find_dates(text):
        for day in date.readings:
            keys |= {f"d:{form}" for form in day.covers()}
            keys |= set() if day.year is None else {f"n:{day.year}", f"b:{day.year}"}
    for match in _NUMBERED.finditer(text):
        keys.add(f"r:{match['digits']}")
    for number in find_numbers(text):
        if not covered.touches(number.start, number.end):
            keys |= _keys("n", number) | _keys("b", number)
            keys.add("r:" + re.sub(r"\D", "", text[number.start : number.end]))
    for match in _WORD.finditer(text):
        value = _VALUE_OF.get(match.group().casefold())
        keys |= set() if value is None else {f"n:{value}", f"b:{value}"}
    return frozenset(keys)


def value_keys(value: Decimal) -> frozenset[str]:
    """Return the keys that a computed value is evidence for: itself, and rounded to cents."""
    return frozenset(f"{kind}:{_plain(abs(number))}" for kind in "nb" for number in (value, round(value, 2)))


def reference_key(token: str) -> str:
    """Return a reference's key: its letters and digits, however they are set apart."""
    return "r:" + re.sub(r"[\W_]", "", token).upper()


def _marked(text: str) -> Iterator[Statement]:
    """Yield what a mark sets apart from a mere number: addresses, dates, times, amounts."""
    for match in _URL.finditer(text):
        yield _statement("reference", text, match.span(), {f"r:{match.group().casefold()}"})
    for date in find_dates(text):
        yield _statement("date", text, (date.start, date.end), {f"d:{day.iso()}" for day in date.readings})
    for match in _TIME.finditer(text):
        hour = int(match["hour"])
        if match["half"]:
            hour = hour % _HALF_DAY + (_HALF_DAY if match["half"].lower() == "p" else 0)
        yield _statement("number", text, match.span(), {f"t:{hour:02}:{match['minute']}"})
    for amount in find_amounts(text):
        # A source that names another currency does not support it; one that names none does.
        keys = _keys(f"a:{amount.currency}", amount) | _keys("b", amount)
        yield _statement("amount", text, (amount.start, amount.end), keys)


def _tokens(text: str) -> Iterator[Statement]:
    for match in _TOKEN.finditer(text):
        token = match.group()
        if _is_reference(token):
            yield _statement("reference", text, match.span(), {reference_key(token)})


def _is_reference(token: str) -> bool:
    """Say whether a token is an order, invoice or ticket number: ``INV-2026-0042``, ``#4821``, not ``250g``."""
    if sum(mark.isdigit() for mark in token) < _LEAST_DIGITS:
        return False
    if token.startswith("#"):
        return True
    letters = [mark for mark in token if mark.isalpha()]
    if token[0].isalpha():
        return True
    return bool(letters) and not token.isalnum() and all(mark.isupper() for mark in letters)


def _statements(text: str) -> Iterator[Statement]:
    """Yield statements, the most telling reading of a place first."""
    yield from _marked(text)
    for match in _NUMBERED.finditer(text):
        yield _statement("reference", text, match.span("digits"), {f"r:{match['digits']}"})
    yield from _tokens(text)
    for number in find_numbers(text):
        yield _statement("number", text, (number.start, number.end), _keys("n", number))


def _names(text: str) -> Iterator[Statement]:
    seen: set[tuple[str, ...]] = set()
    for name in find_names(text):
        if name.words not in seen:
            seen.add(name.words)
            span = text[name.start : name.end]
            yield Statement("name", span, name.start, name.end, words=name.words, person=name.person)


def _statement(kind: ClaimKind, text: str, span: tuple[int, int], keys: set[str]) -> Statement:
    return Statement(kind, text[span[0] : span[1]], span[0], span[1], frozenset(keys))


def _keys(kind: str, quantity: Quantity) -> set[str]:
    return {f"{kind}:{_plain(value)}" for value in quantity.values}


def _plain(value: Decimal) -> str:
    """Return one form for equal values: no exponent, no trailing zeros."""
    return f"{value.normalize():f}"
