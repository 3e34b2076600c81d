"""Addresses as they are dictated or typed in small letters: a kind of street, its name, and its number in words."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import Hinted, PatternRecognizer
from hybridmesh.agents.classifier.recognizers.shapes import LETTER

_NAME = rf"[{LETTER}]{{3,24}}"
_FRENCH = (
    r"(?!un (?:boulevard|chemin|quai|cours) )"  # "un chemin relatif"
    r"(?:un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingt|trente|quarante"
    r"|cinquante|soixante|cent)(?:[- ](?:et[- ])?[a-zé]{2,12}){0,3}"
    r" (?:rue|avenue|boulevard|place|chemin|allée|impasse|quai|cours(?! d)|route)"
    rf" (?:(?:de|du|des|la|le|les) |d['’]|l['’]){{0,2}}{_NAME}"
)
_SPANISH_NUMBER = (
    r"(?:uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|dieci[a-zé]{3,6}"
    r"|veinti?[a-zé]{0,6}|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien(?:to)?)(?: y [a-z]{3,6})?"
)
_ITALIAN_NUMBER = (
    r"(?:uno|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|[a-z]{2,8}dici|dicia[a-z]{4,6}"
    r"|(?:vent|trent|quarant|cinquant|sessant|settant|ottant|novant)[a-zé]{1,7}|cento[a-z]{0,12})"
)
_ROMANCE = (
    r"(?:calle|avenida|plaza|paseo|ronda) (?:(?:de|del|la|las|los|el) ){0,2}"
    rf"{_NAME}(?: {_NAME}){{0,2}} {_SPANISH_NUMBER}"
    r"|(?:via|viale|piazza|corso|vicolo) (?:(?:de|dei|della|delle|degli|del) |dell['’])?"
    rf"{_NAME}(?: {_NAME})? {_ITALIAN_NUMBER}"
)
_GERMANIC_NUMBER = (
    r"(?:eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|[a-zäöü]{3,8}zehn|[a-zäöü]{0,10}(?:zwanzig|ßig|zig)"
    r"|een|twee|vijf|zes|zeven|negen|tien|twaalf|[a-zë]{3,6}tien|[a-zë]{0,12}(?:twintig|dertig|veertig|vijftig))"
)
_GERMANIC = (
    r"[a-zäöüß]{3,24}(?:straße|strasse|allee|gasse|platz|damm|straat|laan|plein|gracht|kade|weg)"
    rf" (?:nummer )?{_GERMANIC_NUMBER}"
)
_ENGLISH = (
    r"(?:number [a-z]{3,6}|eleven|twelve|[a-z]{3,6}teen"  # and no "two lane road"
    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ][a-z]{3,5})?)"
    r" [a-z]{3,20}(?: [a-z]{3,20})? (?:street|road|avenue|lane|drive|terrace|close|crescent)"
)
_SPOKEN = re.compile(rf"(?<![\w-])(?:{_FRENCH}|{_ROMANCE}|{_GERMANIC}|{_ENGLISH})(?![\w-])", re.IGNORECASE)

_HINTS = (  # of which each of them holds one
    "rue", "avenue", "boulevard", "place", "chemin", "allée", "impasse", "quai", "cours", "route", "calle", "avenida",
    "plaza", "paseo", "ronda", "via", "piazza", "corso", "vicolo", "straße", "strasse", "allee", "gasse", "platz",
    "damm", "straat", "laan", "plein", "gracht", "kade", "weg", "street", "road", "lane", "drive", "terrace", "close",
    "crescent",
)  # fmt: skip

RECOGNIZERS = (Hinted(_HINTS, (PatternRecognizer("ADDRESS", _SPOKEN, score=0.7),)),)
