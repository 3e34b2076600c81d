"""Organisations by their legal form: "Nordlicht Logistik GmbH", "Baker & Sons Ltd"."""

import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.everyday import all_everyday, languages_of
from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED, Hinted, PatternRecognizer
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER
from hybridmesh.schemas.privacy import Span

_FORM = (
    r"(?:GmbH(?: & Co\.? KGa?A?)?|gGmbH|GesmbH|Ges\.m\.b\.H|mbH|KGaA|OHG|e\.? ?K\.|e\. ?V\.|e\. ?[GU]\.|e[GU]|Ltd"
    r"|Limited|LLC|LLP|PLC|plc|Inc|Incorporated"
    r"|Corp|Corporation|Pty|S\.?A\.?S|S\.?A\.?R\.?L|SARL|EURL"
    r"|S\.n\.c|Snc|S\.a\.s|S\.C|Sp\. j|Sp\. k|S\.A\.U|SLU|SCI|SASU|PartG|GbR|mbB|V\.O\.F|VOF"
    r"|S\.A|S\.L\.U|S\.L|S\.p\.A|SpA|S\.r\.l|Srl|B\.V|N\.V|Lda|Ltda"
    r"|A/S|ApS|Oyj|Sp\. z o\. ?o|sp\. z o\. ?o|S\.K\.A|S\.A\. de C\.V|S\. ?Coop|Soc\. ?Coop)"
)
_SHORT_FORM = r"(?:AG|KG|UG|SE|SAS|SL|BV|NV|AB|Oy)"  # also words and codes: never behind a number
_WORD = rf"[{UPPER}\d][{LETTER}\d'’.-]{{0,40}}"
_ORGANISATION = re.compile(
    rf"(?<!\w){_WORD}(?:,? (?:(?:&|and|und|et|y|of|de|für|for) )?{_WORD}){{0,4}}"
    rf"(?:,? {_FORM}|(?<=[{LETTER}.]) {_SHORT_FORM}(?!-\d))(?!\w)\.?"
)
_KIND = r"(?:University|Hospital|Bank|Clinic|Holdings|Partners|Group|Foundation|& Sons|& Co)"
_ARTICLE = rf"(?:The|An?|This|That|Our|Your|My|Die|Der|Das|Eine|La|Le|El|Una?|De|Het|Een) {_KIND}"
_INSTITUTE = re.compile(
    r"(?<!\w)(?:University|Bank|Hospital|Universität|Universidad|Université|Klinikum|Kanzlei|Sparkasse|Clínica"
    r"|Clinique|Hôpital)"
    rf" (?:of |de |del |der |des )?{_WORD}(?: {_WORD}){{0,2}}"
    rf"|(?<!\w)(?!{_ARTICLE})(?:{_WORD} ){{1,3}}{_KIND}(?!\w)"
)

# "Banca Popolare dell'Adda", "Ayuntamiento de Carmona", "Banku Spółdzielczego w Łosicach": the kind comes first.
_KIND_FIRST = (
    r"(?:Banc[ao]|Banque|Caja|Caisse|Cassa|Cr[eé]dit|Comune|Ayuntamiento|Mairie|Gemeente|Groupe|Grup[op]|Gruppo|Cabinet"
    r"|Bufete|Ospedale|Szpital\w{0,3}|Ziekenhuis|Farmacia|Pharmacie|Autohaus|Stadtwerke|Volksbank|Raiffeisenbank"
    r"|Rabobank|Clinica|Klinik|Residenza|Residencia"
    r"|Bank(?:u|iem|owi)|Kancelari[aię]|Przychodni[aię]?|Universit[àä]t?|Uniwersytet\w{0,3}|Lycée|Collège|Colegio|Liceo"
    r"|Instituto|Istituto|Stichting|Fundación|Fundacj[aię]|Fondation|Fondazione|Asociación|Associazione|Association)"
)
_LINKS = (
    r"(?:(?:de la|de los|de las|de|du|des|del|della|delle|dei|degli|di|van de|van|w|we|im|am) |(?:d|l|dell|de l)['’])"
)
_ROMANCE = re.compile(
    rf"(?<!\w){_KIND_FIRST} (?:{_WORD} )?(?:{_LINKS})?{_WORD}(?:[ -]{_WORD}){{0,2}}"
    rf"|(?<!\w){_KIND_FIRST} {_LINKS}{_WORD}(?:[ -]{_WORD}){{0,2}}"
)

# The legal form or the trade comes first: "SARL Toitures du Périgord", "Studio Legale Sforzini"; or the family last.
FORM_FIRST = re.compile(
    rf"(?<!\w)(?:SARL|EURL|SASU|SCI|SAS|SNC) {_WORD}(?: (?:{_LINKS})?{_WORD}){{0,3}}"
    rf"|(?<!\w)Studio (?:Legale|Medico|Dentistico|Notarile|Tecnico|Commerciale) {_WORD}(?: (?:& |e )?{_WORD}){{0,2}}"
    rf"|(?<!\w)Kancelari[aięą] (?:Adwokack|Radcowsk|Prawn|Notarialn)\w{{1,3}} {_WORD}(?: (?:& |i )?{_WORD}){{0,2}}"
    rf"|(?<!\w)Spółdzieln\w{{1,3}} (?:{_WORD} )?(?:[„\"“][^„”\"“\n]{{2,40}}[”\"“]|{_WORD})"
    rf"|(?<!\w)(?:{_WORD} ){{1,3}}(?:e Hijos|y Hijos|e Figli|& Figli|et Fils|& Fils|& Söhne|und Söhne|& Zonen|en Zonen"
    r"|i Wspólnicy|i Synowie)(?!\w)"
)

# "Panadería Ibarra", "Praxis Dr. Sommerfeld": a trade, and a name.
_TRADE = (
    r"(?:Mutuelle|Coop[eé]rativ[ea]|Almacenes|Panadería|Pastelería|Ferretería|Librería|Peluquería|Talleres|Laboratorios"
    r"|Transportes|Bodegas|Conservas|Hostal|Autoescuela|Gestoría|Caserío|Boulangerie|Pâtisserie|Menuiserie|Boucherie"
    r"|Librairie"
    r"|Transports|Auberge|Laiteries?|Laboratoires|Garage|Panificio|Pasticceria|Macelleria|Mobilificio|Autotrasporti"
    r"|Trattoria"
    r"|Locanda|Cantin[ae]|Caseificio|Salumificio|Officin[ae]|Libreria|Casa di Cura|Ceramiche|Feinkost|Tischlerei"
    r"|Schreinerei"
    r"|Bäckerei|Metzgerei|Fleischerei|Praxis|Gasthof|Gasthaus|Spedition|Fahrschule|Sanitätshaus|Weingut|Brauerei"
    r"|Gärtnerei"
    r"|Baumschule|Buchhandlung|Reisebüro|Autohaus|Bakkerij|Slagerij|Bouwbedrijf|Scheepswerf|Loodgietersbedrijf"
    r"|Garagebedrijf"
    r"|Huisartsenpraktijk|Praktijk|Piekarni[aię]|Hurtowni[aię]|Cukierni[aię]|Zakład|Apteka|Drukarni[aię])"
)
_TRADES = re.compile(rf"(?<!\w){_TRADE} (?:(?:{_LINKS})?(?P<name>(?:Dr\. )?(?:{_WORD} ){{0,2}}{_WORD}))")


class TradeRecognizer:
    """A trade and its name; a single everyday word behind it is none: "Panadería Artesanal", "Praxis Montags"."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the names with their trade."""
        languages: tuple[str, ...] | None = None  # told once, and only where they matter
        for match in _TRADES.finditer(text):
            name = match["name"]
            if " " not in name:
                languages = languages_of(text) if languages is None else languages
            if " " in name or not all_everyday(name, languages or ()):
                yield Span(start=match.start(), end=match.end(), type="ORGANISATION", score=0.6, source=SHAPED)


# "Grundschule am Weidenbach", "école élémentaire des Tilleuls", "basisschool De Klimtoren", "Szkoła Podstawowa nr 7".
_SCHOOL_FIRST = (
    r"(?:[ÉéEe]cole (?:élémentaire|maternelle|primaire)|[Cc]ollège|[Ll]ycée|CEIP|IES|[Ee]scuela [Ii]nfantil"
    r"|[Gg]uardería"
    r"|[Ss]cuola (?:primaria|elementare|media|materna|dell['’]infanzia)|[Aa]silo nido|[Ii]stituto [Cc]omprensivo"
    r"|[Bb]asisschool|[Kk]inderdagverblijf|[Ss]zko[łl]\w{1,3} [Pp]odstawow\w{1,3}|[Pp]rzedszkol\w{1,3}|Kita)"
)
_GRADE = r"(?:Primary|Elementary|High|Middle|Grammar|Secondary|Infant|Junior|Nursery|Preparatory)"
SCHOOL = re.compile(
    rf"(?<!\w){_SCHOOL_FIRST} (?:{_LINKS}|nr\.? ?|im\. )?{_WORD}(?:(?:[ -]| (?:y|i|e|et) ){_WORD}){{0,2}}"
    rf"|(?<!\w){_SCHOOL_FIRST} (?:„[^”\n]{{2,40}}”|\"[^\"\n]{{2,40}}\"|“[^”\n]{{2,40}}”|«[^»\n]{{2,40}}»)"
    r"|(?<!\w)(?:(?:Grund|Haupt|Real|Gesamt|Berufs|Förder|Mittel)schule|Gymnasium|Kindergarten)"
    rf" (?:am|im|an der|in der|zum|zur|St\.) {_WORD}(?:[ -]{_WORD}){{0,1}}"
    rf"|(?<!\w)(?!(?:The|An?|Our|Your|My|This|Public|Private|Local|Junior|Senior) {_GRADE})"
    rf"(?:{_WORD} ){{1,3}}{_GRADE} School(?!\w)"
)

_INSTITUTE_HINTS = (
    "universi", "bank", "hospital", "klinikum", "kanzlei", "sparkasse", "clínica", "clini", "hôpital", "holdings",
    "partners", "group", "foundation", "& sons", "& co",
)  # fmt: skip
_KIND_HINTS = (
    "ban", "caja", "caisse", "cassa", "crédit", "credit", "comune", "ayuntamiento", "mairie", "gemeente", "grup",
    "group", "cabinet", "bufete", "ospedale", "szpital", "ziekenhuis", "farmacia", "pharmacie", "autohaus",
    "stadtwerke",
    "kancelari", "przychodni", "universit", "uniwersytet", "lycée", "collège", "colegio", "liceo", "instituto",
    "istituto", "stichting", "fundac", "fondation", "fondazione", "asociación", "associa", "clinica", "klinik",
    "residen",
)  # fmt: skip
FORM_HINTS = (
    "sarl", "eurl", "sasu", "sci", "sas", "snc", "studio", "kancelari", "spółdzieln", "hijos", "figli", "fils", "söhne",
    "zonen", "wspólnicy", "synowie",
)  # fmt: skip
SCHOOL_HINTS = (
    "cole", "collège", "lycée", "ceip", "ies ", "scuela", "guardería", "scuola", "asilo", "istituto", "school", "zko",
    "kinderdag", "kita", "schule", "gymnasium", "kindergarten",
)  # fmt: skip

RECOGNIZERS = (
    PatternRecognizer("ORGANISATION", _ORGANISATION, score=0.8),
    Hinted(_INSTITUTE_HINTS, (PatternRecognizer("ORGANISATION", _INSTITUTE, score=0.6),)),
    Hinted(_KIND_HINTS, (PatternRecognizer("ORGANISATION", _ROMANCE, score=0.6),)),
    Hinted(FORM_HINTS, (PatternRecognizer("ORGANISATION", FORM_FIRST, score=0.8),)),
    Hinted(SCHOOL_HINTS, (PatternRecognizer("ORGANISATION", SCHOOL, score=0.7),)),
    TradeRecognizer(),
)
