"""Postal addresses: street and number as written in seven countries, and postcode with place."""

import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.recognizers.recognizer import DIGIT, SHAPED, Gated, PatternRecognizer
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, PLACE, UPPER
from hybridmesh.schemas.privacy import Span

_HOUSE = r"\d{1,5}(?:[ -]?[A-Za-z](?!\w))?(?: ?[-/] ?\d{1,4}[A-Za-z]?(?!\w)|/[A-Z](?!\w))?"
_UNIT = r"(?:,? (?:Apt|Apartment|Suite|Unit|Flat|Floor|Room|#|Wohnung|Etage|piso|[ée]tage|interno)\.? ?#?[\w-]{1,6})?"
_TAIL = (  # what may follow a street: postcode and place in the order of the country
    rf"(?:,?[ \n]{{1,2}}(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?:-\d{{3,4}})? (?:[A-Z]{{2}} )?{PLACE}"
    rf"|,?[ \n]{{1,2}}{PLACE},? (?:[A-Z]{{2}},? )?(?:\d{{5}}(?:-\d{{4}})?|[A-Z]{{1,2}}\d[A-Z\d]? ?\d[A-Z]{{2}}))?"
)
_ENGLISH_KIND = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Square|Sq|Terrace|Close"
    r"|Crescent|Highway|Hwy|Parkway|Pkwy|Circle|Cir|Row|Mews|Gardens|Grove|Hill|Trail|Walk|Wharf)"
)
_ENGLISH = (
    rf"\d{{1,5}}[A-Za-z]? (?:[NSEW]\.? )?(?:[{UPPER}][{LETTER}'’]{{0,40}}\.? ){{1,4}}{_ENGLISH_KIND}"
    rf"\b\.?(?: [NS]?[EW]\b| [NS]\b)?{_UNIT}"
)
# "Nordring 4" is a street; "During 1971" and "bring 4" are not.
_NO_STREET = r"(?![Dd]uring|[Ss]?[Pp]ring|[Ss]tring|[Bb]ring|[Ww]ring|[A-Za-z]{0,20}(?:[aeou]|rr|tt|ff|ll)ring\b)"
_GERMAN_OR_DUTCH = (
    rf"(?!(?:Bundes|Landes|Kreis|Staats)str)(?:[{UPPER}][{LETTER}]{{0,40}}[ -]){{0,3}}(?:[{UPPER}]?[{LETTER}]{{0,40}}"
    rf"(?:[Ss]tra(?:ß|ss)e|[Ss]tr\.|[Aa]llee|chaussee|straat|gracht)"
    rf"|{_NO_STREET}[{UPPER}][{LETTER}]{{1,40}}(?:weg|platz|gasse|ring|damm|ufer|stieg|steig|laan|plein|kade|dijk"
    rf"|singel)"
    rf"|[{UPPER}][{LETTER}]{{1,40}}(?:er|-)[ -](?:[Ww]eg|[Pp]latz|[Gg]asse|[Rr]ing|[Dd]amm|[Uu]fer)) ?{_HOUSE}(?![\w%])"
)
_GERMAN_FIELD = (
    rf"(?:Am|An de[rnm]|Auf de[rm]|Bei de[rmn]|Beim|Hinter de[rmn]|Im|In de[rn]|Über de[rmn]|Unter de[rnm]"
    rf"|Vor de[rmn]|Zum|Zur|Zu den)"
    rf" (?:[{UPPER}][{LETTER}]{{1,40}}e[nrs] )?[{UPPER}][{LETTER}-]{{1,60}} {_HOUSE}(?=,|\n| ?\d{{5}})"
)
_ITALIAN_VIA = r"(?:Via|via(?! (?:Port|Gate|Terminal|Route|Exit|Bus|Line|Channel|Version|[A-Z]{2})))"
_ROMANCE_OR_POLISH = (
    rf"(?:[Cc]alle|[Cc]/|[Aa]venida|[Aa]vd?a?\.|[Aa]vda?|[Pp]laza|[Pp]za\.|[Pp]aseo|P\.? ?º|[Cc]amino|[Rr]onda"
    rf"|[Rr]da\.|[Cc]arretera"
    rf"|[Cc]tra\.|[Rr]ua|[Tt]ravessa|P\.zz?a|V\.le|C\.so|L\.go|[Ff]razione|[Ll]ocalità"
    rf"|[Pp]raça|Gran V[ií]a|{_ITALIAN_VIA}|[Vv]iale|[Pp]iazz(?:a|ale)|[Cc]orso|[Ll]argo|[Vv]icolo|[Ss]trada"
    rf"|[Cc]ontrada|ul\.|al\.|pl\.|os\.) ?"
    rf"(?:(?:(?:de|del|della|dei|delle|degli|dello|la|las|los|el|do|da|dos|San|Santa) ){{1,2}}"
    rf"|(?:dell|d|de l)['’])?{PLACE}"
    rf",? (?:(?:n\.? ?[º°]? ?|nr\.? ?|num\.? ?)?{_HOUSE}(?![\w%])|s/n(?!\w)|snc(?!\w))"
    r"(?:,? \d{1,2}\.?(?:[ºª°]|[oa]\b)(?: ?(?:[A-Z]\b|izqd?a?\b\.?|izda\b\.?|dch?a\b\.?))?)?"
)
_FRENCH = (
    rf"\d{{1,4}}(?: ?(?:bis|ter|quater))?,? (?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Bb]d|[Pp]lace|[Cc]hemin|[Aa]ll[ée]e"
    rf"|[Ii]mpasse|[Qq]uai|[Cc]ours|[Rr]oute|[Ss]quare)"
    rf" (?:(?:de|du|des|la|le|les) |d['’]|l['’]|de l['’]){{0,2}}{PLACE}"
)
# "Urb. Los Almendros, bloque 4, portal 2, 5º C", "lieu-dit Les Quatre Vents": an address without a street.
_ESTATE_PART = (
    r"(?:bloque|blq\.?|portal|esc(?:alera|\.)|piso|puerta|parcela|nave|manzana|casa) [\dA-Z]{1,4}"
    r"|\d{1,2}\.?[ºª°] ?[A-Z]?\b"
)
_ESTATE = (
    rf"(?:Urb(?:anización|\.)|Pol(?:ígono|\.) ?[Ii]nd(?:ustrial|\.)|Residencial|Bda\.|Barriada) {PLACE}"
    rf"(?:, (?:{_ESTATE_PART})){{0,4}}"
    rf"|[Ll]ieu-?dit {PLACE}|ZA (?:de |des |du |de la )?{PLACE}(?=,)"
)
# "ul. liliowej 52": behind these abbreviations also in small letters.
_POLISH_SMALL = (
    rf"(?:ul|al|os)\. ?[{LETTER}]{{3,30}}(?: [{LETTER}]{{3,30}}){{0,2}}"
    r" \d{1,4}[A-Za-z]?(?:/\d{1,4}| m\. ?\d{1,4})?(?!\w)"
)
_STREET = re.compile(
    rf"(?<!\w)(?:{_ENGLISH}|{_GERMAN_OR_DUTCH}|{_GERMAN_FIELD}|{_ROMANCE_OR_POLISH}|{_FRENCH}|{_ESTATE}"
    rf"|{_POLISH_SMALL}){_TAIL}"
)

_STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
# "2011 AB Haarlem" is a place behind a comma or on a new line, and else mostly a year.
_NO_YEAR = r"(?!(?:19|20)\d\d [A-Z]{2}\b(?<!, \d{4} [A-Z]{2})(?<!\n\d{4} [A-Z]{2}))"
_PLACES = re.compile(
    rf"(?<!\w)(?:{PLACE}, (?:{_STATES}),? \d{{5}}(?:-\d{{4}})?"  # Austin, TX 78701
    rf"|(?:{PLACE},? )?[A-Z]{{1,2}}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{{2}}"  # London NW1 6XE
    rf"|{_NO_YEAR}[1-9]\d{{3}} [A-RT-Z][A-Z] [{UPPER}][{LETTER}'’-]{{1,60}}"  # 1012 AB Amsterdam
    rf"|(?<!S\. )(?<!p\. )\d{{2}}-\d{{3}} {PLACE}|\d{{4}}-\d{{3}} {PLACE}"  # 00-950 Warszawa, 1000-205 Lisboa
    rf"|(?:D|A|CH|F|B|L|E|I)-\d{{4,5}} {PLACE}"  # D-10115 Berlin
    r")(?!\w)"
)
_LINE = re.compile(rf"(?:^|(?<=, )|(?<=,))(?P<value>\d{{5}} {PLACE})(?=[ \t]*(?:$|[,.;]))", re.MULTILINE)
# As labels and forms have it: "LOC. PIAN DEI CERRI 2, 50014 FIESOLE FI", "OS. TYSIĄCLECIA 41 M. 12, 31-609 KRAKÓW".
_CAPITALS = rf"[{UPPER}][{UPPER}'’.-]{{0,40}}"
_CAPITALS_CODE = rf"(?:\d{{5}}|\d{{2}}-\d{{3}}|\d{{4}} [A-Z]{{2}}) {_CAPITALS}(?:[ -]{_CAPITALS}){{0,3}}"
_IN_CAPITALS = re.compile(
    rf"(?<!\w)(?:VIA|VIALE|PIAZZA|P\.ZZA|CORSO|LOC\.|FRAZ\.|UL\.|AL\.|PL\.|OS\.|CALLE|C/|AVDA\.?|AVENIDA|PLAZA|RUE"
    rf"|AVENUE"
    rf"|BOULEVARD|CHEMIN|ALLÉE) ?(?:{_CAPITALS} ){{1,5}}\d{{1,4}}[A-Z]?(?:,? (?:M|INT|SC|PISO)\.? ?\w{{1,4}})?"
    rf"(?:,? {_CAPITALS_CODE})?"
    rf"|(?<!\w)RÉSIDENCE {_CAPITALS}(?: {_CAPITALS}){{0,3}}(?:, [{UPPER}\d .]{{1,16}}){{0,3}}, {_CAPITALS_CODE}"
)
_BOX = re.compile(
    r"(?<!\w)(?:P\.? ?O\.? Box|Postfach|[Aa]partado(?: de [Cc]orreos)?|[Bb]o[iî]te postale|BP|CS|Postbus"
    r"|[Cc]asella [Pp]ostale|[Ss]krytka [Pp]ocztowa|[Cc]aixa [Pp]ostal)"
    r"[ #:]{1,3}(?:n[.º°]{1,2} ?)?\d[\d ]{0,8}\d?(?!\w)"
)
_MILITARY = re.compile(
    r"(?<!\w)(?:(?:PSC|CMR|UNIT|U\.?S\.?[A-Z]{1,3}) [\w-]{1,20}(?:,? Box \d{1,6})?[,\s]{1,3})?"
    r"(?:APO|FPO|DPO),? A[AEP],? \d{5}(?:-\d{4})?(?!\w)",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?<![\w.-])(?:\d{5}(?:-\d{4})?|\d{4}-\d{3}|\d{2}-\d{3}|\d{4} ?[A-Z]{2}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
    r"|(?P<short>\d{3,4}))(?![\w-])"
)
_CODE_WORD = re.compile(
    r"(?<!\w)(?:zip(?: ?code)?|post(?:al)? ?code|plz|postleitzahl|code postal|c[oó]digo postal|c\.p\.|cap|kod pocztowy)"
    r"(?P<link> is| ist| est| es| è|:| to)? ?$",
    re.IGNORECASE,
)


class PostcodeRecognizer:
    """A postcode right after the word for it; alone it is a number like any other, as is a short one without "is"."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the codes."""
        for match in _CODE.finditer(text):
            named = _CODE_WORD.search(text[max(0, match.start() - 24) : match.start()])
            if named and (named["link"] or not match["short"]):
                yield Span(start=match.start(), end=match.end(), type="ADDRESS", score=0.8, source=SHAPED)


_OF_DIGITS = (
    PatternRecognizer("ADDRESS", _PLACES),
    PatternRecognizer("ADDRESS", _LINE),
    PatternRecognizer("ADDRESS", _IN_CAPITALS),
    PatternRecognizer("ADDRESS", _BOX),
    PatternRecognizer("ADDRESS", _MILITARY),
    PostcodeRecognizer(),
)
RECOGNIZERS = (
    Gated(re.compile(r"\d|s/n|snc|Urb|Pol|Resid|Bda|Barriada|[Ll]ieu|ZA "), (PatternRecognizer("ADDRESS", _STREET),)),
    Gated(DIGIT, _OF_DIGITS),
)
