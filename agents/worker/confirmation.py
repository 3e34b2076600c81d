"""Whether a value that somebody claims to have copied really stands in the source."""

import re
import unicodedata
from decimal import Decimal
from typing import Literal

from hybridmesh.agents.worker.numbers import find_numbers, parse_number

ValueType = Literal["text", "number", "date", "money"]


def stands_in(value: str, source: str, kind: ValueType = "text") -> bool:
    """Say whether ``value`` stands in ``source``, whole words only; case and white space do not matter.

    Numbers and amounts are compared by value, so ``1300`` stands in "£1,300"; an amount that names a currency must
    also stand beside it as it is written.
    """
    plain = _flat(value)
    if not any(char.isalnum() for char in plain):
        return False
    if kind in {"number", "money"} and (number := parse_number(value)) is not None:
        return _number_stands_in(number, source) and _words(plain) <= _words(_flat(source))
    before, after = (r"(?<!\d[.,])" if plain[0].isdigit() else ""), (r"(?![.,]\d)" if plain[-1].isdigit() else "")
    return re.search(rf"(?<!\w){before}{re.escape(plain)}(?!\w){after}", _flat(source)) is not None


def _number_stands_in(number: Decimal, source: str) -> bool:
    return any(number == other for other in find_numbers(source))


def _words(text: str) -> set[str]:
    """Return words and currency signs: what is left of an amount without its digits."""
    return set(re.findall(r"[^\W\d_]+|[\u0024\u00a3\u00a5\u20ac]", text))


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
