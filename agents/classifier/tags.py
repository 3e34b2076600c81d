"""From the token classifier's tags to spans: parts of one name or one address become one span."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hybridmesh.agents.classifier.calendar_words import CALENDAR_WORDS
from hybridmesh.agents.classifier.recognizers.recognizer import near, words
from hybridmesh.agents.classifier.recognizers.references import is_reference
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.schemas.privacy import Span

_KINDS = {
    "GIVEN_NAME": "PERSON",
    "SURNAME": "PERSON",
    "BUILDING_NUMBER": "ADDRESS",
    "STREET_NAME": "ADDRESS",
    "SECONDARY_ADDRESS": "ADDRESS",
    "CITY": "ADDRESS",
    "STATE": "ADDRESS",
    "ZIP_CODE": "ADDRESS",
    "ROUTING_NUMBER": "BANK_ACCOUNT",
    "GOVERNMENT_ID": "NATIONAL_ID",
}
_NUMBERED = frozenset({"PHONE", "TAX_ID", "BANK_ACCOUNT", "NATIONAL_ID", "PASSPORT", "DRIVERS_LICENSE"})
_DIGITS_LEAST = 5  # of a number that identifies somebody; shorter ones are quantities
_SAME_LEAST = 4  # times the same letter: a line, not a name
_WORD_LEAST = 3  # letters of a name in lower case: "me" and "or" are none
_SIGNS = {"URL": ".", "EMAIL": "@"}  # without which a value is none of its kind
_GAPS = {"PERSON": " .'’-", "ADDRESS": " ,.\n\t-/()#"}  # what may stand between two parts
_BESIDE = frozenset({"", " ", "-", "'", "’", ". "})
_GAP_MOST = 4
_SMALL = 0.95  # what a word in small letters needs to be part of a name in a text that has capitals
# Whom everybody writes about and nobody is.
_NOBODY = frozenset({"god", "lord", "allah", "jesus", "christ", "satan", "buddha", "gott", "dios", "dieu", "dio"})
_NAMES_OF = frozenset({"PERSON", "ORGANISATION", "LOCATION"})
# Abbreviations that everybody uses, which stand where a name could and are none.
_SHORT_WORDS = frozenset(
    "cv tva iva vat ust mwst btw tel fax it hr pr edv kfz plz dob dni nie nif cif nir siret siren rib iban bic nip pesel"
    " regon bsn c.f cf p.iva piva nhs ssn api url uri pdf csv xml json sql html css http https faq gps sms mms usb vpn"
    " crm erp sap pin tan qr id kw ceo cfo cto ok asap rsvp nb ps wg aw re fwd".split()
)
_CODE = re.compile(r"[A-Z]\d{1,3}")  # "M8", "A4": a size, a road, a form
_MEASURE = re.compile(r"(?<!\w)M?\d{1,5}(?:[.,]\d+)? ?[x×] ?\d")  # "M8 x 40", "30 x 20 x 12 cm"
_NAMES = frozenset({"GIVEN_NAME", "SURNAME", "ORGANISATION", "LOCATION", "CITY", "STATE", "STREET_NAME"})
_LONE = 0.85  # what a single word in lower case needs to be a name: most of them are just words
_WEAK = 0.25  # share of its threshold that is enough for a capitalised word beside a name that was found
# "hi emma", "my name is wren", "signed by jo": what makes a single word in lower case a name all the same.
_CALLED = re.compile(
    r"(?<!\w)(?:hi|hey|hello|dear|hallo|liebe[r]?|hola|ciao|bonjour|salut|beste|name(?:'s|d)?(?: is)?|called|mr|mrs|ms"
    r"|dr|herr|frau|signora?|señora?|se[nñ]or|madame|monsieur|mme|love|regards|thanks|cheers|gr(?:uß|üße)|from|by|with|@)"
    r"[.,:]? ?\n?$",
    re.IGNORECASE,
)
_DECLARED = re.compile(r"(?<!\w)(?:const|let|var|def|fn|func|function|class|import|return|self\.|this\.|\$) ?$")
_ASSIGNED = re.compile(r" ?(?:[+*-]?=|\(|\[)")
_SHORT_NUMBER = 9  # digits: a social security number has as many
_ACCOUNT_WORD = words(
    "account", "acct", "bank", "transfer", "routing", "sort code", "iban", "card", "credit", "debit", "visa",
    "mastercard", "konto", "blz", "überweis", "kart", "cuenta", "tarjeta", "compte", "virement", "carte", "conto",
    "carta", "bonific", "rekening", "overma", "kaart", "rachun", "przelew", "conta",
)  # fmt: skip
_PLACES = frozenset({"CITY", "STATE", "LOCATION"})
# "Coldwater Mill, 5 November 2026": where and when a letter was written.
_DATE = re.compile(r"[,. ]*(?<!\d)\d{1,2}\.?(?: de)? (?P<month>[^\W\d_]+)")
_DATE_MOST = 20  # characters of a month behind a day
_NAMED = frozenset({"PERSON", "LOCATION", "ORGANISATION", "ADDRESS"})
_WEAK_ALONE = frozenset({"BUILDING_NUMBER", "SECONDARY_ADDRESS"})
_POSTCODE_LEAST = 5  # letters and digits of a postcode that stands without a place: four digits are mostly a year

# "INV-2026-104", UUIDs, hexadecimal numbers, ISBNs: what the classifier, which knows no references, takes for
# licences and house numbers.
_REFERENCE = re.compile(
    r"[A-Z]{1,6}(?:-[A-Z0-9]*\d[A-Z0-9]*)+|0x[0-9A-Fa-f]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|97[89](?:-\d{1,7}){3}-[\dX]"
)
_NEVER_REFERENCES = frozenset({"EMAIL", "URL"})


@dataclass(frozen=True, slots=True)
class Tag:
    """One tagged token: offsets in the text, the label without its B- or I-, and 1 - P(O)."""

    start: int
    end: int
    label: str
    score: float
    begins: bool


def kind_of(label: str) -> str:
    """Return the type of span that a token of this label belongs to."""
    return _KINDS.get(label, label)


def kept(text: str, tags: Sequence[Tag], thresholds: Thresholds) -> list[Tag]:
    """Return the tags that reach the threshold of their type, and the weaker parts of a name beside such a one.

    A weaker part is a capitalised word, or an initial, right beside a kept part of a person's name: "Madetoja" in
    "Pirjo Madetoja" when only the given name is sure.
    """
    cased = any(map(str.isupper, text))
    sure = [tag.score >= _needed(text, tag, thresholds, cased=cased) for tag in tags]
    for order in (range(1, len(tags)), range(len(tags) - 2, -1, -1)):
        for index in order:
            beside = index - 1 if order.step > 0 else index + 1
            if not sure[index] and sure[beside]:
                sure[index] = _is_beside(text, *sorted((tags[index], tags[beside]), key=_start)) and _is_part(
                    text, tags[index], thresholds
                )
    return [tag for tag, kept in zip(tags, sure, strict=True) if kept]


def _needed(text: str, tag: Tag, thresholds: Thresholds, *, cased: bool) -> float:
    """Return how sure a tag has to be; the model's vocabulary knows no capitals, so that small letters ask for more.

    Not in a text that has no capitals at all, nor between the words of a name ("Bank of England", "van der Berg").
    """
    least = thresholds.of(kind_of(tag.label))
    if cased and tag.label in _NAMES:
        start, end = _grown(text, tag.start, tag.end)
        if text[start:end].islower():
            return max(least, _SMALL)
    return least


def spans_of(text: str, tags: Sequence[Tag]) -> Iterator[Span]:
    """Yield a span for each run of tags of one kind, grown to the borders of its words.

    References, a number alone that was read as a house number, and an "id" of fewer than five digits are left out:
    that is what the classifier, trained without them, makes of order numbers and amounts.
    """
    for run in _runs(text, tags):
        labels = {tag.label for tag in run}
        kind = _kind(labels)
        start, end = _grown(text, run[0].start, run[-1].end)
        if kind in _SIGNS:
            start, end = _around_sign(text, start, end, _SIGNS[kind])
        if kind == "ADDRESS":
            end = _before_date(text, start, end)
        if start == end:
            continue
        score = max(tag.score for tag in run)
        if kind in _NAMED and text[start:end].casefold() in CALENDAR_WORDS and (
            score < _LONE or text[start].islower()
        ):
            continue
        if kind in _NUMBERED and is_reference(text, start):
            continue
        if kind in _NAMES_OF and _is_lone_letter(text, start, end):
            continue
        if kind == "PERSON" and score < _LONE and _is_word_of_text(text, start, end):
            continue
        if kind == "BANK_ACCOUNT" and end - start > _SHORT_NUMBER and not near(text, start, _ACCOUNT_WORD):
            continue  # any long number, for all that the text says of it
        if not _is_noise(labels, kind, text[start:end]) and not _is_reference(kind, text, start, end):
            yield Span(start=start, end=end, type=kind, score=score, source="model")


def _before_date(text: str, start: int, end: int) -> int:
    """Return where an address ends, without the date behind it that it reaches into."""
    for date in _DATE.finditer(text, start, end + _DATE_MOST):
        if date.start() < end <= date.end() and date["month"].casefold() in CALENDAR_WORDS:
            return date.start()
    return end


def _around_sign(text: str, start: int, end: int, sign: str) -> tuple[int, int]:
    """Return the piece without blanks that holds the sign: what stands beside it is another value."""
    for piece in re.finditer(r"\S+", text[start:end]):
        if sign in piece.group():
            return start + piece.start(), start + piece.end()
    return start, end


def _is_noise(labels: set[str], kind: str, value: str) -> bool:
    sign = _SIGNS.get(kind)
    if sign is not None and (sign not in value or not value[0].isalnum()):
        return True  # a piece of a whole that the recognizers have judged
    if len(value) >= _SAME_LEAST and len(set(value.casefold())) == 1:
        return True
    if kind == "PERSON" and value.casefold() in _NOBODY:
        return True
    signs = sum(map(str.isalnum, value))
    if kind in _NAMES_OF and value.strip(".").casefold() in _SHORT_WORDS:
        return True
    if kind in _NAMES_OF and _CODE.fullmatch(value) is not None:
        return True
    if kind == "ADDRESS" and _MEASURE.search(value) is not None:
        return True
    if value.islower() and signs < _WORD_LEAST:
        return True
    digits = sum(map(str.isdigit, value))
    if signs == 0 or labels <= _WEAK_ALONE or (kind in _NUMBERED and digits < _DIGITS_LEAST):
        return True
    return labels <= {"ZIP_CODE", *_WEAK_ALONE} and signs < _POSTCODE_LEAST


def _is_word_of_text(text: str, start: int, end: int) -> bool:
    """Say whether a name is one word in lower case that nobody is called by, or an identifier of a program."""
    value = text[start:end]
    if "_" in value and value.isidentifier():
        return _DECLARED.search(text[max(0, start - 16) : start]) is not None or _ASSIGNED.match(text, end) is not None
    return value.isalpha() and value.islower() and _CALLED.search(text[max(0, start - 16) : start]) is None


def _is_lone_letter(text: str, start: int, end: int) -> bool:
    """Say whether it is a letter that is no initial of a name beside it: "permis B"."""
    if sum(map(str.isalnum, text[start:end])) > 1:
        return False
    before, after = text[max(0, start - 40) : start].rstrip(" .").rpartition(" ")[2][:1], text[end : end + 3].lstrip(" .")[:1]
    return not before.isupper() and not after.isupper()


def _is_reference(kind: str, text: str, start: int, end: int) -> bool:
    while start > 0 and (_is_word(text[start - 1]) or text[start - 1] == "-"):
        start -= 1
    while end < len(text) and (_is_word(text[end]) or text[end] == "-"):
        end += 1
    return kind not in _NEVER_REFERENCES and _REFERENCE.fullmatch(text[start:end].strip("-")) is not None


def _kind(labels: set[str]) -> str:
    if labels <= _PLACES:
        return "LOCATION"
    return kind_of(min(labels))


def _runs(text: str, tags: Sequence[Tag]) -> Iterator[list[Tag]]:
    run: list[Tag] = []
    for tag in tags:
        if run and not _joins(text, run[-1], tag):
            yield run
            run = []
        run.append(tag)
    if run:
        yield run


def _joins(text: str, last: Tag, tag: Tag) -> bool:
    kind = kind_of(tag.label)
    if kind_of(last.label) != kind:
        return False
    gap = text[last.end : tag.start]
    if not gap:
        return True
    if kind in _GAPS:
        return len(gap) <= _GAP_MOST and all(char in _GAPS[kind] for char in gap)
    return not tag.begins and len(gap) <= _GAP_MOST


def _grown(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and _is_word(text[start - 1]) and _is_word(text[start]):
        start -= 1
    while end < len(text) and _is_word(text[end]) and _is_word(text[end - 1]):
        end += 1
    return start, end


def _is_beside(text: str, left: Tag, right: Tag) -> bool:
    return {kind_of(left.label), kind_of(right.label)} == {"PERSON"} and text[left.end : right.start] in _BESIDE


def _is_part(text: str, tag: Tag, thresholds: Thresholds) -> bool:
    start, _ = _grown(text, tag.start, tag.end)
    return text[start].isupper() and tag.score >= _WEAK * thresholds.of("PERSON")


def _start(tag: Tag) -> int:
    return tag.start


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
