"""Organisations by their legal form: "Nordlicht Logistik GmbH", "Baker & Sons Ltd"."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import PatternRecognizer
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER

_FORM = (
    r"(?:GmbH(?: & Co\.? KGa?A?)?|gGmbH|mbH|AG|KGaA|KG|OHG|e\.? ?K\.|e\. ?V\.|UG|SE|Ltd|Limited|LLC|LLP|PLC|plc"
    r"|Inc|Incorporated|Corp|Corporation|Pty|S\.?A\.?S|S\.?A\.?R\.?L|SARL|SAS|EURL|S\.A|S\.L\.U|S\.L|SL|S\.p\.A|SpA|S\.r\.l|Srl|B\.V|BV|N\.V|NV|Lda|Ltda"
    r"|A/S|ApS|AB|Oy|Oyj|Sp\. z o\.o)"
)
_WORD = rf"[{UPPER}\d][{LETTER}\d'’.-]{{0,40}}"
_ORGANISATION = re.compile(
    rf"(?<!\w){_WORD}(?:,? (?:(?:&|and|und|et|y|of|de|für|for) )?{_WORD}){{0,4}},? {_FORM}(?!\w)\.?"
)
_INSTITUTE = re.compile(
    r"(?<!\w)(?:University|Bank|Hospital|Universität|Universidad|Université|Klinikum|Kanzlei|Sparkasse|Clínica"
    r"|Clinique|Hôpital)"
    rf" (?:of |de |del |der |des )?{_WORD}(?: {_WORD}){{0,2}}"
    rf"|(?<!\w)(?:{_WORD} ){{1,3}}(?:University|Hospital|Bank|Clinic|Holdings|Partners|Group"
    r"|Foundation|& Sons|& Co)(?!\w)"
)

RECOGNIZERS = (
    PatternRecognizer("ORGANISATION", _ORGANISATION, score=0.8),
    PatternRecognizer("ORGANISATION", _INSTITUTE, score=0.6),
)
