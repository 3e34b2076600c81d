"""National numbers of persons: US, UK, DE, FR, ES, IT, PL, NL and their neighbours, by their check digits."""

import re
from collections.abc import Callable

from hybridmesh.agents.classifier.recognizers.checksums import (
    bsn,
    codice_fiscale,
    dni,
    nhs,
    nir,
    nuss,
    pesel,
    rijksregister,
    social_insurance,
    steuer_id,
)
from hybridmesh.agents.classifier.recognizers.recognizer import DIGIT, Gated, PatternRecognizer, words

_SSN = r"(?!000|666|9\d\d)\d{3}{sep}(?!00)\d{2}{sep}(?!0000)\d{4}"
_DASHED_SSN = re.compile(r"(?<![\w-])" + _SSN.replace("{sep}", "-") + r"(?![\w-])")
_LOOSE_SSN = re.compile(r"(?<![\w-])\d{3}[ .-]?\d{2}[ .-]?\d{4}(?![\w-])")
_SSN_END = re.compile(
    r"(?<!\w)(?:last (?:four|4)(?: digits)?(?: of)?(?: (?:my|the|his|her|your))? (?:ssn|social(?: security number)?)"
    r"(?: (?:is|are|was))?)[ :]{1,3}(?P<value>\d{4})(?!\w)",
    re.IGNORECASE,
)
_NINO = re.compile(
    r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ -]?\d{2}){3}[ -]?[A-D](?!\w)",
    re.IGNORECASE,
)
_LOOSE_NINO = re.compile(r"(?<!\w)[A-Z]{2}(?:[ -]?\d{2}){3}[ -]?[A-Z](?!\w)", re.IGNORECASE)
_ELEVEN = re.compile(r"(?<![\w-])\d(?:[ /]?\d){10}(?![\w-])")
_NIR = re.compile(r"(?<!\w)[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\w)", re.IGNORECASE)
_NIR_HEAD = re.compile(r"(?<!\w)[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3}(?!\w)", re.IGNORECASE)
_DNI = re.compile(r"(?<!\w)(?:\d{2}\.?\d{3}\.?\d{3}|[XYZ][ -]?\d{7})[ -]?[A-Z](?!\w)", re.IGNORECASE)
_CF = re.compile(
    r"(?<!\w)[A-Z]{3} ?[A-Z]{3} ?[\dLMNP-V]{2}[A-EHLMPRST][\dLMNP-V]{2} ?[A-Z][\dLMNP-V]{3}[A-Z](?!\w)", re.IGNORECASE
)
_NINE = re.compile(r"(?<![\w-])\d(?:[ .]?\d){8}(?![\w-])")
_NHS = re.compile(r"(?<![\w-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w-])")
_INSURANCE_DE = re.compile(r"(?<!\w)\d{2} ?\d{6} ?[A-Z] ?\d{3}(?!\w)")
_HEALTH_DE = re.compile(r"(?<!\w)[A-Z]\d{9}(?!\w)")
_NUSS = re.compile(r"(?<![\w-])\d{2}[ /-]?\d{8}[ /-]?\d{2}(?![\w-])")
_AHV = re.compile(r"(?<![\w.-])756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}(?![\w-]|\.\d)")
_REGISTER_BE = re.compile(r"(?<![\w-])\d{2}[. ]?\d{2}[. ]?\d{2}[ -]?\d{3}[. ]?\d{2}(?![\w-])")
_INSURANCE_AT = re.compile(r"(?<![\w-])\d{4}[ -]?\d{6}(?![\w-])")

_SSN_WORD = words(r"ssn", r"social security", r"social\b", r"itin\b", r"tax(?:payer)? id")
_NINO_WORD = words(r"national insurance", r"nino?\b", r"ni (?:no|num)")
_STEUER_WORD = words(
    r"steuer-?id", r"steuerliche", r"id-?nr", r"idnr", r"steuer(?:nummer|nr)", r"tax id", r"tin\b", r"identifikationsn"
)
_PESEL_WORD = words("pesel", r"numer ewidencyjny")
_NIR_WORD = words(
    r"s[eé]curit[eé] sociale", r"nir\b", r"num[eé]ro de s[eé]cu", r"n° s[eé]cu", r"insee\b", r"carte vitale"
)
_DNI_WORD = words(r"dni\b", r"nie\b", r"nif\b", r"documento nacional")
_CF_WORD = words("codice fiscale", r"c\.?f\.?\b", r"cod\. ?fisc")
_BSN_WORD = words(r"bsn\b", "burgerservice", "sofi")
_NHS_WORD = words(r"nhs\b")
_INSURANCE_WORD = words(
    r"sozialversicherung", r"rentenversicherung", r"sv-?(?:nummer|nr)", r"rv-?nummer", r"versicherungs(?:nummer|nr)"
)
_HEALTH_WORD = words(
    r"krankenversicherten", r"krankenkasse", r"versicherten-?(?:nummer|nr)", r"kvnr\b", r"gesundheitskarte"
)
_NUSS_WORD = words(r"seguridad social", r"nuss\b", r"naf\b", r"afiliaci[oó]n")
_AHV_WORD = words(r"ahv", r"avs\b", r"sozialversicherung")
_REGISTER_WORD = words(r"rijksregister", r"registre national", r"num[eé]ro national", r"insz\b", r"niss\b")


def _ean13(value: str) -> bool:
    digits = [int(char) for char in value if char.isdigit()]
    return sum(digit * (1 + 2 * (place % 2)) for place, digit in enumerate(digits)) % 10 == 0


def _id(
    pattern: re.Pattern[str],
    context: re.Pattern[str],
    check: Callable[[str], bool] | None = None,
    *,
    alone: bool = False,
    kind: str = "NATIONAL_ID",
) -> PatternRecognizer:
    return PatternRecognizer(kind, pattern, check=check, context=context, alone=alone)


_OF_DIGITS = (
    PatternRecognizer("SSN", _DASHED_SSN),
    PatternRecognizer("SSN", _SSN_END),
    _id(_LOOSE_SSN, _SSN_WORD, kind="SSN"),
    PatternRecognizer("NATIONAL_ID", _NINO),
    _id(_LOOSE_NINO, _NINO_WORD),
    _id(_NHS, _NHS_WORD, nhs),
    _id(_ELEVEN, _STEUER_WORD, steuer_id, kind="TAX_ID"),
    _id(_INSURANCE_DE, _INSURANCE_WORD, social_insurance, alone=True),
    _id(_HEALTH_DE, _HEALTH_WORD),
    _id(_ELEVEN, _PESEL_WORD, pesel),
    _id(_NIR, _NIR_WORD, nir, alone=True),
    _id(_NIR_HEAD, _NIR_WORD),
    _id(_DNI, _DNI_WORD, dni, alone=True),
    _id(_NUSS, _NUSS_WORD, nuss),
    _id(_NINE, _BSN_WORD, bsn),
    _id(_AHV, _AHV_WORD, _ean13, alone=True),
    _id(_REGISTER_BE, _REGISTER_WORD, rijksregister),
    _id(_INSURANCE_AT, _INSURANCE_WORD),
)
RECOGNIZERS = (
    Gated(DIGIT, _OF_DIGITS),
    _id(_CF, _CF_WORD, codice_fiscale, alone=True, kind="TAX_ID"),  # of which letters may stand for digits
)
