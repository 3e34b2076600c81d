"""Payment cards: Luhn and the issuers' number ranges (ISO/IEC 7812), with or without separators."""

import re

from hybridmesh.agents.classifier.recognizers.checksums import compact, luhn
from hybridmesh.agents.classifier.recognizers.recognizer import PatternRecognizer, words

_NUMBER = re.compile(r"(?<![\w.-])\d(?:[ .-]?\d){11,18}(?![\w]|[.-]\d)")
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12}(?:\d{3})?"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}(?:\d{3})?"  # JCB
    r"|62\d{14}(?:\d{3})?"  # UnionPay
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}",  # Maestro
    re.ASCII,
)
_CONTEXT = words(
    r"credit ?card", r"debit ?card", r"card (?:no|num|ending)", r"card:", r"card is\b", r"visa\b", r"master ?card",
    r"amex\b", r"maestro\b", r"kreditkarte", r"karten?(?:nummer|nr)", r"tarjeta", r"carte (?:bancaire|de cr)",
    r"carta di", r"creditcard",
)  # fmt: skip
_SECURITY_CODE = re.compile(
    r"(?<!\w)(?:cvv2?|cvc2?|cid|csc|security code|(?:karten)?prüf(?:ziffer|nummer)|sicherheitscode"
    r"|cryptogramme(?: visuel)?"
    r"|code de sécurité|c[oó]digo de (?:seguridad|segurança)|codice di sicurezza|beveiligingscode|kod (?:cvv|cvc"
    r"|zabezpieczający))"
    r"\W{1,4}(?:(?:is|ist|est|es|è|to) )?(?P<value>\d{3,4})\b",
    re.IGNORECASE,
)


def issued(value: str) -> bool:
    """Say whether a number lies in an issuer's range, has its length, and passes Luhn."""
    return _ISSUED.fullmatch(compact(value)) is not None and luhn(value)


RECOGNIZERS = (
    PatternRecognizer("CARD", _NUMBER, check=issued, context=_CONTEXT, alone=True),
    PatternRecognizer("CARD", _SECURITY_CODE),
)
