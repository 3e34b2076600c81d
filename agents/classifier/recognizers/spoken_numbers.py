"""Numbers as they are dictated, digit by digit or in pairs: "oh seven nine double one …", "zéro six douze …"."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import PatternRecognizer

_DIGITS = {
    "en": "oh zero nought one two three four five six seven eight nine",
    "de": "null eins zwei zwo drei vier fünf sechs sieben acht neun",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "nl": "nul een één twee drie vier vijf zes zeven acht negen",
    "pl": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
    "pt": "zero um dois três quatro cinco seis meia sete oito nove",
}
_TENS = {  # and what stands between ten and twenty, where numbers are told in pairs
    "en": r"ten|eleven|twelve|[a-z]{3,6}teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty",
    "de": r"zehn|elf|zwölf|[a-zü]{3,6}zehn|(?:[a-zü]{3,6}und)?(?:zwanzig|dreißig|[a-zü]{3,5}zig)",
    "fr": r"dix|onze|douze|treize|quatorze|quinze|seize|vingts?|trente|quarante|cinquante|soixante|septante|nonante",
    "es": r"diez|once|doce|trece|catorce|quince|dieci[a-zé]{3,6}|veint[a-zé]{1,8}"
    r"|(?:trei|cuare|cincue|sese|sete|oche|nove)nta",
    "it": r"dieci|[a-z]{2,7}dici|dici[a-z]{4,6}|(?:vent|(?:tre|quara|cinqua|sessa|setta|otta|nova)nt)[a-zé]{1,7}",
    "nl": r"tien|elf|twaalf|[a-z]{3,5}tien|(?:[a-zë]{3,6}[eë]n)?(?:twin|der|veer|vijf|zes|zeven|tach|negen)tig",
    "pl": r"dziesięć|[a-zęćś]{3,9}naście|dwadzieścia|trzydzieści|czterdzieści|[a-zęćś]{4,8}dziesiąt",
    "pt": r"dez|onze|doze|treze|quinze|dez[a-z]{4,6}|vinte|trinta|(?:quar|cinqu|sess|set|oit|nov)enta",
}
_FILLERS = "double|triple|doppel|doble|doppio|doppia|dubbel|plus|and|und|et|y|e|en|uh|um|euh|eh|äh"
_JOINT = rf"(?:[,.…]{{0,3}}[ \n]{{1,2}}|-)(?:(?:{_FILLERS}) ){{0,2}}"
_LEAST = 6  # more of them behind the first: fewer count something


def _run(language: str) -> str:
    number = rf"(?:{'|'.join(_DIGITS[language].split())}|{_TENS[language]})(?!\w)"
    return rf"{number}(?:{_JOINT}{number}){{{_LEAST},40}}"


_SPOKEN = re.compile(rf"(?<![\w-])(?:{'|'.join(map(_run, _DIGITS))})", re.IGNORECASE)

RECOGNIZERS = (PatternRecognizer("PHONE", _SPOKEN, score=0.8),)
