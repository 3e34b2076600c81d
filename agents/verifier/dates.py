"""Dates as people write them, in the classifier's eight languages, with every reading of an ambiguous one."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hybridmesh.schemas.letter_case import small

# Not the short forms that are words of another language: Italian "set", Polish "lip", Portuguese "out".
_MONTHS = (
    "january|jan|januar|jänner|enero|ene|janvier|janv|gennaio|januari|styczeń|stycznia|styczniu|janeiro",
    "february|feb|februar|febrero|février|févr|fév|febbraio|februari|luty|lutego|lutym|fevereiro|fev",
    "march|mar|märz|mär|mrz|marzo|mars|maart|mrt|marzec|marca|marcu|março",
    "april|apr|abril|abr|avril|avr|aprile|kwiecień|kwietnia|kwietniu",
    "may|mai|mayo|maggio|mei|maj|maja|maju|maio",
    "june|jun|juni|junio|juin|giugno|giu|czerwiec|czerwca|czerwcu|junho",
    "july|jul|juli|julio|juillet|juil|luglio|lug|lipiec|lipca|lipcu|julho",
    "august|aug|agosto|ago|août|augustus|sierpień|sierpnia|sierpniu",
    "september|sept|sep|septiembre|septembre|settembre|sett|wrzesień|września|wrześniu|setembro",
    "october|oct|oktober|okt|octubre|octobre|ottobre|ott|październik|października|październiku|paź|outubro",
    "november|nov|noviembre|novembre|listopad|listopada|listopadzie|novembro",
    "december|dec|dezember|dez|diciembre|dic|décembre|déc|dicembre|grudzień|grudnia|grudniu|dezembro",
)
MONTH_OF = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split("|")}
_NAME = "|".join(sorted(MONTH_OF, key=len, reverse=True))
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|e|\.|º|°)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_PATTERNS = tuple(
    re.compile(rf"(?<![\w.,/-])(?=[\djfmasondeglkcwp]){pattern}(?![\w/-])", re.IGNORECASE)
    for pattern in (
        rf"{_YEAR}[-/.](?P<month>[01]?\d)[-/.](?P<day>[0-3]?\d)(?:T[\d:.]+(?:Z|[+]\d\d:?\d\d)?)?",
        r"(?P<one>[0-3]?\d)(?P<mark>[./-])(?P<two>[0-3]?\d)(?P=mark)(?P<year>(?:19|20)\d\d|\d\d)",
        rf"{_DAY}\s+(?:of\s+|de\s+)?(?P<name>{_NAME})\.?,?(?:\s+(?:de[l]?\s+)?{_YEAR})?",
        rf"(?P<name>{_NAME})\.?\s+{_DAY}(?:,?\s+{_YEAR})?",
        rf"(?P<name>{_NAME})\.?,?\s+(?:de\s+)?{_YEAR}",
    )
)
_CENTURY = 2000
_SHORT_YEAR = 100
_LEAP_YEAR = 2000  # any day of a year exists in it


@dataclass(frozen=True, slots=True)
class Day:
    """One reading of a date; ``year`` or ``day`` is None where the text leaves it out."""

    year: int | None
    month: int
    day: int | None

    def covers(self) -> frozenset[str]:
        """Return what this date is evidence for: itself and every coarser form of it, as ISO 8601."""
        forms: set[str] = set()
        if self.day is not None:
            forms.add(f"--{self.month:02}-{self.day:02}")
        if self.year is not None:
            forms.add(f"{self.year}-{self.month:02}")
        return frozenset({self.iso(), *forms})

    def iso(self) -> str:
        """Return the ISO 8601 form, with ``--`` for a year that is left out."""
        year = "-" if self.year is None else str(self.year)
        return f"{year}-{self.month:02}" if self.day is None else f"{year}-{self.month:02}-{self.day:02}"


@dataclass(frozen=True, slots=True)
class Written:
    """A date in a text with its possible readings: 03/12/2026 has two."""

    start: int
    end: int
    readings: tuple[Day, ...]


def find_dates(text: str) -> Iterator[Written]:
    """Yield the dates; digits that are no day of any calendar (31.02.2026) are not among them."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            days = tuple(day for day in _readings(match.groupdict()) if _exists(day))
            if days:
                yield Written(match.start(), match.end(), days)


def _readings(parts: dict[str, str | None]) -> list[Day]:
    year = int(parts.get("year") or 0) or None
    if year is not None and year < _SHORT_YEAR:
        year += _CENTURY
    if (one := parts.get("one")) and (two := parts.get("two")):
        day_first = Day(year, int(two), int(one))
        return [day_first] if parts.get("mark") == "." else [day_first, Day(year, int(one), int(two))]
    day = int(written) if (written := parts.get("day")) else None
    if name := parts.get("name"):
        return [Day(year, MONTH_OF[small(name)], day)]
    return [Day(year, int(parts["month"] or 0), day)]


def _exists(day: Day) -> bool:
    try:
        dt.date(day.year or _LEAP_YEAR, day.month, 1 if day.day is None else day.day)
    except ValueError:
        return False
    return True
