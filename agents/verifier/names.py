"""Names of people and organisations by their form alone: careful, since every German noun has a capital."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = r"[^\W\d_a-zß-öø-ÿ][^\W\d_]*(?:[-'’][^\W\d_]+)*"
_PARTICLES = r"(?i:(?:van|von|der|den|ter|ten|de|del|della|la|zu|di|da|do|dos|das|bin|al) )*"
_NAME = rf"{_WORD}(?:[ \u00a0]{_PARTICLES}{_WORD}){{0,3}}"
_TITLES = (
    r"(?:Mr|Mrs|Ms|Mx|Dr|Prof|Herr|Herrn|Frau|Señora?|Sra?|Monsieur|Madame|Mme|Mlle|Don|Doña|[Ss]ignora?|Sig|Dott"
    r"|Dottor|Dottoressa|[Mm]eneer|[Mm]evrouw|[Hh]eer|Mevr|Dhr|Mw|Panie|Panią|Pana|[Pp]ani?|[Ss]enhora?|Doutora?)\.?"
)
_GREETINGS = (
    r"(?:Dear|Hello|Hi|Hey|Good (?:morning|afternoon|evening)|Liebe[rs]?|Sehr geehrte[rs]?|Hallo|Guten (?:Tag|Morgen)"
    r"|Estimad[oa]s?|Querid[oa]s?|Hola|Cher|Chère|Bonjour"
    r"|Gentile|Egregi[oa]|Car[oa]|Ciao|Buongiorno|Buonasera|Beste|Geachte|Lieve|Goedemorgen|Goedemiddag|Szanown[ya]"
    r"|Drog[ia]|Cześć|Dzień dobry|Prezad[oa]s?|Olá|Bom dia|Boa tarde)"
)
_SALUTATION = re.compile(rf"^[ \t]*{_GREETINGS} (?:{_TITLES} )*(?P<name>{_NAME})(?=\s*(?:[,.:;!–-]|$))", re.MULTILINE)
# One word only: in German the next noun would look like a part of the name.
_TITLED = re.compile(rf"(?<!\w){_TITLES} (?:{_TITLES} )*(?P<name>{_PARTICLES}{_WORD})")
_SEQUENCE = re.compile(rf"(?<![\w'’-])(?P<name>{_WORD}(?:[ \u00a0]{_WORD}){{1,3}})")

_ONE_SIGN = str.maketrans({"\u2019": "'", "\u2010": "-"})  # as keyboards have them; NFKD makes U+2011 the second


def fold(text: str) -> str:
    """Return the text without case and accents, so that names meet: ``LÓPEZ`` is ``lopez``, ``O’Neil`` ``o'neil``."""
    apart = unicodedata.normalize("NFKD", text.casefold()).translate(_ONE_SIGN)
    return "".join(mark for mark in apart if not unicodedata.combining(mark))


def _folded(words: str) -> frozenset[str]:
    return frozenset(map(fold, words.split()))


# Words that a greeting addresses without naming anybody, and words that open a sentence before a name.
_NOBODY = _folded(
    "sir madam customer customers team all everyone colleague colleagues there support friend friends valued client "
    "user applicant damen herren kunde kundin kunden zusammen kollegen kolleginnen team cliente clientes equipo todos "
    "señor señores client clients équipe tous monsieur madame mr mrs ms mx dr prof herr frau sr sra service hiring "
    "manager reader partner to whom guest member signore signora signori signor clienti tutti collega colleghi klant "
    "klanten meneer mevrouw heer heren dames allen collega's iedereen pan panie pani panowie państwo klienci kliencie "
    "wszyscy zespół zespole senhor senhora senhores equipa equipe grüße "
    "grüßen gruß groetjes saluti"
)
_OPENERS = _folded(
    "hallo hola bonjour liebe lieber liebes guten guter estimado estimada querido querida cher chère sehr geehrte "
    "geehrter the a an this that these those we i you he she it they our your their his her its in on at for from "
    "with by as if when while after before since please thank thanks regarding re and but or so to no yes not dear "
    "hello hi hey best kind sincerely regards der die das den dem ein eine einen wir ich sie er es ihr ihre unser "
    "unsere im am auf für von mit bei wenn nach vor bitte danke und aber oder el la los las un una nos nosotros su "
    "sus en por para con si gracias y pero le les une des nous vous il elle votre notre dans sur avec pour merci et "
    "mais what who where why how which each all any both one two three first second finally also however therefore "
    "here there lo gli uno ma se per di noi voi grazie gentile egregio egregia caro cara ciao buongiorno buonasera "
    "cordiali distinti saluti quando dopo prima questo questa het een maar wij ik jij hij zij onze uw met voor bij "
    "als na op bedankt dank beste geachte lieve goedemorgen goedemiddag hoi vriendelijke groet groeten hoogachtend "
    "dit dat ale lub oraz my ze do od dla po przed gdy jeśli nasz nasza dziękuję dziękujemy proszę prosimy pozdrawiam "
    "pozdrowienia szanowny szanowna drogi droga cześć dzień dobry serdecznie os uma mas nós ele ela nosso nossa sua "
    "seu obrigado obrigada prezado prezada olá bom boa dia tarde atenciosamente cordialmente cumprimentos"
)


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a text; ``person`` says that a greeting or a title marks it as a person."""

    start: int
    end: int
    words: tuple[str, ...]
    person: bool


def find_names(text: str) -> Iterator[Named]:
    """Yield names after greetings and titles, then sequences of at least two capitalised words."""
    for pattern in (_SALUTATION, _TITLED):
        for match in pattern.finditer(text):
            if named := _named(match, person=True, least=1):
                yield named
    for match in _SEQUENCE.finditer(text):
        if named := _named(match, person=False, least=2):
            yield named


def folded_words(text: str) -> tuple[str, ...]:
    """Return the words of a text, folded, without possessive endings."""
    return tuple(
        word.removesuffix("'s").removesuffix("’s") for word in re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", fold(text))
    )


def stands_in(name: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Say whether all parts of a name stand close together, in any order, with at most two words between them.

    ``Maria Lopez`` stands in "Lopez, Maria" and in "Maria C. Lopez", but not where another Maria meets a Lopez
    later on.
    """
    wanted = set(name)
    width = len(name) + 2
    places = [place for place, word in enumerate(words) if word in wanted]
    return any(wanted <= set(words[place : place + width]) for place in places)


def _named(match: re.Match[str], *, person: bool, least: int) -> Named | None:
    start = match.start("name")
    parts = [
        (found.start() + start, found.end() + start, found.group()) for found in re.finditer(r"\S+", match["name"])
    ]
    while parts and fold(parts[0][2]) in _OPENERS | _NOBODY:
        parts.pop(0)
    while parts and fold(parts[-1][2]) in _OPENERS | _NOBODY:
        parts.pop()
    if len(parts) < least:
        return None
    words = folded_words(" ".join(part[2] for part in parts))
    return Named(parts[0][0], parts[-1][1], words, person) if words else None
