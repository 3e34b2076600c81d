"""Telephone numbers: international ones by E.164, national ones by the numbering plans that ``phonenumbers`` knows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers

from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED, near, words
from hybridmesh.agents.classifier.recognizers.references import is_reference, names_thing
from hybridmesh.schemas.privacy import Span

_CANDIDATE = re.compile(
    r"(?:(?<![\w.#-])(?=\+)|(?<![\w.,/#-]))(?:\+|00|\()?\d(?:[ ().\-/]{0,3}\d){5,16}"
    r"(?:,? ?(?:x|ext\.?|extension|durchwahl|dw|poste|int\.|wew\.) ?\d{1,6})?(?![\w@]|[.,-]\w|/\d)",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r",? ?[a-z]+\.? ?\d+$", re.IGNORECASE)
_GROUPED = re.compile(r"\(?\d{2,5}\)?[ .\-/]+\d")
_AMERICAN = re.compile(r"\d{3}(?P<sign>[.-])\d{3}(?P=sign)\d{4}|\(\d{3}\) ?\d{3}[ .-]\d{4}")
_DATE = re.compile(r"\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?: \d{1,2})?")
_CONTEXT = words(
    r"t[eé]l", r"phone", r"call(?:ing|ed)?\b", r"mobile?\b", r"mobil", r"cell", r"fax", r"handy", r"ruf", r"whatsapp",
    r"signal\b", r"sms\b", r"m[oó]vil", r"portable", r"cellulare", r"mobiel", r"durchwahl", r"reach me", r"contact",
    r"erreich", r"rückruf", r"joign", r"joindre", r"bereikbaar", r"reperibil", r"interno\b", r"ring me",
    r"text me", r"hotline", r"dial\b", r"number is\b", r"llam",
)  # fmt: skip

# "mi número nuevo 677 011 934": said of many numbers, so that it asks for one that is grouped as a telephone's is.
_NUMBER_WORD = words(r"n[uú]mero\b", r"num[eé]ro\b", r"nummer\b", r"numer\b", r"my number")

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PT", "AT", "CH", "BE", "IE", "PL")
_DIGITS_LEAST, _DIGITS_MOST = 7, 15  # E.164 allows 15; shorter than 7 is an extension or a short code


@dataclass(frozen=True, slots=True)
class PhoneRecognizer:
    """Numbers with a ``+`` or ``00``; grouped ones of American form or that a plan of ``regions`` knows;
    any after a word for phones, or before one for an extension.
    """

    regions: tuple[str, ...]

    def find(self, text: str) -> Iterator[Span]:
        """Yield the numbers, with their leading plus or bracket."""
        for match in _CANDIDATE.finditer(text):
            value = match.group()
            digits = sum(char.isdigit() for char in _EXTENSION.sub("", value))
            if not _DIGITS_LEAST <= digits <= _DIGITS_MOST or _DATE.fullmatch(value):
                continue
            if not value.startswith("+") and names_thing(text, match.start()):
                continue
            named = is_reference(text, match.start())  # "contact us about invoice 20260304"
            extended = not named and _EXTENSION.search(value) is not None
            if extended or self._accepts(text, match.start(), _EXTENSION.sub("", value), named=named):
                yield Span(start=match.start(), end=match.end(), type="PHONE", score=0.9, source=SHAPED)

    def _accepts(self, text: str, start: int, value: str, *, named: bool) -> bool:
        if not named and _is_called(text, start, value):
            return True
        if value.startswith("+"):
            return _known(value, None, exactly=False)
        if value.startswith("00"):
            return _known(f"+{value[2:]}", None, exactly=True)
        if _AMERICAN.fullmatch(value):
            return True
        if not _GROUPED.match(value) or not value.startswith(("0", "(")):
            return False
        return any(_known(value, region, exactly=True) for region in self.regions)


def _is_called(text: str, start: int, value: str) -> bool:
    """Say whether a word near it speaks of telephones, or of a number, and it is grouped as one."""
    return near(text, start, _CONTEXT, start + len(value)) or (value.count(" ") > 1 and near(text, start, _NUMBER_WORD))


def _known(value: str, region: str | None, *, exactly: bool) -> bool:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) if exactly else phonenumbers.is_possible_number(number)


RECOGNIZERS = (PhoneRecognizer(REGIONS),)
