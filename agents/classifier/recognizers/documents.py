"""Passports, driving licences, identity cards, vehicles and insurance numbers, after the word that names them."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import PatternRecognizer, words

# Letters and digits with at least four digits.
_NUMBER = re.compile(r"(?<![\w-])(?=(?:[A-Z]{0,6}[ -]?\d){4})[A-Z0-9](?:[ -]?[A-Z0-9]){4,17}(?![\w-])")
_PASSPORT = words(
    r"passport", r"reisepass", r"pass(?:nummer|-?nr)", r"passeport", r"pasaporte", r"passaporto", r"paspoort"
)
_LICENCE = words(r"driv(?:er|ing)['’]?s? licen[cs]e", r"f[uü]hrerschein", r"permis de conduire", r"permiso de conducir",
                 r"patente", r"rijbewijs", r"dl (?:no|number|#)")  # fmt: skip
_IDENTITY = words(
    r"id card", r"identity card", r"national id", r"personalausweis", r"ausweis", r"carte d'identit[eé]",
    r"carta d'identit[aà]", r"id number", r"nhs", r"medicare", r"medical record", r"mrn\b", r"insurance (?:no|num|id)",
    r"versicher(?:ten|ungs)(?:nummer|-?nr)", r"sozialversicherung", r"patient (?:id|no|num)", r"employee (?:id|no|num)",
    r"personalnummer", r"seguridad social", r"tax (?:id|no|num)",
)  # fmt: skip
_VEHICLE = words(r"licen[cs]e plate", r"number plate", r"kennzeichen", r"matr[ií]cula", r"plaque", r"vin\b")
_PLATE = re.compile(
    r"(?<![\w-])(?=[A-ZÄÖÜ0-9 -]{0,14}\d)[A-ZÄÖÜ0-9]{1,4}(?:[ -][A-ZÄÖÜ0-9]{1,4}){1,3}(?![\w-])"
    r"|(?<!\w)[A-HJ-NPR-Z0-9]{17}(?!\w)"
)

RECOGNIZERS = (
    PatternRecognizer("PASSPORT", _NUMBER, context=_PASSPORT),
    PatternRecognizer("DRIVERS_LICENSE", _NUMBER, context=_LICENCE),
    PatternRecognizer("NATIONAL_ID", _NUMBER, context=_IDENTITY),
    PatternRecognizer("VEHICLE", _PLATE, context=_VEHICLE),
)
