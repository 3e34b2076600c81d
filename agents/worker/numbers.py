"""Numbers as people write them, by value: ``1,300``, ``89,90 €``, ``1.234,56``, ``$214.37``."""

import re
from collections.abc import Iterator
from decimal import Decimal

_DIGITS = re.compile(r"(?<![\w.,])[-−]?\d+(?:[.,'\u00a0\u202f ]\d{3}(?!\d))*(?:[.,]\d+)?(?![\w])|\d+(?:[.,]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_SPACES = str.maketrans("", "", "'\u00a0\u202f ")


def parse_number(text: str) -> Decimal | None:
    """Return the value of the one number in ``text``, None when there is none or more than one.

    Of two kinds of separator the last is the decimal one; a single kind that leaves groups of three digits is
    read as thousands (``31,750``), any other as decimal.
    """
    found = list(_DIGITS.finditer(text))
    return _value(found[0].group()) if len(found) == 1 else None


def find_numbers(text: str) -> Iterator[Decimal]:
    """Yield the value of every number in ``text``."""
    for match in _DIGITS.finditer(text):
        yield _value(match.group())


def _value(written: str) -> Decimal:
    digits = written.replace("−", "-").translate(_SPACES)
    unsigned = digits.removeprefix("-")
    comma, dot = unsigned.rfind(","), unsigned.rfind(".")
    if comma >= 0 and dot >= 0:
        decimal = max(comma, dot)
    elif _GROUPED.fullmatch(unsigned) and not unsigned.startswith("0"):
        decimal = -1
    else:
        decimal = max(comma, dot)
        if unsigned.count(unsigned[decimal]) > 1:  # 1.2.3 is a version: its first two parts at most are a number
            decimal = -1
    whole = unsigned if decimal < 0 else unsigned[:decimal]
    fraction = "" if decimal < 0 else unsigned[decimal + 1 :]
    value = Decimal(f"{re.sub('[.,]', '', whole) or '0'}.{fraction or '0'}" if fraction else re.sub("[.,]", "", whole))
    return -value if digits.startswith("-") else value
