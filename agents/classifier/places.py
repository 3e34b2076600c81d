"""An address is one value: its pieces, with the numbers, units and postcodes around them, become one span."""

import re
from collections.abc import Sequence

from hybridmesh.agents.classifier.calendar_words import CALENDAR_WORDS
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER
from hybridmesh.schemas.privacy import Span

_KINDS = frozenset({"ADDRESS", "LOCATION"})
_UNIT = r"(?:Suite|Ste|Apt|Apartment|Unit|Flat|Floor|Room|Box|Wohnung|Etage|Piso|interno|bât)\.? ?#?[\w-]{1,6}"
_UNIT_WORD = r"(?:Suite|Ste|Apt|Apartment|Unit|Flat|Floor|Room|Box|Wohnung|Etage|Piso)\.?"
_BREAK = r"[\s,;>.()/-]{1,6}"
_PART = rf"(?:\d{{1,6}}[A-Za-z]?|{_UNIT}|{_UNIT_WORD}|[A-Z]{{2,3}}|P\.? ?O\.? Box)"
_BETWEEN = re.compile(rf"{_BREAK}(?:{_PART}{_BREAK}){{0,4}}", re.IGNORECASE)
_BETWEEN_MOST = 40  # characters
_UNIT_BEFORE = (
    r"(?:appt?|appartement|apartment|flat|unit|suite|b[aâ]t|b[aâ]timent|esc|escalier|scala|int|interno|piano|bloc|bloque"
    r"|portal|piso|rés|résidence)\.?"
)
_BEFORE = re.compile(
    r"(?<![\w.,-])(?:\d{1,6}[A-Za-z]? ){1,2}$"
    # "appt 12, 3e étage, " before a French street, "interno 7, " before an Italian one
    rf"|(?<!\w)(?:(?:{_UNIT_BEFORE} (?:n[°º.] ?)?[\w-]{{1,5}}|\d{{1,2}}(?:er|e|[eè]me|[ºª°])? (?:étage|piano|piso)), ?)"
    r"{1,4}$"
    rf"|(?<!\w){_UNIT_BEFORE} $",
    re.IGNORECASE,
)
# "8, passage des " before "Petites-Écuries", "ul. Gen. " before "Sikorskiego", "3-12-8 " before "Nishi-Azabu": what is
# taken for a person or a town there is a street.
_STREET_KIND = (
    r"(?:rue|avenue|boulevard|place|passage|chemin|allée|impasse|quai|cours|route|square|cité|sentier|venelle|via|viale"
    r"|piazza|corso|vicolo|calle|avenida|plaza|paseo)"
    r" (?:de la |de l['’]|des |du |de |d['’]|dei |delle |della |del )?$"
)
_STREET_LEAD = re.compile(
    rf"(?<![\w.,-])\d{{1,5}}[a-z]?(?: ?(?:bis|ter))?,? {_STREET_KIND}"
    r"|(?<!\w)(?:ul|al|pl|os)\. ?(?:(?:gen|ks|św|dr|marsz|płk|prof|bp|kard|hetm|rtm|por|kpt)\. ?){0,2}$"
    r"|(?<![\w-])(?:\d{1,3}F, ?)?\d{1,3}-\d{1,3}(?:-\d{1,3})? $"
    r"|(?<!\w)(?:unit|flat|apartment|suite|shop|plot) \d{1,4}[a-z]?, ?$",
    re.IGNORECASE,
)
_STREET_BARE = re.compile(rf"(?<!\w){_STREET_KIND}", re.IGNORECASE)
_LEAD_MOST = 48  # characters
_POSTCODE = re.compile(r"(?<![\w.,-])\d{5},? $")  # "10115 Berlin": fewer digits may be a year
_AFTER = re.compile(
    rf"(?:{_BREAK}{_UNIT}){{1,2}}"
    # "Obere Gasse 3 a", "calle de los olivos 45 bajo"
    r"|(?<=\d)(?: ?[A-Za-z](?=[ \t]*(?:[\n,;)]|$))"
    r"| (?:bis|ter|bajos?|ático|entlo\.?(?: \d{1,2}\.?[ºª])?|izqd?a?\.?|izda\.?|dch?a\.?|Hinterhaus|Vorderhaus"
    r"|links|rechts)(?!\w))"
    rf"|[\s,]{{1,4}}(?:[A-Z]{{2,3}} )?[{UPPER}]?(?:[{UPPER}{LETTER}]+ ){{0,2}}\d{{4,6}}(?![\w-]|[.,:]\d)",
)
_PROVINCE = re.compile(r" \((?P<code>[A-Z]{2})\)")  # "Bari (BA)"
# "the corner of A and B": both streets together say where; each language has its own word for it.
_CORNER = re.compile(
    r"(?<!\w)(?:(?:the )?(?:corner|intersection|junction) of|Ecke(?: von)?|(?:la )?esquina (?:de|entre)"
    r"|(?:l['’])?angle de|(?:l['’])?angolo (?:tra|di)|(?:de )?hoek van(?: de)?|(?:na )?rogu) $",
    re.IGNORECASE,
)
_AND = re.compile(r" (?:and|&|und|y|e|et|en|i|con|met) (?:the )?$", re.IGNORECASE)
_STREET_WORD = rf"(?:[{UPPER}][{LETTER}.'’-]*|\d{{1,5}})"
_SECOND = re.compile(rf" (?:and|&|und|y|e|et|en|i) {_STREET_WORD}(?: {_STREET_WORD}){{0,3}}")
_STREETS = frozenset({*_KINDS, "PERSON", "ORGANISATION"})  # streets are called after people


def join_places(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return disjoint spans in order, with the pieces of one address joined and grown."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is not None and _is_province(text, last, span):
            joined[-1] = last.model_copy(update={"end": max(last.end, span.end)})
        elif last is not None and {last.type, span.type} <= _KINDS and _belongs(text[last.end : span.start]):
            joined[-1] = last.model_copy(update={"end": span.end, "type": "ADDRESS"})
        else:
            joined.append(span)
    return _corners(text, [_grown(text, joined, index) for index in range(len(joined))])


def _corners(text: str, spans: list[Span]) -> list[Span]:
    """Return the spans with each corner of two streets as one; the second may have been missed."""
    found: list[Span] = []
    for span in spans:
        last = found[-1] if found else None
        if last is not None and span.end <= last.end:
            continue  # inside a corner
        corner = _CORNER.search(text, last.end if last else 0, span.start) if span.type in _STREETS else None
        if corner is None:
            found.append(span)
            continue
        whole = {"start": corner.start(), "end": _second(text, spans, span), "type": "ADDRESS"}
        found.append(span.model_copy(update=whole))
    return found


def _second(text: str, spans: Sequence[Span], first: Span) -> int:
    """Return where the second street of a corner ends, or the first where there is none."""
    for span in spans:
        if span.start > first.end and span.type in _STREETS and _AND.fullmatch(text, first.end, span.start):
            return span.end
    second = _SECOND.match(text, first.end)
    return first.end if second is None else second.end()


def _is_province(text: str, last: Span, span: Span) -> bool:
    """Say whether a span is the province behind a place, taken for something of its own."""
    found = _PROVINCE.match(text, last.end) if last.type in _KINDS else None
    return found is not None and span.source == "model" and (span.start, span.end) == found.span("code")


def _belongs(gap: str) -> bool:
    return len(gap) <= _BETWEEN_MOST and _BETWEEN.fullmatch(gap) is not None


def _grown(text: str, spans: Sequence[Span], index: int) -> Span:
    span = spans[index]
    floor = spans[index - 1].end if index else 0
    if span.type in _STREETS and (lead := _lead(text, span)) is not None:
        return span.model_copy(update={"start": max(lead, floor), "type": "ADDRESS"})
    if span.type in _KINDS and (postcode := _POSTCODE.search(text, floor, span.start)):
        span = span.model_copy(update={"start": postcode.start(), "type": "ADDRESS"})
    if span.type != "ADDRESS":
        return span
    ceiling = spans[index + 1].start if index + 1 < len(spans) else len(text)
    before = _BEFORE.search(text, floor, span.start)
    after = _AFTER.match(text, span.end, ceiling)
    if after is not None and CALENDAR_WORDS & set(after.group().casefold().split()):
        after = None  # "Coldwater Mill, 5 November 2026": a date, not a town and its postcode
    start = before.start() if before else span.start
    return span.model_copy(update={"start": start, "end": after.end() if after else span.end})


def _lead(text: str, span: Span) -> int | None:
    """Return where the street begins that a span is the name of; None where it is no street's."""
    if text[span.start - 1 : span.start] not in (" ", "'", "’", "."):
        return None
    floor = max(0, span.start - _LEAD_MOST)
    found = _STREET_LEAD.search(text, floor, span.start)
    if found is None and span.type in _KINDS:
        found = _STREET_BARE.search(text, floor, span.start)
    return None if found is None else found.start()
