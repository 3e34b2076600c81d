"""Tax numbers: VAT numbers of the EU and Britain, employers' and companies' numbers, tax numbers of persons."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hybridmesh.agents.classifier.recognizers import tax_checks
from hybridmesh.agents.classifier.recognizers.checksums import luhn
from hybridmesh.agents.classifier.recognizers.recognizer import CHECKED, SHAPED, PatternRecognizer, near, words
from hybridmesh.schemas.privacy import Span

_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "AT": tax_checks.austria, "BE": tax_checks.belgium, "DE": tax_checks.germany, "ES": tax_checks.spain,
    "FR": tax_checks.france, "GB": tax_checks.britain, "IT": tax_checks.italy, "NL": tax_checks.netherlands,
    "PL": tax_checks.poland, "PT": tax_checks.portugal, "XI": tax_checks.britain,
}  # fmt: skip
_COUNTRIES = "AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI|CHE"
_VAT = re.compile(rf"(?<![\w-])(?P<country>{_COUNTRIES})[ -]?(?P<number>[A-Z0-9](?:[ .-]?[A-Z0-9]){{6,12}})(?![\w-])")
_VAT_WORD = words(
    r"vat\b", r"ust\b", r"ust-?id", r"umsatzsteuer", r"mwst", r"tva\b", r"iva\b", r"btw\b", r"nip\b", r"nif\b",
    r"cif\b", r"uid\b", r"tax (?:id|no|num|reg)", r"steuer", r"partita iva", r"p\.? ?iva",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VatRecognizer:
    """VAT numbers with their country's letters; one whose digits fail, or cannot be checked, after a word for them."""

    def find(self, text: str) -> list[Span]:
        """Return the numbers that hold or are named."""
        found: list[Span] = []
        for match in _VAT.finditer(text):
            check = _CHECKS.get(match.group("country"))
            held = check is not None and check(match.group("number"))
            digits = sum(map(str.isdigit, match.group("number")))
            if held or (digits > 4 and near(text, match.start(), _VAT_WORD)):  # noqa: PLR2004 - "IT department" is none
                source, score = (CHECKED, 1.0) if held else (SHAPED, 0.85)
                found.append(Span(start=match.start(), end=match.end(), type="TAX_ID", score=score, source=source))
        return found


def _named(pattern: str, *names: str, check: Callable[[str], bool] | None = None) -> PatternRecognizer:
    return PatternRecognizer("TAX_ID", re.compile(rf"(?<![\w-]){pattern}(?![\w-]|[.,]\d)"), check, words(*names))


RECOGNIZERS = (
    VatRecognizer(),
    _named(r"\d{2}-?\d{7}", r"ein\b", r"fein\b", r"employer id", r"federal tax", r"tax id"),
    _named(r"9\d{2}[ -]?[5-9]\d[ -]?\d{4}", r"itin\b", r"taxpayer id", r"individual taxpayer"),
    _named(r"\d{5} ?\d{5}K?", r"utr\b", r"unique taxpayer", r"self assessment"),
    _named(r"\d{2,3}[ /]\d{3}[ /]\d{4,5}|\d{10,13}", r"steuer-?(?:nummer|nr)", r"st\.? ?-?nr", r"finanzamt"),
    _named(r"\d{3} ?\d{3} ?\d{3}(?: ?\d{5})?", r"siren\b", r"siret\b", check=luhn),
    _named(r"\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{3}|\d{13}", r"num[eé]ro fiscal", r"spi\b", r"r[eé]f[eé]rence fiscale"),
    _named(r"[A-HJNP-SUVW][ -]?\d{7}[ -]?[\dA-J]", r"cif\b", r"nif\b", check=tax_checks.spain),
    _named(r"\d{11}", r"partita iva", r"p\.? ?iva\b", r"piva\b", check=tax_checks.italy),
    _named(r"\d{3}[ -]?\d{3}[ -]?\d{2}[ -]?\d{2}|\d{3}[ -]\d{2}[ -]\d{2}[ -]\d{3}", r"nip\b", check=tax_checks.poland),
    _named(r"\d{9}(?:\d{5})?", r"regon\b", check=tax_checks.regon),
    _named(r"\d{9}(?:B\d{2})?", r"rsin\b", r"btw\b", r"omzetbelasting", r"kvk\b"),
    _named(r"\d{3} ?\d{3} ?\d{3}", r"nif\b", r"contribuinte", check=tax_checks.portugal),
)
