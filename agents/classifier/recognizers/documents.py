"""Passports, driving licences, identity cards, vehicles and insurance numbers, after the word that names them."""

import re

from hybridmesh.agents.classifier.recognizers.checksums import vin
from hybridmesh.agents.classifier.recognizers.recognizer import DIGIT, Gated, PatternRecognizer, words

# Letters and digits with at least four digits; the name of a number is no part of it.
_NUMBER = re.compile(
    r"(?<![\w-])(?!(?:MRN|IPP|NHC|NHS|CNI|DL|VIN)[ -])"
    r"(?=(?:[A-Z]{0,6}[ -]?\d){4})[A-Z0-9](?:[ -]?[A-Z0-9]){4,17}(?![\w-])"
)
_PASSPORT = words(
    r"passports?\b", r"reisepass", r"pass(?:nummer|-?nr)", r"passeport", r"pasaporte", r"passaporto", r"passaporte",
    r"paspoort", r"paszport",
)  # fmt: skip
_LICENCE = words(
    r"driv(?:er|ing)['’]?s? (?:licen[cs]e|permit)", r"driv(?:er|ing)['’]?s?['’]? licen[cs]e", r"f[uü]hrerschein",
    r"fahrerlaubnis", r"permis de conduire", r"(?:permiso|carn[eé]|licencia) de conducir", r"patente\b(?: di guida)?",
    r"rijbewijs", r"carta de condu[cç][aã]o", r"prawo jazdy", r"prawa jazdy", r"dl (?:no|number|#)", r"d\.?l\.?:",
)  # fmt: skip
_IDENTITY = words(
    r"id card", r"identity card", r"national id", r"personalausweis", r"ausweis",
    r"carte (?:nationale )?d['’]identit[eé]",
    r"cni\b", r"carta d['’]identit[aà]", r"identiteitskaart", r"identiteitsbewijs",
    r"dow[oó]d(?:u|em|zie|owi)? (?:osobist|tożsamo)",
    r"c[eé]dula", r"cart[aã]o de cidad[aã]o", r"id number", r"nhs\b", r"medicare", r"medicaid", r"medical record",
    r"mrn\b", r"insurance (?:no|num|id)", r"versicher(?:ten|ungs)(?:nummer|-?nr)", r"sozialversicherung",
    r"patient (?:id|no|num)", r"patienten-?(?:nummer|nr|id)", r"employee (?:id|no|num)", r"personalnummer",
    r"personal-?nr", r"matrikel", r"student (?:id|no|num)", r"member(?:ship)? (?:id|no|num)", r"seguridad social",
    r"tarjeta sanitaria", r"tessera sanitaria", r"afiliad[oa]", r"allocataire", r"karta pobytu",
    r"ipp\b", r"nhc\b", r"matricule\b",
    r"tax (?:id|no|num)", r"polic(?:y|e) (?:id|no|num)", r"num[eé]ro d['’]assur",
)  # fmt: skip
_VEHICLE = words(
    r"licen[cs]e plate", r"number plate", r"registration plate", r"plates?\b",
    r"kennzeichen", r"matr[ií]cula", r"immatricul",
    r"targ(?:a|at[oa]|he)\b", r"kenteken", r"nummernschild", r"tablic[ae] rejestr", r"(?:numer\w{0,3}|nr)[ _.]{0,2}rej",
    r"vin\b", r"fahrgestell", r"chassis",
)  # fmt: skip
_PLATE = re.compile(
    r"(?<![\w-])(?=[A-ZÄÖÜ0-9 -]{0,14}\d)[A-ZÄÖÜ0-9]{1,4}(?:[ -][A-ZÄÖÜ0-9]{1,5}){1,3}(?![\w-])"
    r"|(?<!\w)(?=[A-Z]{0,3}\d)[A-Z0-9]{5,8}(?!\w)|(?<!\w)(?=[A-Z]{0,16}\d)[A-HJ-NPR-Z0-9]{17}(?!\w)"
)
# Plates as five countries form them are found after a mere word for a car, too.
_CAR = words(
    r"vehicles?\b", r"v[eé]hicule", r"veh[ií]culo", r"fahrzeug", r"pkw\b", r"pojazd", r"samoch[oó]d", r"ve[ií]colo",
    r"auto(?:vettura)?\b", r"voertuig", r"voiture", r"coche\b", r"car\b", r"van\b", r"reg(?:istration)?\b",
)  # fmt: skip
_FORMED_PLATE = re.compile(
    r"(?<![\w-])(?:[A-Z]{2}[ -]?\d{3}[ -]?[A-Z]{2}|\d{4}[ -]?[BCDFGHJKLMNPRSTVWXYZ]{3}|[A-Z]{2}\d{2} ?[A-Z]{3}"
    r"|[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{1,4}[EH]?|[A-Z]{2,3} \d[A-Z0-9]{3,4}|[A-Z]{1,2}-\d{3}-[A-Z]{1,2}"
    r"|\d{1,2}-[A-Z]{2,3}-\d{1,2})(?![\w-])"
)
_VIN = re.compile(r"(?<!\w)(?=[A-Z0-9]{0,16}[A-Z])(?=[A-Z0-9]{0,16}\d)[A-HJ-NPR-Z0-9]{17}(?!\w)")
_LICENCE_GB = re.compile(r"(?<!\w)[A-Z9]{5}\d[0156]\d[0-3]\d{2}[A-Z9]{2}[A-Z0-9]{3}(?:\d{2})?(?!\w)")
_LICENCE_PL = re.compile(r"(?<![\w/])\d{5}/\d{2}/\d{4}(?![\w/])")
_MRZ = re.compile(r"(?<![\w<])[PIAC][A-Z<][A-Z<]{3}[A-Z0-9<]{25,39}(?:\s[A-Z0-9<]{30,44}){1,2}(?![\w<])")

_OF_DIGITS = (
    PatternRecognizer("PASSPORT", _NUMBER, context=_PASSPORT),
    PatternRecognizer("DRIVERS_LICENSE", _NUMBER, context=_LICENCE),
    PatternRecognizer("DRIVERS_LICENSE", _LICENCE_GB),
    PatternRecognizer("DRIVERS_LICENSE", _LICENCE_PL, context=_LICENCE),
    PatternRecognizer("NATIONAL_ID", _NUMBER, context=_IDENTITY),
    PatternRecognizer("VEHICLE", _PLATE, context=_VEHICLE),
    PatternRecognizer("VEHICLE", _FORMED_PLATE, context=_CAR),
    PatternRecognizer("VEHICLE", _VIN, check=vin),
)
RECOGNIZERS = (PatternRecognizer("PASSPORT", _MRZ, score=1.0), Gated(DIGIT, _OF_DIGITS))
