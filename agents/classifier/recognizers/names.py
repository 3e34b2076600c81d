"""Names of persons by where they stand: after a salutation, a title, a sign-off, or "my name is"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED
from hybridmesh.agents.classifier.recognizers.shapes import NAME
from hybridmesh.schemas.privacy import Span

_TITLE = (
    r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Herrn?|Frau|Fr|Hr|M|Mme|Mlle|Monsieur|Madame|Sr|Sra|Srta|Señora?|Don|Doña"
    r"|Sig|Sig\.ra|Signora?|Dott|Dhr|Mevr|Mevrouw|Meneer|Pan|Pani)\.?"
)
_GREETING = (
    r"(?:[Dd]ear|Hello|Hi|Hey|[Gg]ood (?:morning|afternoon|evening)|Hallo|Guten (?:Tag|Morgen|Abend)|Liebe[rs]?|Sehr geehrte[rs]?"
    r"|Bonjour|Ch[eè]re?|Hola|Estimad[oa]|Querid[oa]|Buenos d[ií]as|Ciao|Buongiorno|Gentile|Egregio|Car[oa]|Beste|Geachte"
    r"|Ol[aá]|Prezad[oa]|Szanown[ya]|Cześć)"
)
_CLOSING = (
    r"(?i:(?:(?:best|kind|kindest|warm|warmest|many) )?regards|best wishes|all the best|sincerely(?: yours)?|yours (?:sincerely|truly|faithfully)"
    r"|many thanks|thanks(?: again| a lot| so much| in advance)?|thank you(?: very much)?|cheers|respectfully|cordially|best"
    r"|mit (?:freundlichen|besten|herzlichen|lieben) gr(?:ü|ue)(?:ß|ss)en|(?:viele|liebe|beste|herzliche|freundliche|schöne) gr(?:ü|ue)(?:ß|ss)e"
    r"|mfg|vg|lg|danke(?: im voraus)?|vielen dank|besten dank|gru(?:ß|ss)|bien cordialement|cordialement|bien à vous|sincères salutations|merci"
    r"|(?:un )?(?:cordial )?saludos?|atentamente|gracias|un abrazo|cordiali saluti|distinti saluti|saluti|grazie|met vriendelijke groet(?:en)?"
    r"|groet(?:en|jes)?|atenciosamente|cumprimentos|obrigad[oa]|pozdrawiam|z poważaniem)"
)
_SELF = (
    r"(?i:my name is|my name's|i am called|mein name ist|ich hei(?:ß|ss)e|je m['’]appelle|mon nom est|me llamo|mi nombre es"
    r"|mi chiamo|il mio nome è|mijn naam is|ik heet|(?:o )?meu nome é|chamo-me|me chamo|nazywam się|this is(?= [^\n.]{2,40} (?:from|calling|speaking))"
    r"|signed by|on behalf of|im auftrag von)"
)
_FIELD = (
    r"(?i:(?:(?:full|first|last|given|family|customer|client|contact|account holder|patient|employee|recipient|cardholder) ?)?name"
    r"|surname|customer|client|contact(?: person)?|account holder|card ?holder|patient|kunde|kundin|ansprechpartner(?:in)?|kontoinhaber(?:in)?|vorname"
    r"|nachname|nom|prénom|nombre|apellidos?|cliente|titular|nome|cognome|naam|klant|from|von|an|to)"
)

_PATTERNS = (
    re.compile(rf"(?<!\w){_GREETING} (?:and |und )?(?:{_TITLE} )*(?P<value>{NAME})"),
    re.compile(rf"(?<![\w.]){_TITLE} (?:(?:Dr|Prof)\.? )*(?P<value>{NAME})"),
    re.compile(rf"(?<!\w){_CLOSING}[,.!]?[ \t]*(?:\n[ \t]*){{1,3}}(?:{_TITLE} )*(?P<value>{NAME})(?=[ \t]*(?:,|\n|$))"),
    re.compile(rf"(?<!\w){_CLOSING},[ \t]+(?:{_TITLE} )*(?P<value>{NAME})(?=[.!]?[ \t]*(?:\n|$))"),
    re.compile(rf"\n[-–—~]{{1,2}} ?(?P<value>{NAME})[ \t]*$"),
    re.compile(rf"(?<!\w){_SELF} (?:{_TITLE} )*(?P<value>{NAME})"),
    re.compile(rf"(?:^|[\n;|,(])[ \t]*{_FIELD} ?: ?(?:{_TITLE} )*(?P<value>{NAME})"),
)

# Words that stand where a name could, and are none; a find is cut before the first of them.
_NOT_NAMES = frozenset(
    "sir madam team support customer customers client service sales all colleagues colleague everyone everybody friends"
    " friend folks hiring manager department damen herren damen und kundenservice kundendienst support-team herr frau"
    " zusammen kollegen kolleginnen monsieur madame messieurs equipo señor señora señores clientes cliente equipe signori"
    " spett allen heer mevrouw i we you he she it they the a an this that there thanks thank please best kind regards"
    " with my our your on in at for and or if when what how why where is are was not no yes order invoice number id dear"
    " hello hi any ich wir sie es das die der bitte mit im am vielen je nous vous le la les un une el los mr mrs ms dr"
    " prof re fwd subject date today tomorrow yesterday monday tuesday wednesday thursday friday saturday sunday january"
    " february march april june july august september october november december to from sent what's it's i'm i've we've"
    " again ok okay have has had hope just can could would should will as by of be do did does after before since"
    " could're you're data type string integer text value field none null unknown n/a step json".split()
)


@dataclass(frozen=True, slots=True)
class NameRecognizer:
    """A name in a place where only a name stands."""

    pattern: re.Pattern[str]

    def find(self, text: str) -> Iterator[Span]:
        """Yield the names, cut before the first word that is none."""
        for match in self.pattern.finditer(text):
            start, end = match.span("value")
            kept = _name_length(text[start:end])
            if kept:
                yield Span(start=start, end=start + kept, type="PERSON", score=0.85, source=SHAPED)


def _name_length(value: str) -> int:
    end = 0
    for word in re.finditer(r"\S+", value):
        if word.group().strip(".").lower() in _NOT_NAMES:
            break
        end = word.end()
    return end if sum(char.isalpha() for char in value[:end]) > 1 else 0


RECOGNIZERS = tuple(NameRecognizer(pattern) for pattern in _PATTERNS)
