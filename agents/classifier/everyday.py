"""Everyday words of eight languages: what the token classifier, whose training knew few of them, takes for names.

The lists (``words``) hold no word that is known as somebody's name; what a text's own language calls everyday is
no name on the model's word alone, unless it is written as only names are.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

from hybridmesh.agents.classifier.calendar_words import CALENDAR_WORDS
from hybridmesh.agents.classifier.compounds import is_compound
from hybridmesh.schemas.privacy import Span

_FOLDER = Path(__file__).parent / "words"
_WORD = re.compile(r"[^\W\d_]+")
_READ = 20_000  # characters of a text that show its language
_LEAST = 3  # letters of a listed word
_HITS_LEAST = 3  # small words that show it: "an" alone is German, English or a typing error
_WORDS_LEAST = 4  # of a text without small words that show its language
_SHARE = 0.6  # of the hits of the best language that another needs to be read too
_GUESSED = frozenset({"PERSON", "LOCATION", "ORGANISATION", "ADDRESS"})
NOUNS_CAPITALISED = frozenset({"de"})
_COMPOUNDING = frozenset({"de", "nl"})
_COMPOUND = 0.9  # what a compound of everyday words needs to be a name
_HARDLY = 0.1
_FOREIGN_LEAST = 4  # letters
_FOREIGN = 0.3  # what an everyday word of another language needs in an English text, if it has a capital
_SURE = 0.98  # what a capitalised noun needs to be a name where all nouns have capitals
_INSIDE = 0.95  # what a capitalised word inside a sentence needs, where only names have capitals
_TITLED_LEAST = 3  # so many everyday words with capitals inside sentences: the text writes titles, menus, products
KNOWN_WELL = "en"  # most of what the model was trained on: it knows its everyday words
_GAPS = frozenset({" ", "-", "'", "’"})
# What stands before the first word of a sentence, a line, a cell or a value, blanks and quotes left out.
_OPENING = frozenset(".!?:;|>•·*–—-\n\t")
_BETWEEN = frozenset(" \r\"'“„”«»‘’([{¿¡#*_")

# "Titolo IV", "Rozdziale VII": what only counts.
_ROMAN = re.compile(r"(?=[IVX]{2,5}\b)X{0,2}(?:IX|IV|V?I{0,3})")
# What ends the name of a street in one word: "Kirchplatz 2" is one, "Baujahr 2019" is none.
_STREET_END = re.compile(
    r"(?:stra(?:ß|ss)e|str|allee|weg|platz|gasse|ring|damm|ufer|stei[gl]|markt|hof|graben|wall|tor|anger|brücke"
    r"|straat|laan|plein|gracht|kade|dijk|singel)$"
)

_IDENTIFIER = re.compile(r"[a-z]{2,20}(?:[A-Z][a-z]{1,20}){1,6}")  # "getTotal": of a program
_TITLE = re.compile(  # a full stop that ends no sentence
    r"(?<!\w)(?:dott|dr|dra|sig|sigg|sr|sra|srta|hr|fr|mr|mrs|ms|m|mm|prof|ing|avv|mme|me|dhr|mevr|st|nr|no)\.$",
    re.IGNORECASE,
)

_FUNCTION_WORDS = {
    "de": "der die das und ist nicht ich sie wir mit für auf ein eine einen einem einer dem den des von zu im am bei"
    " wird werden wurde nach auch sich haben hat habe bitte ihre ihr ihren mein meine leider kann sind es aus um als"
    " über unter vor wie oder noch nur an wenn dass mir mich dir dich uns euch du er vom zur zum doch dann hier bin"
    " hatte",
    "en": "the and is are of to you for with that this was have has be on at it we our your please not from my by if"
    " only will a i so do were been them which than but"
    " what he she they when can now an as or me all there would get his her just out",
    "es": "el los las es una por para con que del se su no al como más está son mi y lo fue en de la un me le ha esta"
    " este pero sus a o si ya muy porque cuando sin sobre hay tiene nos yo eso le",
    "fr": "le les des est une dans pour vous nous je sur avec que qui pas au aux du votre ce cette sont été et de la"
    " un a il elle ne en y se mais ou si mon ma plus j l d qu n c s nos vos leur leurs très comme sans chez avez"
    " avons tu",
    "it": "il gli è di che per con una del della non si sono al alla dei nel mi da ha le la questo e lo un a i in"
    " ma o se più dal dalla delle nella l dell io ci vi anche così quando perché ho hai abbiamo hanno sul sulla suo sua"
    " dopo molto all nell purtroppo",
    "nl": "de het een van en is niet ik wij u met voor op aan dat zijn wordt naar bij uw kan te er in heeft maar ook"
    " om als dan we je mijn deze ze hij zij ons onze uit door over nog hebben graag tot",
    "pl": "i w na z do się jest nie to że o dla po za jak proszę od przez są pan a ale oraz ze mi mam mój przy co"
    " tak już był była są czy tylko może bardzo który która lub ich",
    "pt": "o os as um uma do da dos das em no na para com não que é seu sua por ao de e a se mais mas eu ou"
    " muito foi tem pelo pela já está são você quando também",
}
LANGUAGES = tuple(_FUNCTION_WORDS)
SMALL_WORDS = frozenset(word for words in _FUNCTION_WORDS.values() for word in words.split() if len(word) > 1)
_ARTICLES = frozenset({
    "der", "die", "das", "den", "dem", "le", "la", "les", "l", "el", "los", "las", "lo", "il", "i", "gli",
    "un", "una", "uno", "une", "eine", "ein", "de", "het", "een", "o", "a", "os", "as",
})  # fmt: skip
_OURS = frozenset({  # that make a noun somebody's: "unserer Technik", and nobody
    "unser", "unsere", "unserer", "unserem", "unseren", "ihr", "ihre", "ihrer", "ihrem", "ihren", "mein", "meine",
    "meiner", "meinem", "meinen", "dein", "deine", "deiner", "deinem", "deinen", "kein", "keine", "keiner", "jede",
    "jeder", "diese", "dieser", "diesem", "notre", "nos", "votre", "vos", "leur", "leurs", "cette", "nuestro",
    "nuestra", "nuestros", "nuestras", "vuestro", "vuestra", "nostro", "nostra", "nostri", "nostre", "vostro",
    "vostra", "questo", "questa", "ons", "onze", "jullie", "deze", "nasz", "nasza", "naszej", "naszego", "wasz",
    "wasza", "ta", "ten", "tej", "nosso", "nossa", "vosso", "vossa",
})  # fmt: skip
# "qué alegría", "mucha suerte": a word behind these is a thing.
_SO_MUCH = re.compile(
    r"(?<!\w)(?:qu[eé]|cu[aá]nt[oa]s?|much[oa]s?|tant[oaie]s?|gran|toda|quelle?|molt[oa]|muit[oa]|wat een|welch(?:e"
    r"|er|es)?|tak[ai]"
    r"|jak[ai])(?: una?| une)? $",
    re.IGNORECASE,
)
_BEFORE_MOST = 16  # characters of these
_LANGUAGES_OF: dict[str, list[str]] = {}
for _language, _words in _FUNCTION_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF.setdefault(_word, []).append(_language)


@lru_cache(maxsize=1)  # asked for again and again while one text is read
def languages_of(text: str) -> tuple[str, ...]:
    """Return the languages that the small words of a text are of, the likeliest first.

    A text with hardly any small words (a table, a record) is of the languages that most of its words are everyday in.
    """
    hits: Counter[str] = Counter()
    found = _WORD.findall(text[:_READ].lower())
    for word in found:
        hits.update(_LANGUAGES_OF.get(word, ()))
    if sum(hits.values()) < _HITS_LEAST:
        distinct = {word for word in found if len(word) >= _LEAST}
        listed = Counter({language: len(distinct & words_of(language)) for language in _FUNCTION_WORDS})
        told = len(distinct) >= _WORDS_LEAST and 2 * max(listed.values()) >= len(distinct)
        if not told and not hits:
            return ()
        hits = listed if told else hits
    most = max(hits.values(), default=0)
    best = sorted(hits.items(), key=lambda item: (-item[1], item[0] == KNOWN_WELL))
    return tuple(language for language, number in best if number >= _SHARE * most)


def without_everyday(text: str, spans: Iterable[Span]) -> list[Span]:
    """Return the disjoint spans, in order, without the model's names that are words of the text's language."""
    found = [span for span in spans if not (_is_guess(span) and _IDENTIFIER.fullmatch(text, span.start, span.end))]
    if not any(map(_is_guess, found)):
        return found
    languages = languages_of(text)
    if not languages:
        return found
    if languages[0] == KNOWN_WELL:
        return [span for span in found if not _is_known_beside_english(text, span)]
    reader = _Reader(text, tuple(language for language in languages if language != KNOWN_WELL))
    found = [reader.without_tail(span) for span in found]
    everyday = [reader.is_everyday(span) for span in found]
    names = [
        not (reader.titled and known) or span.type == "ORGANISATION"
        for span, known in zip(found, everyday, strict=True)
    ]
    return [span for index, span in enumerate(found) if not everyday[index] or _is_beside(text, found, names, index)]


def all_everyday(value: str, languages: Iterable[str]) -> bool:
    """Say whether a value is of words alone, each an everyday word of one of the languages."""
    lists = [words_of(language) for language in languages]
    found = _WORD.findall(value)
    return bool(found) and all(any(word.lower() in words for words in lists) for word in found)


def _is_known_beside_english(text: str, span: Span) -> bool:
    """Say whether a guess in an English text is one everyday word of another language: "Kündigung", "gracias".

    Or one of English that opens a sentence, if the model hardly believes in it.
    """
    word = text[span.start : span.end]
    if not _is_guess(span) or not word.isalpha() or (span.score >= _FOREIGN and not word.islower()):
        return False
    if len(word) < _FOREIGN_LEAST or text.islower():
        return False
    folded = word.lower()
    if folded in words_of(KNOWN_WELL):
        told = folded not in SMALL_WORDS and word.istitle()  # "Will"
        return told and span.score < _HARDLY and opens_sentence(text, span.start)
    return any(folded in words_of(language) for language in LANGUAGES if language != KNOWN_WELL)


def _is_guess(span: Span) -> bool:
    return span.type in _GUESSED and span.source == "model"


def _is_beside(text: str, spans: Sequence[Span], names: Sequence[bool], index: int) -> bool:
    """Say whether another name stands right before or behind a span: "Société" and "Vaudrey"."""
    span = spans[index]
    before = index > 0 and names[index - 1] and text[spans[index - 1].end : span.start] in _GAPS
    last = index + 1 == len(spans)
    behind = not last and names[index + 1] and text[span.end : spans[index + 1].start] in _GAPS
    return text[span.start].isupper() and (before or behind)


class _Reader:
    """A text and the words of its languages."""

    def __init__(self, text: str, languages: tuple[str, ...]) -> None:
        self._text = text
        self._words = [words_of(language) for language in languages]
        self._compounding = [words_of(language) for language in languages if language in _COMPOUNDING]
        self.titled = is_titled(text, languages)
        self._inside = _SURE if NOUNS_CAPITALISED & set(languages) or self.titled else _INSIDE
        self._cased = any(map(str.isupper, text))

    def is_everyday(self, span: Span) -> bool:
        """Say whether it is a guess, and of everyday words alone; in small letters, one such word is enough."""
        found = _WORD.findall(self._text, span.start, span.end)
        if not _is_guess(span) or not found:
            return False
        if span.type == "ADDRESS":
            return self._is_quantity(found, span.score)
        opens = opens_sentence(self._text, span.start)
        counted = len(found) > 1 and _ROMAN.fullmatch(found[-1]) is not None  # "Rozdziale VII"
        found = _telling(found, opens=opens)
        several = any(word[:1].isupper() for word in found[1:])
        if several and not (self.titled and span.type != "ORGANISATION"):
            return False
        known = [self._knows(word.lower()) for word in found]
        if self._text[span.start : span.end].islower():
            return self._is_everyday_small(known, span.score) or (len(known) == 1 and self._is_thing(span))
        if len(found) == 1 and not known[0]:
            return span.score < _COMPOUND and any(is_compound(found[0].lower(), words) for words in self._compounding)
        # Among other such titles "Servizio Assistenza", too: the lists hold nobody's name.
        doubtful = _SURE if several or (opens and span.type == "ORGANISATION") else 2 if opens else self._inside
        return all(known) and (counted or span.score < doubtful)

    def without_tail(self, span: Span) -> Span:
        """Return a name in small letters without the everyday words behind it: "marek" of "marek wohnt"."""
        if span.type != "PERSON" or not _is_guess(span) or not self._text[span.start : span.end].islower():
            return span
        found = list(_WORD.finditer(self._text, span.start, span.end))
        if not found or span.score < _SURE or self._knows(found[0].group()):
            return span
        while len(found) > 1 and self._text[found[-1].start() - 1] == " " and self._knows(found[-1].group()):
            found.pop()
        return span.model_copy(update={"end": found[-1].end()})

    def _is_thing(self, span: Span) -> bool:
        before = self._text[max(0, span.start - _BEFORE_MOST) : span.start]
        return self._cased and _SO_MUCH.search(before) is not None

    def _is_everyday_small(self, known: Sequence[bool], score: float) -> bool:
        if len(known) > 1 and score >= _SURE:  # "sesto fiorentino", "jean-baptiste"
            return all(known) and self._cased
        return all(known) or (self._cased and any(known))

    def _is_quantity(self, found: Sequence[str], score: float) -> bool:
        """Say whether an address is a single everyday word, and a number perhaps: "Versuch 3/5", "118 Délai"."""
        words = [word.lower() for word in found if len(word) > 1]
        if len(words) != 1 or score >= _SURE or _STREET_END.search(words[0]):
            return False
        return self._knows(words[0])

    def _knows(self, word: str) -> bool:
        return any(word in words for words in self._words)


def is_titled(text: str, languages: Iterable[str]) -> bool:
    """Say whether capitals tell little, as most words that have one inside a sentence are everyday words."""
    lists = [words_of(language) for language in languages]
    capitalised = [
        found.group().lower()
        for found in _WORD.finditer(text[:_READ])
        if found.group()[0].isupper() and not opens_sentence(text, found.start())
    ]
    known = sum(any(word in words for words in lists) for word in capitalised)
    return known >= _TITLED_LEAST and 2 * known >= len(capitalised)


def _telling(found: list[str], *, opens: bool) -> list[str]:
    """Return the words of a name without an article before them, a month behind them, and what only counts."""
    found = [word for word in found if _ROMAN.fullmatch(word) is None] or found
    if len(found) > 1 and found[0].lower() in _ARTICLES and (opens or found[0].islower()):
        found = found[1:]  # "le Vendeur", "El Arrendador"; not "Lo Bianco"
    elif len(found) > 1 and found[0].lower() in _OURS:
        found = found[1:]
    return found[:-1] if len(found) > 1 and found[-1].lower() in CALENDAR_WORDS else found  # "Miete März"


def opens_sentence(text: str, start: int) -> bool:
    """Say whether a word is the first of a sentence, a line or a value: its capital tells nothing there."""
    while start > 0 and text[start - 1] in _BETWEEN:
        start -= 1
    if start == 0 or text[start - 1] not in _OPENING:
        return start == 0
    return text[start - 1] != "." or _TITLE.search(text, max(0, start - 8), start) is None


@cache
def words_of(language: str) -> frozenset[str]:
    """Return the everyday words of a language, in lower case; read at their first use."""
    listed = (_FOLDER / f"{language}.txt").read_text("utf-8").split()
    return frozenset((*listed, *_FUNCTION_WORDS[language].split()))
