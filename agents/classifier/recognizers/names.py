"""Names of persons by where they stand: after a salutation, a title, a sign-off, or "my name is"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hybridmesh.agents.classifier.everyday import all_everyday, languages_of
from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED, Gated, Recognizer
from hybridmesh.agents.classifier.recognizers.shapes import NAME, PARTICLES
from hybridmesh.schemas.privacy import Span


def _any(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


def _any_case(*alternatives: str) -> str:
    return f"(?i:{'|'.join(alternatives)})"


_TITLES = _any(
    r"Mr", r"Mrs", r"Ms", r"Miss", r"Mx", r"Dr", r"Prof", r"Sir", r"Herrn?", r"Frau", r"Fr", r"Hr", r"M(?=\.)", r"Mme",
    r"Mlle", r"Pr", r"Donna", r"[Jj]onkheer", r"[Jj]onkvrouw",
    r"Monsieur", r"Madame", r"Sr", r"Sra", r"Srta", r"Señora?", r"Don", r"Doña", r"Sig", r"Sig\.ra",
    r"Signora?", r"Dott", r"Dhr", r"Mevr", r"Mevrouw", r"Meneer", r"Pan", r"Pani",
    r"[Ss]ignor", r"[Ss]ig", r"[Ss]ig\.ra", r"[Dd]ott(?:\.ssa|ore?|oressa)?", r"[Aa]vv", r"dra?", r"prof",
    r"mme", r"Maître", r"[Dd]octora?", r"[Ff]räulein",
    r"señora?", r"doña", r"don", r"monsieur", r"madame", r"mevrouw", r"meneer", r"dhr", r"mevr", r"pan(?:a|u|em|i|ią)?",
    r"Pan(?:a|u|em|ią)", r"Famili[ae]", r"Famille", r"Famiglia", r"Rodzina",
)  # fmt: skip
_TITLE = rf"{_TITLES}\.?"
_GREETING = _any(
    r"[Dd]ear", r"Hello", r"Hi", r"Hey", r"[Gg]ood (?:morning|afternoon|evening)", r"Hallo",
    r"Guten (?:Tag|Morgen|Abend)", r"Sehr geehrte[rs]?", r"Bonjour", r"Hola", r"Buenos d[ií]as", r"Ciao",
    r"Buongiorno", r"Geachte", r"Ol[aá]", r"Szanown[ya]", r"Cześć", r"Dzień dobry",
)  # fmt: skip
_KIND = _any(  # greetings that are words of any sentence too: "auf Liebe und Frieden"
    r"Liebe[rs]?", r"Ch[eè]re?", r"Estimad[oa]", r"Querid[oa]", r"Gentile", r"Egregi[oa]", r"Car[oa]", r"Beste",
    r"Prezad[oa]", r"Drog[ia]",
)  # fmt: skip
_CLOSING = _any_case(
    r"(?:(?:best|kind|kindest|warm|warmest|many) )?regards", r"best wishes", r"all the best",
    r"sincerely(?: yours)?", r"yours (?:sincerely|truly|faithfully)", r"many thanks",
    r"thanks(?: again| a lot| so much| in advance)?", r"thank you(?: very much)?", r"cheers", r"respectfully",
    r"cordially", r"best", r"mit (?:freundlichen|besten|herzlichen|lieben) gr(?:ü|ue)(?:ß|ss)en",
    r"(?:viele|liebe|beste|herzliche|freundliche|schöne) gr(?:ü|ue)(?:ß|ss)e", r"mfg", r"vg", r"lg",
    r"danke(?: im voraus)?", r"vielen dank", r"(?:mit )?best(?:en|er) gr(?:ü|ue)(?:ß"
    r"|ss)(?:en)?", r"besten dank", r"gru(?:ß|ss)", r"bien cordialement", r"cordialement",
    r"bien à vous", r"sincères salutations", r"merci", r"(?:un )?(?:cordial )?saludos?", r"atentamente",
    r"gracias", r"un abrazo", r"cordiali saluti", r"distinti saluti", r"saluti", r"grazie",
    r"met vriendelijke groet(?:en)?", r"groet(?:en|jes)?", r"atenciosamente", r"cumprimentos", r"obrigad[oa]",
    r"pozdrawiam", r"z poważaniem",
)  # fmt: skip
_SELF = _any_case(
    r"my name is", r"my name's", r"i am called", r"mein name ist", r"ich hei(?:ß|ss)e", r"je m['’]appelle",
    r"mon nom est", r"me llamo", r"mi nombre es", r"mi chiamo", r"il mio nome è", r"mijn naam is", r"ik heet",
    r"(?:o )?meu nome é", r"chamo-me", r"me chamo", r"nazywam się",
    r"this is(?= [^\n.]{2,40} (?:from|calling|speaking))", r"signed by", r"on behalf of", r"im auftrag von",
)  # fmt: skip
_FIELD = _any_case(
    r"(?:(?:full|first|last|given|family|customer|client|contact|account holder|patient|employee|recipient) ?)?name",
    r"surname", r"customer", r"client", r"contact(?: person)?", r"account holder", r"card ?holder", r"patient",
    r"kunde", r"kundin", r"ansprechpartner(?:in)?", r"kontoinhaber(?:in)?", r"vorname", r"nachname", r"nom",
    r"pr[ée]noms?", r"nombre", r"apellidos?", r"cliente", r"titular", r"nome", r"cognome", r"(?:voor|achter)?naam",
    r"klant", r"imi[ęe](?: i nazwisko)?", r"nazwisko", r"patient(?:in|e)", r"paciente", r"paziente", r"pacjent(?:ka)?",
    r"from", r"von", r"an", r"to",
)  # fmt: skip

_ADDRESSED = (  # those who write and are written to, who may be a department
    re.compile(rf"(?<!\w){_GREETING} (?:and |und )?(?:{_TITLE} )*(?P<value>{NAME})"),
    re.compile(rf"(?:^|(?<=[\n>\"“„:(])|(?<=[.!?:] )){_KIND} (?:{_TITLE} )*(?P<value>{NAME})"),
    re.compile(rf"\n[-–—~]{{1,2}} ?(?P<value>{NAME})[ \t]*$"),
    # The last line of a letter.
    re.compile(rf"\S[^\S\n]*+\n\s*+(?P<value>{NAME})(?: ?(?:x{{1,4}}|[:;]-?[)D]|\W))?\s*$"),
)
_CLOSED = (
    re.compile(rf"(?<!\w){_CLOSING}[,.!]?[ \t]*(?:\n[ \t]*){{1,3}}(?:{_TITLE} )*(?P<value>{NAME})(?=[ \t]*(?:,|\n|$))"),
    re.compile(rf"(?<!\w){_CLOSING},[ \t]+(?:{_TITLE} )*(?P<value>{NAME})(?=[.!]?[ \t]*(?:\n|$))"),
)
_NAMED = (
    re.compile(rf"(?<![\w.]){_TITLE} (?:(?:Dr|Prof)\.? )*(?P<value>(?:(?:{PARTICLES}) ){{0,2}}{NAME})"),
    re.compile(rf"(?<!\w){_SELF} (?:{_TITLE} )*(?P<value>{NAME})"),
    re.compile(rf"(?:^|[\n;|,(])[ \t]*{_FIELD} ?: ?(?:{_TITLE} )*(?P<value>{NAME})"),
)

# Words that stand where a name could, and are none; a find is cut before the first of them.
_NOT_NAMES = frozenset({
    "sir", "sirs", "madam", "ladies", "gentlemen", "team", "support", "customer", "customers", "client", "service",
    "sales", "all", "colleagues", "colleague", "everyone", "everybody", "friends", "friend", "folks", "hiring",
    "manager", "department", "damen", "herren", "und", "kundenservice", "kundendienst", "herr", "frau", "zusammen",
    "kollegen", "kolleginnen", "monsieur", "madame", "messieurs", "equipo", "señor", "señora", "señores", "clientes",
    "cliente", "equipe", "signori", "spett", "allen", "heer", "mevrouw", "i", "we", "you", "he", "she", "it", "they",
    "the", "a", "an", "this", "that", "there", "thanks", "thank", "please", "best", "kind", "regards", "with", "my",
    "our", "your", "on", "in", "at", "for", "and", "or", "if", "when", "what", "how", "why", "where", "is", "are",
    "was", "not", "no", "yes", "order", "invoice", "number", "id", "dear", "hello", "hi", "any", "ich", "wir", "sie",
    "es", "das", "die", "der", "bitte", "mit", "im", "am", "vielen", "je", "nous", "vous", "le", "la", "les", "un",
    "une", "el", "los", "mr", "mrs", "ms", "dr", "prof", "sr", "sra", "srta", "sig", "mme", "mlle", "dhr", "mevr",
    "mw", "re", "fwd", "subject", "date", "today", "tomorrow", "yesterday", "monday", "tuesday", "wednesday",
    "thursday", "friday", "saturday", "sunday", "january", "february", "march", "april", "june", "july", "august",
    "september", "october", "november", "december", "to", "from", "sent", "what's", "it's", "i'm", "i've", "we've",
    "again", "ok", "okay", "have", "has", "had", "hope", "just", "can", "could", "would", "should", "will", "as", "by",
    "of", "be", "do", "did", "does", "after", "before", "since", "you're", "data", "type", "string", "integer", "text",
    "value", "field", "none", "null", "unknown", "n/a", "step", "json", "cordialement", "cordiali", "distinti",
    "atentamente", "saludos", "saludo", "saluti", "grazie", "gracias", "merci", "danke", "bedankt", "dzięki",
    "pozdrawiam", "groet", "groeten", "grüße", "gruß", "viele", "liebe", "mfg", "lg", "vg", "bisous", "besos", "baci",
    "atenciosamente", "obrigado", "obrigada", "cumprimentos", "sincères", "salutations", "cordial", "adieu",
    "colleghi", "colleghe", "compañeros", "compañeras", "collègues", "collega", "collega's", "państwo", "państwa",
    "koledzy", "tutti", "todos", "tous", "toutes", "iedereen", "allemaal",
})  # fmt: skip


_TITLED = re.compile(rf"(?<!\w){_TITLE} $")
_TITLE_MOST = 16  # characters of a title


@dataclass(frozen=True, slots=True)
class NameRecognizer:
    """A name in a place where only a name stands, or what writes and is written to in its stead: "Customer Care"."""

    pattern: re.Pattern[str]
    strict: bool  # whether it says that a name follows: "Nome: Granata", "my name is", "Frau"

    def find(self, text: str) -> Iterator[Span]:
        """Yield the names, cut before the first word that is none."""
        languages: tuple[str, ...] | None = None  # told once, and only where they matter
        for match in self.pattern.finditer(text):
            start, end = match.span("value")
            kept = _name_length(text[start:end])
            if kept and not self.strict and not _is_titled(text, start):
                languages = languages_of(text) if languages is None else languages
                if all_everyday(text[start : start + kept], languages):
                    continue
            if kept:
                yield Span(start=start, end=start + kept, type="PERSON", score=0.85, source=SHAPED)


def _is_titled(text: str, start: int) -> bool:
    """Say whether a title before it says that even an everyday word is somebody's name."""
    return _TITLED.search(text, max(0, start - _TITLE_MOST), start) is not None


def _name_length(value: str) -> int:
    end = 0
    for word in re.finditer(r"\S+", value):
        if word.group()[0].islower():
            continue  # a particle: part of the name when a capitalised word follows
        if word.group().strip(".").lower() in _NOT_NAMES:
            break
        end = word.end()
    return end if sum(char.isalpha() for char in value[:end]) > 1 else 0


RECOGNIZERS: tuple[Recognizer, ...] = (
    *(NameRecognizer(pattern, strict=False) for pattern in _ADDRESSED),
    Gated(re.compile(rf"(?<!\w){_CLOSING}"), tuple(NameRecognizer(pattern, strict=False) for pattern in _CLOSED)),
    *(NameRecognizer(pattern, strict=True) for pattern in _NAMED),
)
