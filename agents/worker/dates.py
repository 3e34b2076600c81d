"""Dates as people write them in English, German, Spanish and French; found, not interpreted."""

import re
from collections.abc import Iterator

_MONTHS = (
    r"(?:jan(?:uary|uar|vier)?|j[äa]nner|feb(?:ruary|ruar)?|février|mar(?:ch)?|märz|mrz|mars|apr(?:il)?|avril|may|mai"
    r"|june?|juni|juin|july?|juli|juillet|aug(?:ust)?|août|sep(?:t|tember)?|septembre|o[ck]t(?:ober)?|octobre"
    r"|nov(?:ember)?|novembre|de[cz](?:ember)?|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto"
    r"|septiembre|octubre|noviembre|diciembre)\b(?:\.(?=\s\d))?"
)
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"(?<![\w.,/-])(?:"
    rf"\d{{1,2}}(?:st|nd|rd|th)?\.?\s(?:of\s|de\s)?{_MONTHS}(?:,?\s(?:de\s)?{_YEAR}\b)?"
    rf"|{_MONTHS}\s\d{{1,2}}(?:st|nd|rd|th)?\b(?![:.]\d)(?:,?\s{_YEAR}\b)?"
    rf"|{_YEAR}-\d\d-\d\d"
    rf"|\d{{1,2}}([./])\d{{1,2}}\1(?:{_YEAR}|\d\d)"
    rf")(?![\w/])",
    re.IGNORECASE,
)
_BIRTH = re.compile(
    r"\b(?:born|birth|dob|geboren|geb|nacid[oa]|nacimiento|née?|naissance)\b[^.!?\n]{0,20}$", re.IGNORECASE
)
_END = re.compile(
    r"\b(?:end|ends|ending|cancel|terminate|close|until|k[üu]ndig\w*|zum|bis|endet|baja|finali\w+|termin\w+|résili\w+)\b"
    r"[^.!?\n]{0,90}$",
    re.IGNORECASE,
)


def find_dates(text: str) -> Iterator[re.Match[str]]:
    """Yield dates from left to right, without dates of birth."""
    for match in _DATE.finditer(text):
        if match.group().startswith("may "):  # "you may 5 times": the month has a capital
            continue
        if not _BIRTH.search(text[max(0, match.start() - 40) : match.start()]):
            yield match


def ends_something(text: str, date: re.Match[str]) -> bool:
    """Say whether the words before a date speak of an end: "cancel … on", "ends on", "zum"."""
    return _END.search(text[max(0, date.start() - 100) : date.start()]) is not None
