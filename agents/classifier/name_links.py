"""A name with a small word inside is one name: "Maximilien de La Tour d'Auvergne", "Meccanica dell'Arno"."""

import re
from collections.abc import Callable, Sequence
from functools import cache

from hybridmesh.agents.classifier.everyday import languages_of
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER
from hybridmesh.schemas.privacy import Span

_PARTICLES = (
    r"(?:von|vom|v\.|zu|zum|zur|van|de|der|den|ter|ten|da|do|dos|das|du|des|del|della|delle|dello|dei|degli|di|la"
    r"|las|le"
    r"|los|el|al|bin|ibn|und zu|y)"
)
_ELIDED = r"(?:[Dd]|[Ll]|dell|degl|nell|all|sull|dall|de l)['’]"
_RANK = (
    r"(?:Gräfin|Graf|Freiherr|Freifrau|Freiin|Baron(?:in|esse|ne)?|Prinz(?:essin)?|Fürst(?:in)?|Ritter|Edler"
    r"|Frhr\.|Frfr\.)"
)
_PERSON = re.compile(rf" (?:{_RANK} )?(?:(?!y ){_PARTICLES} ){{1,3}}| (?:{_PARTICLES} )?{_ELIDED}|['’-]")
_ORGANISATION = re.compile(
    rf" (?:(?:{_PARTICLES}|&|\+|et|e|und|and|en|w|we|für|for|pour|per|para|voor) ){{1,3}}"
    rf"| (?:{_PARTICLES} )?{_ELIDED}|['’-]"
)
_GAPS = {"PERSON": _PERSON, "ORGANISATION": _ORGANISATION}
_GAP_MOST = 24
_ELIDED_START = re.compile(_ELIDED)
_ELISION = re.compile(rf"(?<![{LETTER}])(?:{_ELIDED}?|['’]t )$")
# "Meccanica" before "dell'Arno": what an organisation does, in front of what sets it apart.
_HEAD = re.compile(rf"(?<!\w)(?:[{UPPER}][{LETTER}]{{2,30}} ){{1,2}}$")
_REACH = 64


# "Philippa" before "Gräfin von Eschenlohe", "Carafelli" before "di Torrenova": where a family has its name from.
_OF = re.compile(
    rf"(?: {_RANK})? (?:von|van|zu|di|du|de)(?: (?:der|den|dem|la|las|los|le))? [{UPPER}][{LETTER}'’-]{{2,30}}(?![\w@])"
)


# "Larchmont" before "Surgery", "Kanzlei Dr. Bohl" before "& Partner".
_KIND_BEHIND = re.compile(
    r" (?:(?:&|und|et|e|y|and|en|i) (?:Partners?|Associ[eé]s|Associati|Asociados|Associates|Sons|Söhne|Fils|Figli|Hijos"
    r"|Zonen|Kollegen|Wspólnicy)|(?:(?:Family|Medical|Dental) )?(?:Surgery|Practice|Pharmacy|Clinic|Hospital|Academy"
    r"|College)"
    r"|(?:Primary|High|Elementary|Grammar) School|Housing Association|Building Society|(?:City|County"
    r"|Borough) Council)(?!\w)"
)
# "Berkel, Joost van den": the small words of a name that is filed under the large one, at the end of a line or a cell.
_FILED = re.compile(r" (?:van(?: de[rn]?)?|von(?: der)?|de(?: la)?|di|du|ter|ten)(?=[ \t]*(?:[\n,;|)]|$))")


def join_names(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return disjoint spans in order, with the pieces of one name joined and begun where their words begin."""
    is_spanish = cache(lambda: languages_of(text)[:1] == ("es",))  # where "Bosch i Vila" is one name, not two
    joined: list[Span] = []
    for given in _extended(text, spans):
        floor = joined[-1].end if joined else 0
        span = _begun(text, given, floor)
        last = joined[-1] if joined else None
        if last is not None and last.type == span.type and _links(text, last, span, is_spanish):
            joined[-1] = last.model_copy(update={"end": span.end, "score": max(last.score, span.score)})
        else:
            joined.append(span)
    return joined


def _extended(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return the spans, those of persons with the "von …" behind them that no span begins in."""
    longer: list[Span] = []
    for index, given in enumerate(spans):
        span = _with_kind(text, given, spans[index + 1].start if index + 1 < len(spans) else len(text))
        after = spans[index + 1].start if index + 1 < len(spans) else len(text)
        named = span.type == "PERSON" and text[span.start].isupper()
        found = (_OF.match(text, span.end) or _FILED.match(text, span.end)) if named else None
        fits = found is not None and found.end() <= after
        longer.append(span.model_copy(update={"end": found.end()}) if found and fits else span)
    return longer


def _with_kind(text: str, span: Span, after: int) -> Span:
    """Return an organisation with what it is behind its name, also where that was taken for a person or a place."""
    if span.type not in {"ORGANISATION", "PERSON", "LOCATION"} or not text[span.end - 1].isalnum():
        return span
    found = _KIND_BEHIND.match(text, span.end)
    if found is None or found.end() > after:
        return span
    return span.model_copy(update={"end": found.end(), "type": "ORGANISATION"})


def _links(text: str, last: Span, span: Span, is_spanish: Callable[[], bool]) -> bool:
    gap = _GAPS.get(span.type)
    if gap is None or not 0 < span.start - last.end <= _GAP_MOST:
        return False
    if text[last.end - 1] in "_,;:!?)":
        return False
    elided = text[last.end : span.start] == " " and _ELIDED_START.match(text, span.start) is not None
    if span.type == "PERSON" and text[last.end : span.start] == " i ":
        return " " in text[last.start : last.end] and " " not in text[span.start : span.end] and is_spanish()
    return any(map(str.isupper, text[last.start : last.end])) and (
        elided or gap.fullmatch(text, last.end, span.start) is not None
    )


def _begun(text: str, span: Span, floor: int) -> Span:
    """Return the span from the beginning of its word, which the model may have cut at an apostrophe."""
    if span.type not in {"PERSON", "ORGANISATION", "ADDRESS", "LOCATION"}:
        return span
    start = span.start + (text[span.start] in "'’")
    elision = _ELISION.search(text, max(floor, start - 6), start)
    if elision is None or elision.start() == start:
        return span
    start = elision.start()
    if span.type == "ORGANISATION" and (head := _HEAD.search(text, max(floor, start - _REACH), start)):
        start = head.start()
    return span.model_copy(update={"start": start})
