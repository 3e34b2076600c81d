"""National numbers of persons: US, UK, DE, FR, ES, IT, PL and NL, with their check digits where they have some."""

import re

from hybridmesh.agents.classifier.recognizers.checksums import bsn, codice_fiscale, dni, nir, pesel, steuer_id
from hybridmesh.agents.classifier.recognizers.recognizer import PatternRecognizer, words

_SSN = r"(?!000|666|9\d\d)\d{3}{sep}(?!00)\d{2}{sep}(?!0000)\d{4}"
_DASHED_SSN = re.compile(r"(?<![\w-])" + _SSN.replace("{sep}", "-") + r"(?![\w-])")
_LOOSE_SSN = re.compile(r"(?<![\w-])\d{3}[ -]?\d{2}[ -]?\d{4}(?![\w-])")
_NINO = re.compile(
    r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ -]?\d{2}){3}[ -]?[A-D](?!\w)",
    re.IGNORECASE,
)
_LOOSE_NINO = re.compile(r"(?<!\w)[A-Z]{2}(?:[ -]?\d{2}){3}[ -]?[A-Z](?!\w)", re.IGNORECASE)
_ELEVEN = re.compile(r"(?<![\w-])\d(?:[ /]?\d){10}(?![\w-])")
_NIR = re.compile(r"(?<!\w)[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\w)", re.IGNORECASE)
_DNI = re.compile(r"(?<!\w)(?:\d{2}\.?\d{3}\.?\d{3}|[XYZ][ -]?\d{7})[ -]?[A-Z](?!\w)", re.IGNORECASE)
_CF = re.compile(r"(?<!\w)[A-Z]{6}[ ]?\d{2}[A-EHLMPRST]\d{2}[ ]?[A-Z]\d{3}[A-Z](?!\w)", re.IGNORECASE)
_NINE = re.compile(r"(?<![\w-])\d(?:[ .]?\d){8}(?![\w-])")

_SSN_WORD = words(r"ssn", r"social security", r"itin\b", r"tax(?:payer)? id")
_NINO_WORD = words(r"national insurance", r"nino?\b", r"ni (?:no|num)")
_STEUER_WORD = words(r"steuer-?id", r"steuerliche", r"id-?nr", r"idnr", r"steuer(?:nummer|nr)", r"tax id", r"tin\b")
_PESEL_WORD = words("pesel")
_NIR_WORD = words(r"s[eé]curit[eé] sociale", r"nir\b", r"num[eé]ro de s[eé]cu", r"n° s[eé]cu")
_DNI_WORD = words(r"dni\b", r"nie\b", r"nif\b")
_CF_WORD = words("codice fiscale", r"c\.?f\.?\b")
_BSN_WORD = words(r"bsn\b", "burgerservice", "sofi")

RECOGNIZERS = (
    PatternRecognizer("SSN", _DASHED_SSN),
    PatternRecognizer("SSN", _LOOSE_SSN, context=_SSN_WORD),
    PatternRecognizer("NATIONAL_ID", _NINO),
    PatternRecognizer("NATIONAL_ID", _LOOSE_NINO, context=_NINO_WORD),
    PatternRecognizer("TAX_ID", _ELEVEN, check=steuer_id, context=_STEUER_WORD),
    PatternRecognizer("NATIONAL_ID", _ELEVEN, check=pesel, context=_PESEL_WORD),
    PatternRecognizer("NATIONAL_ID", _NIR, check=nir, context=_NIR_WORD, alone=True),
    PatternRecognizer("NATIONAL_ID", _DNI, check=dni, context=_DNI_WORD, alone=True),
    PatternRecognizer("TAX_ID", _CF, check=codice_fiscale, context=_CF_WORD, alone=True),
    PatternRecognizer("NATIONAL_ID", _NINE, check=bsn, context=_BSN_WORD),
)
