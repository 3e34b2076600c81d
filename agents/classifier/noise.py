"""What the token classifier takes for private and is not: months, quantities, references, stray words."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from hybridmesh.agents.classifier.calendar_words import CALENDAR_WORDS
from hybridmesh.agents.classifier.medical_names import names_illness
from hybridmesh.agents.classifier.recognizers.recognizer import near, words
from hybridmesh.agents.classifier.recognizers.references import is_reference, names_thing
from hybridmesh.agents.classifier.science_names import names_discovery
from hybridmesh.agents.classifier.sky_names import names_sky
from hybridmesh.agents.classifier.technical_names import TECHNICAL_NAMES

_DIGITS_LEAST = 5  # of a number that identifies somebody; shorter ones are quantities
_SAME_LEAST = 4  # times the same letter: a line, not a name
_WORD_LEAST = 3  # letters of a name in lower case: "me" and "or" are none
_POSTCODE_LEAST = 5  # letters and digits of a postcode that stands without a place: four digits are mostly a year
_SHORT_NUMBER = 9  # digits: a social security number has as many
_LONE = 0.85  # what a single word in lower case needs to be a name: most of them are just words

SIGNS = {"URL": ".", "EMAIL": "@"}  # without which a value is none of its kind
_NUMBERED = frozenset({"PHONE", "TAX_ID", "BANK_ACCOUNT", "NATIONAL_ID", "PASSPORT", "DRIVERS_LICENSE"})
_IDS = _NUMBERED - {"PHONE", "BANK_ACCOUNT"}
_NAMES = frozenset({"PERSON", "LOCATION", "ORGANISATION"})
_WEAK_ALONE = frozenset({"BUILDING_NUMBER", "SECONDARY_ADDRESS"})
# Whom everybody writes about and nobody is, and what one answers.
_NOBODY = frozenset({
    "god", "lord", "allah", "jesus", "christ", "satan", "buddha", "gott", "dios", "dieu", "dio",
    "ja", "nein", "oui", "non", "sí", "sì", "nee", "tak", "nie", "sim", "não",
})  # fmt: skip
# Abbreviations that stand where a name could.
_ABBREVIATIONS = frozenset({
    "aw", "bic", "bsn", "btw", "c.f", "ceo", "cf", "cfo", "cif", "crm", "css", "csv", "cto", "cv", "dni", "dob", "drs",
    "edv", "erp", "faq", "fax", "fwd", "gps", "hr", "html", "http", "https", "iban", "id", "it", "iva", "json", "kfz",
    "kw", "mlle", "mme", "mms", "mw", "mwst", "nb", "nhs", "nie", "nif", "nip", "nir", "ok", "p.iva", "pdf", "pesel",
    "pin", "piva", "plz", "pr", "ps", "qr", "regon", "rib", "rsvp", "sap", "sig", "siren", "siret", "sms", "sql",
    "sra", "ssn", "tan", "tel", "tva", "uri", "url", "usb", "ust", "vat", "vpn", "wg", "xml",
})  # fmt: skip
# What names the number behind it, or ends a letter: at the edge of a name or an address, it is no part of it.
LABEL_WORDS = frozenset({
    "abi", "bic", "bsn", "btw", "c.f", "cab", "cell", "cf", "cif", "cvc", "cvv", "dni", "dob", "fax", "gsm", "handy",
    "iban", "iva", "lg", "mfg", "mobil", "mwst", "móvil", "nie", "nif", "nip", "nir", "pesel", "piva", "plz", "regon",
    "rib", "siren", "siret", "ssn", "swift", "tel", "telefon", "tlm", "tva", "tél", "ust", "vat", "vg",
})  # fmt: skip
# In capitals only, and none that somebody is called ("RAM", "AI", "SWIFT").
_ACRONYMS = frozenset({
    "2FA", "AGB", "API", "ARR", "ATM", "B2B", "B2C", "BDSG", "BHP", "BMI", "CAC", "CAPEX", "CD", "CDD", "CDI", "COPD",
    "CPC", "CPU", "CRP", "CSE", "CT", "CTR", "CVC", "CVV", "DIY", "DNA", "DNS", "DSGVO", "DVD", "EAN", "EBIT",
    "EBITDA", "ECG", "EEG", "EKG", "ETA", "FAQ", "FT3", "FT4", "FTP", "FYI", "GDPR", "GPU", "HBA1C", "HDD", "HDL",
    "HIV", "HTTP", "IMAP", "IMU", "INR", "IP", "IRPEF", "IRPF", "ISBN", "KPI", "LAN", "LCD", "LDL", "LED", "LLM",
    "LTV", "MFA", "MRI", "MRN", "MRR", "MRT", "MVP", "NDA", "NFC", "OCR", "OKR", "OPEX", "OTP", "PCR", "PNR", "POC",
    "POS", "PSA", "PTO", "QA", "RFID", "RFP", "RGPD", "RNA", "RODO", "ROI", "RTG", "SDK", "SEO", "SEPA", "SKU", "SLA",
    "SMIC", "SMTP", "SOW", "SSD", "SSH", "SSL", "SSO", "TBD", "TCP", "TLS", "TSH", "TTC", "TV", "UDP", "UI", "USP",
    "UTC", "USG", "UTM", "UX", "VCARD", "WLAN",
})  # fmt: skip
_SIZE = re.compile(r"[A-Z]\d{1,3}")  # "M8", "A4": a screw, a sheet, a road
_MEASURE = re.compile(  # "30 x 20 x 12 cm", "3 x Engelse Sleutel", "2 szt. Klucz"
    r"(?<!\w)M?\d{1,5}(?:[.,]\d+)? ?[x×] ?\d|(?<!\w)\d{1,4} ?(?:x|×|szt|uds?|stk|stuks?|pcs|pz|pi[eè]ces?)(?!\w)"
)
# "Mandatsreferenz 8812-55", "Durchwahl -214", and what stands behind "port": numbers that are no house's.
_NUMBERED_WORD = re.compile(r"(?P<word>[^\W\d_]{3,40})\.? ?[-#:]? ?(?=\d)[\d /.-]+")
_OTHER_NUMBER = re.compile(
    r"(?<!\w)(?:ports?|pid|uid|pnr|line|zeile|ligne|riga|l[ií]nea|page|seite|p[aá]gina|strona|durchwahl|poste|exit"
    r" code)"
    r"[ :#]{1,3}-?$",
    re.IGNORECASE,
)
# "1520 kJ", "3 Nm": behind a number, a sign of what is measured.
_UNIT = re.compile(
    r"[kMGTmµnhdc]?(?:J|W|Wh|V|A|Ah|Hz|B|Bit|b|bps|g|m|l|L|Pa|bar|cal|N|Nm|K|C|F|dB|Ω|mol|s|h|min|px|pt|em)"
)
_COUNTED = re.compile(r"\d[ \u00a0]?$")
# "IT-Leiter", of which the second half is taken for a name.
_ACRONYM_BEFORE = re.compile(r"(?<!\w)[A-Z]{2,5}$")
# "hi emma", "my name is wren", "signed by jo": what makes a single word in lower case a name all the same.
_CALLED = re.compile(
    r"(?<!\w)(?:hi|hey|hello|dear|hallo|liebe[r]?|hola|ciao|bonjour|salut|beste|name(?:'s|d)?(?: is)?|called|mr|mrs|ms"
    r"|dr|herr|frau|signora?|señora?|se[nñ]or|madame|monsieur|mme|love|regards|thanks|cheers|gr(?:uß|üße)|from|by|with|@)"
    r"[.,:]? ?\n?$",
    re.IGNORECASE,
)
_GROUPS = re.compile(
    r"(?<!\w)\d[\d ./-]{0,23}$"
)  # of digits, of which the model takes the last for a number of its own
_REACH = 24
_DECLARED = re.compile(r"(?<!\w)(?:const|let|var|def|fn|func|function|class|import|return|self\.|this\.|\$) ?$")
_ASSIGNED = re.compile(r" ?(?:[+*-]?=|\(|\[)")
_ACCOUNT_WORD = words(
    "account", "acct", "bank", "transfer", "routing", "sort code", "iban", "card", "credit", "debit", "visa",
    "mastercard", "konto", "blz", "überweis", "kart", "cuenta", "tarjeta", "compte", "virement", "carte", "conto",
    "carta", "bonific", "rekening", "overma", "kaart", "rachun", "przelew", "conta",
)  # fmt: skip
# "INV-2026-104", UUIDs, hexadecimal numbers, ISBNs: what the classifier, which knows no references, takes for
# licences and house numbers.
_REFERENCE = re.compile(
    r"[A-Z]{1,6}(?:-[A-Z0-9]*\d[A-Z0-9]*)+|0x[0-9A-Fa-f]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|97[89](?:-\d{1,7}){3}-[\dX]"
)

_BLOCK = re.compile(r"(?:^|\n)(?:BEGIN|END):$")
_CLASS = re.compile(r"(?:[A-Z][a-z]{2,20}){2,5}")
_HEX = re.compile(r"(?=[^a-f]*[a-f])[0-9a-f-]{12,64}")
_AMOUNT = re.compile(  # a column of numbers that are no postcodes
    r"(?:salary|amount|total|price|sum|balance|gehalt|betrag|preis|summe|montant|prix|salaire|importe|precio|salario"
    r"|importo|prezzo|stipendio|bedrag|prijs|salaris|kwota|cena|pensja): $",
    re.IGNORECASE,
)
_DAYS = frozenset({
    "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun", "mo", "di", "mi", "do", "fr", "sa", "so",
    "lun", "mar", "mer", "jeu", "ven", "sam", "dim", "mié", "mie", "jue", "vie", "sáb", "sab", "dom", "gio", "ma", "wo",
    "vr", "za", "zo", "pon", "wt", "śr", "czw", "pt", "sob", "niedz", "seg", "ter", "qua", "qui", "sex",
})  # fmt: skip
_DAY_BEHIND = re.compile(r"[.,]{0,2} (?:\d{1,2}[ ./-]|\d{1,2}(?:st|nd|rd|th)|[A-Z][a-z]{2} \d)")


@dataclass(frozen=True, slots=True)
class Guess:
    """A stretch that the classifier takes for private: its type, the labels of its tokens and the best score."""

    text: str
    start: int
    end: int
    kind: str
    labels: frozenset[str]
    score: float

    @property
    def value(self) -> str:
        """What it says."""
        return self.text[self.start : self.end]


def is_noise(guess: Guess) -> bool:
    """Say whether a guess is nothing private, for all that its form and its neighbours say."""
    return any(rule(guess) for rule in _RULES)


def _is_piece(guess: Guess) -> bool:
    """A piece of a whole that the recognizers have judged."""
    sign = SIGNS.get(guess.kind)
    return sign is not None and (sign not in guess.value or not guess.value[0].isalnum())


def _is_word(guess: Guess) -> bool:
    """A line of one letter, a pronoun, a month, an abbreviation, a god."""
    value = guess.value.casefold()
    if len(value) >= _SAME_LEAST and len(set(value)) == 1:
        return True
    if value in CALENDAR_WORDS and guess.kind in (*_NAMES, "ADDRESS"):
        return guess.score < _LONE or guess.value[0].islower()
    if guess.value.islower() and sum(map(str.isalnum, value)) < _WORD_LEAST:
        return True
    found = set(re.findall(r"[^\W_]+", guess.value)) if guess.kind in _NAMES else set[str]()
    if found and (found <= _ACRONYMS or {word.casefold() for word in found} <= TECHNICAL_NAMES):
        return True
    return guess.kind in _NAMES and (value.strip(".") in _ABBREVIATIONS or value in _NOBODY)


def _is_called_after(guess: Guess) -> bool:
    """An illness or a law that is called after somebody: "maladie de Crohn", "cycle de Calvin"; a planet, a feast."""
    if guess.kind not in (*_NAMES, "ADDRESS"):
        return False
    place = guess.text, guess.start, guess.end
    return names_illness(*place) or names_discovery(*place) or (guess.kind != "ORGANISATION" and names_sky(*place))


def _is_sign(guess: Guess) -> bool:
    """A name without a letter, a unit behind a number, the second half of "IT-Leiter"."""
    if guess.kind not in _NAMES:
        return False
    value = guess.value
    if not any(map(str.isalpha, value)):
        return True
    before = guess.text[max(0, guess.start - 8) : guess.start]
    if value.startswith("-") and not value.isupper() and _ACRONYM_BEFORE.search(before):
        return True
    return _UNIT.fullmatch(value) is not None and _COUNTED.search(before) is not None


def _is_quantity(guess: Guess) -> bool:
    """Fewer digits than tell somebody, a house number alone, a measure."""
    signs, digits = sum(map(str.isalnum, guess.value)), sum(map(str.isdigit, guess.value))
    if signs == 0 or guess.labels <= _WEAK_ALONE or (guess.kind in _NUMBERED and digits < _DIGITS_LEAST):
        return True
    if guess.labels <= {"ZIP_CODE", *_WEAK_ALONE} and signs < _POSTCODE_LEAST:
        return True
    if guess.kind in _NAMES and _SIZE.fullmatch(guess.value) is not None:
        return True
    return guess.kind == "ADDRESS" and _MEASURE.search(guess.value) is not None


def _is_other_number(guess: Guess) -> bool:
    """A reference by its form or by the word before it, and any long number that nothing calls an account."""
    if guess.kind in _IDS and is_reference(guess.text, guess.start):
        return True
    if guess.kind in _NUMBERED and guess.value[0] != "+":
        begun = _GROUPS.search(guess.text, max(0, guess.start - _REACH), guess.start)
        if names_thing(guess.text, guess.start if begun is None else begun.start()):
            return True
    if guess.kind == "ADDRESS" and _is_numbered(guess):
        return True
    if guess.kind == "BANK_ACCOUNT" and guess.end - guess.start > _SHORT_NUMBER:
        return not near(guess.text, guess.start, _ACCOUNT_WORD)
    return guess.kind not in SIGNS and _REFERENCE.fullmatch(_whole(guess).strip("-")) is not None


def _is_numbered(guess: Guess) -> bool:
    """A number behind a word that names it, which may be taken for a street."""
    start = guess.start
    if (named := _NUMBERED_WORD.fullmatch(guess.value)) is not None:
        start += named.end("word") + 1
        if is_reference(guess.text, start):
            return True
    return _OTHER_NUMBER.search(guess.text, max(0, start - 16), start) is not None


def _is_lone_letter(guess: Guess) -> bool:
    """A letter that is no initial of a name beside it: "permis B"."""
    if guess.kind not in _NAMES or sum(map(str.isalnum, guess.value)) > 1:
        return False
    before = guess.text[max(0, guess.start - 40) : guess.start].rstrip(" .").rpartition(" ")[2][:1]
    after = guess.text[guess.end : guess.end + 3].lstrip(" .")[:1]
    return not before.isupper() and not after.isupper()


def _is_word_of_text(guess: Guess) -> bool:
    """One word in lower case that nobody is called by, or an identifier of a program."""
    if guess.kind != "PERSON" or guess.score >= _LONE:
        return False
    value, before = guess.value, guess.text[max(0, guess.start - 16) : guess.start]
    if "_" in value and value.isidentifier():
        return _DECLARED.search(before) is not None or _ASSIGNED.match(guess.text, guess.end) is not None
    return value.isalpha() and value.islower() and _CALLED.search(before) is None


def _is_syntax(guess: Guess) -> bool:
    """A line that begins a block of iCalendar, a class of a program, a hexadecimal number, a day before its date."""
    before = guess.text[max(0, guess.start - 12) : guess.start]
    if guess.kind in _NUMBERED:
        return _HEX.fullmatch(guess.value) is not None
    if guess.kind not in _NAMES:
        return (
            guess.labels <= {"ZIP_CODE", *_WEAK_ALONE} and guess.value.isdigit() and _AMOUNT.search(before) is not None
        )
    if _BLOCK.search(before) and guess.value.isupper():
        return True
    if before[-1:] == "." and before[-2:-1].islower() and _CLASS.fullmatch(guess.value):
        return True
    return guess.value.casefold() in _DAYS and _DAY_BEHIND.match(guess.text, guess.end) is not None


_RULES: tuple[Callable[[Guess], bool], ...] = (
    _is_piece, _is_word, _is_quantity, _is_other_number, _is_lone_letter, _is_word_of_text,
    _is_called_after, _is_sign, _is_syntax,
)  # fmt: skip


def _whole(guess: Guess) -> str:
    """Return the value with all that no blank parts from it."""
    start, end = guess.start, guess.end
    while start > 0 and _joins(guess.text[start - 1]):
        start -= 1
    while end < len(guess.text) and _joins(guess.text[end]):
        end += 1
    return guess.text[start:end]


def _joins(char: str) -> bool:
    return char.isalnum() or char in "_-"
