"""Bank accounts: IBAN (ISO 13616), BIC and domestic account numbers in context."""

import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.recognizers.checksums import mod97, routing
from hybridmesh.agents.classifier.recognizers.recognizer import CHECKED, SHAPED, PatternRecognizer, near, words
from hybridmesh.schemas.privacy import Span

# Lengths by country, from the SWIFT IBAN registry.
_LENGTHS = {
    country: int(length)
    for length, countries in {
        "15": "NO", "16": "BE BI", "18": "DK FO FI GL NL SD FK", "19": "MK SI", "20": "AT BA EE KZ LT LU XK MN",
        "21": "CH HR LI LV", "22": "BG BH CR DE GB GE IE ME RS VA", "23": "AE GI IL IQ OM TL SO",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG", "25": "PT LY ST", "26": "IS TR", "27": "FR GR IT MC MR SM DJ",
        "28": "AL AZ BY CY DO GT HU LB NI PL SV", "29": "BR EG PS QA UA", "30": "JO KW MU YE", "31": "MT SC",
        "32": "LC", "33": "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip

_HEAD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ -]?\d{2}(?=[ -]?[A-Za-z0-9]{2}|[ \t]{0,8}\r?\n)")
_BODY = re.compile(r"(?:[ .-]|[ \t]{0,8}\r?\n[ \t>|]{0,24})?[A-Za-z0-9]", re.ASCII)
_IBAN_WORD = words("iban", "account", "konto", "cuenta", "compte", "conto", "rekening")
_BIC = re.compile(r"(?<!\w)[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?(?!\w)")
_BIC_WORD = words("bic", "swift", "iban")
_ACCOUNT = re.compile(r"(?<![\w-])(?:\d[ -]?){5,17}\d(?![\w]|[.,]\d)")
_ACCOUNT_WORD = words(
    r"account (?:no|num|#)", r"bank account", r"acct", r"routing", r"sort code", r"konto(?:nummer|nr)",
    r"bankleitzahl", r"blz\b", r"n[uú]mero de cuenta", r"cuenta (?:bancaria|corriente)", r"rekeningnummer", r"rib\b",
    r"(?:num[eé]ro de|num[eé]ro du) compte", r"compte bancaire", r"conto corrente", r"numero di conto",
    r"(?:numer|nr) (?:konta|rachunku)", r"rachun(?:ek|ku) bankow",
)  # fmt: skip
# "ABI 05428, CAB 11101", "code banque 30004": which bank and branch, in Italy and France; German BLZ in groups.
_BRANCH = re.compile(
    r"(?<!\w)(?:ABI|CAB|[Cc]ode (?:banque|guichet)|[Bb]anque|[Gg]uichet|[Ss]ort [Cc]ode|BLZ)(?: ?:)? "
    r"(?P<value>\d{5}|\d{2}-\d{2}-\d{2}|\d{3} \d{3} \d{2})(?![\w-]|[.,]\d)"
)
_ROUTING = re.compile(r"(?<![\w-])\d{9}(?![\w-]|[.,]\d)")
_ROUTING_WORD = words(r"routing", r"aba\b", r"rtn\b")


class IbanRecognizer:
    """IBANs of any grouping; one whose check digits fail is found after a word for accounts."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield IBANs by their country's length, so that the words that follow are left alone."""
        for head in _HEAD.finditer(text):
            end = self._end(text, head)
            if end is None:
                continue
            held = mod97(text[head.start() : end])
            value = text[head.start() : end]
            mistyped = not held and "\n" not in value and _is_mostly_digits(value)
            if held or (mistyped and near(text, head.start(), _IBAN_WORD)):
                source = CHECKED if held else SHAPED
                yield Span(start=head.start(), end=end, type="IBAN", score=1.0 if held else 0.8, source=source)

    def _end(self, text: str, head: re.Match[str]) -> int | None:
        length = _LENGTHS.get(head.group()[:2].upper())
        if length is None:
            return None
        at = head.end()
        for _ in range(length - 4):
            step = _BODY.match(text, at)
            if step is None:
                return None
            at = step.end()
        return None if at < len(text) and text[at].isalnum() else at


def _is_mostly_digits(value: str) -> bool:
    """Say whether it is more than a reference with words behind it: "account NL-204417 and the user"."""
    return 2 * sum(map(str.isdigit, value)) >= sum(map(str.isalnum, value))


RECOGNIZERS = (
    IbanRecognizer(),
    PatternRecognizer("BIC", _BIC, context=_BIC_WORD),
    PatternRecognizer("BANK_ACCOUNT", _ROUTING, check=routing, context=_ROUTING_WORD),
    PatternRecognizer("BANK_ACCOUNT", _ACCOUNT, context=_ACCOUNT_WORD),
    PatternRecognizer("BANK_ACCOUNT", _BRANCH),
)
