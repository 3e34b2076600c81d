"""References, amounts and dates that a pattern finds more surely than a small model does."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from hybridmesh.agents.worker.dates import ends_something, find_dates
from hybridmesh.agents.worker.signoff import find_sender
from hybridmesh.schemas.frameworks import Slot

_NUMBER = r"\d(?:[\d.,'\u00a0\u202f]*\d)?"
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?:[$£€¥]\s?{_NUMBER}|(?:EUR|USD|GBP|CHF)\s{_NUMBER}"
    rf"|{_NUMBER}\s?(?:[$£€¥]|(?:EUR|USD|GBP|CHF|euros?|dollars?|pounds?)\b))",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\w-])[A-Z]{1,6}-\d[\d-]*\d(?:/\d{2,4})?(?![\w-])")
_NUMBERED = re.compile(
    r"\b(?:order|invoice|ticket|case|contract|customer|account|reference|booking|complaint|bestellung|rechnung|auftrag"
    r"|vertrag|kunden|pedido|factura|contrato|referencia|commande|facture|contrat)[\w-]*"
    r"[ :.]*(?:number|num|no|nr|id|nummer|número|numéro|n[.º°]+o?|#)?[ :.#º°]*(?P<value>\d{4,12})(?![\w-])",
    re.IGNORECASE,
)
_PREFIXES = {"invoice": ("INV", "RE"), "order": ("ORD",), "contract": ("C", "V", "BIZ"), "ticket": ("INC",)}
_LEAST_DIGITS = 3


def find_reference(name: str, text: str) -> str | None:
    """Return the first order, invoice, contract or case number; one of the kind that ``name`` speaks of first."""
    found = [match.group() for match in _CODE.finditer(text) if sum(map(str.isdigit, match.group())) >= _LEAST_DIGITS]
    wanted = next((prefixes for word, prefixes in _PREFIXES.items() if word in name), ())
    found.sort(key=lambda code: code.split("-")[0] not in wanted)  # stable: the first of a kind stays first
    if found:
        return found[0]
    numbered = _NUMBERED.search(text)
    return numbered["value"] if numbered else None


def find_amount(_name: str, text: str) -> str | None:
    """Return the first amount of money as it is written, with its currency."""
    match = _AMOUNT.search(text)
    return match.group() if match else None


def find_date(name: str, text: str) -> str | None:
    """Return the first date; for a slot that is named after an end, the first that the text gives as one."""
    wanted = name.startswith("end")
    for match in find_dates(text):
        if not wanted or ends_something(text, match):
            return match.group()
    return None


def _find_name(_name: str, text: str) -> str | None:
    return find_sender(text)


Find = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class _Finder:
    names: re.Pattern[str]
    types: frozenset[str]  # a slot named ``number`` that asks for a quantity is not a reference
    find: Find


_FINDERS = (
    _Finder(
        re.compile(r"(?:customer|sender|client|writer|author|complainant)(?:_?name)?"), frozenset({"text"}), _find_name
    ),
    _Finder(re.compile(r"(?:\w+_)?(?:reference|ref|number|id)"), frozenset({"text"}), find_reference),
    _Finder(re.compile(r"amount|(?:claimed|charged|disputed)_amount"), frozenset({"money"}), find_amount),
    _Finder(re.compile(r"(?:end_|incident_|event_)?date"), frozenset({"date", "text"}), find_date),
)


def find_by_pattern(slot: Slot, text: str) -> tuple[bool, str | None]:
    """Return whether a pattern is in charge of the slot, and the value that it found.

    Going by the slot's name: a pattern is in charge of ``customer_name``, ``order_number``, ``amount``, ``date`` and
    their like. What it does not find is missing, and no model is asked to make up for it.
    """
    for finder in _FINDERS:
        if finder.names.fullmatch(slot.name) and slot.type in finder.types:
            return True, finder.find(slot.name, text)
    return False, None
