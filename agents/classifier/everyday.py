"""Everyday words of eight languages: what the token classifier, whose training knew few of them, takes for names.

The lists (``words``) hold no word that is known as somebody's name; what a text's own language calls everyday is
no name on the model's word alone, unless it is written as only names are.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from hybridmesh.schemas.privacy import Span

_FOLDER = Path(__file__).parent / "words"
_WORD = re.compile(r"[^\W\d_]+")
_READ = 20_000  # characters of a text that show its language
_LEAST = 3  # letters of a listed word
_WORDS_LEAST = 4  # of a text without small words that show its language
_SHARE = 0.6  # of the hits of the best language that another needs to be read too
_NAMES = frozenset({"PERSON", "LOCATION", "ORGANISATION"})
NOUNS_CAPITALISED = frozenset({"de"})
_SURE = 0.98  # what a capitalised noun needs to be a name where all nouns have capitals
_INSIDE = 0.95  # what a capitalised word inside a sentence needs, where only names have capitals
_TITLED_LEAST = 3  # so many everyday words with capitals inside sentences: the text writes titles, menus, products
_KNOWN_WELL = "en"  # most of what the model was trained on: it knows its everyday words
_GAPS = frozenset({" ", "-", "'", "’"})
# What stands before the first word of a sentence, a line, a cell or a value, blanks and quotes left out.
_OPENING = frozenset(".!?:;|>•·*–—-\n\t")
_BETWEEN = frozenset(" \r\"'“„”«»‘’([{¿¡#*_")

_IDENTIFIER = re.compile(r"[a-z]{2,20}(?:[A-Z][a-z]{1,20}){1,6}")  # "getTotal": of a program
_TITLE = re.compile(  # a full stop that ends no sentence
    r"(?<!\w)(?:dott|dr|dra|sig|sigg|sr|sra|srta|hr|fr|mr|mrs|ms|m|mm|prof|ing|avv|mme|me|dhr|mevr|st|nr|no)\.$",
    re.IGNORECASE,
)

_FUNCTION_WORDS = {
    "de": "der die das und ist nicht ich sie wir mit für auf ein eine einen einem einer dem den des von zu im am bei"
    " wird werden wurde nach auch sich haben hat habe bitte ihre ihr ihren mein meine leider kann sind es aus um als"
    " über unter vor wie oder noch nur",
    "en": "the and is are of to you for with that this was have has be on at it we our your please not from my by if"
    " only will a i so do but what he she they when can now an as or me all there would get his her just out",
    "es": "el los las es una por para con que del se su no al como más está son mi y lo fue en de la un me le ha esta"
    " este pero sus a o si ya",
    "fr": "le les des est une dans pour vous nous je sur avec que qui pas au aux du votre ce cette sont été et de la"
    " un a il elle ne en y se mais ou si mon ma plus j l d qu n c s",
    "it": "il gli è di che per con una del della non si sono al alla dei nel mi da ha le la questo e lo un a i in"
    " ma o se più dal dalla delle nella l dell",
    "nl": "de het een van en is niet ik wij u met voor op aan dat zijn wordt naar bij uw kan te er in heeft maar ook"
    " om als dan we je mijn deze",
    "pl": "i w na z do się jest nie to że o dla po za jak proszę od przez są pan a ale oraz ze mi mam mój przy co",
    "pt": "o os as um uma do da dos das em no na para com não que é seu sua por ao de e a se mais mas eu ou",
}
LANGUAGES = tuple(_FUNCTION_WORDS)
_ARTICLES = frozenset({
    "der", "die", "das", "den", "dem", "le", "la", "les", "l", "el", "los", "las", "lo", "il", "i", "gli",
    "un", "una", "uno", "une", "eine", "ein", "de", "het", "een", "o", "a", "os", "as",
})  # fmt: skip
_LANGUAGES_OF: dict[str, list[str]] = {}
for _language, _words in _FUNCTION_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF.setdefault(_word, []).append(_language)


def languages_of(text: str) -> tuple[str, ...]:
    """Return the languages that the small words of a text are of, the likeliest first.

    A text without small words (a table, a record) is of the languages that most of its words are everyday words of.
    """
    hits: Counter[str] = Counter()
    found = _WORD.findall(text[:_READ].lower())
    for word in found:
        hits.update(_LANGUAGES_OF.get(word, ()))
    if not hits:
        distinct = {word for word in found if len(word) >= _LEAST}
        hits.update({language: len(distinct & words_of(language)) for language in _FUNCTION_WORDS})
        if len(distinct) < _WORDS_LEAST or 2 * max(hits.values()) < len(distinct):
            return ()
    most = max(hits.values(), default=0)
    best = sorted(hits.items(), key=lambda item: (-item[1], item[0] == _KNOWN_WELL))
    return tuple(language for language, number in best if number >= _SHARE * most)


def without_everyday(text: str, spans: Iterable[Span]) -> list[Span]:
    """Return the disjoint spans, in order, without the model's names that are words of the text's language."""
    found = [span for span in spans if not (_is_guess(span) and _IDENTIFIER.fullmatch(text, span.start, span.end))]
    if not any(map(_is_guess, found)):
        return found
    languages = languages_of(text)
    if not languages or languages[0] == _KNOWN_WELL:
        return found
    reader = _Reader(text, tuple(language for language in languages if language != _KNOWN_WELL))
    everyday = [reader.is_everyday(span) for span in found]
    names = [
        not (reader.titled and known) or span.type == "ORGANISATION"
        for span, known in zip(found, everyday, strict=True)
    ]
    return [span for index, span in enumerate(found) if not everyday[index] or _is_beside(text, found, names, index)]


def _is_guess(span: Span) -> bool:
    return span.type in _NAMES and span.source == "model"


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
        self.titled = self._is_titled()
        self._inside = _SURE if NOUNS_CAPITALISED & set(languages) or self.titled else _INSIDE
        self._cased = any(map(str.isupper, text))

    def _is_titled(self) -> bool:
        """Say whether capitals tell little, as most words that have one inside a sentence are everyday words."""
        capitalised = [
            found.group().lower()
            for found in _WORD.finditer(self._text[:_READ])
            if found.group()[0].isupper() and not opens_sentence(self._text, found.start())
        ]
        known = sum(any(word in words for words in self._words) for word in capitalised)
        return known >= _TITLED_LEAST and 2 * known >= len(capitalised)

    def is_everyday(self, span: Span) -> bool:
        """Say whether it is a guess, and of everyday words alone; in small letters, one such word is enough."""
        value = self._text[span.start : span.end]
        found = _WORD.findall(value)
        opens = opens_sentence(self._text, span.start)
        if len(found) > 1 and found[0].lower() in _ARTICLES and (opens or found[0].islower()):
            found = found[1:]  # "le Vendeur", "El Arrendador"; not "Lo Bianco"
        several = any(word[:1].isupper() for word in found[1:])
        if not _is_guess(span) or not found or (several and not (self.titled and span.type != "ORGANISATION")):
            return False
        known = [any(word.lower() in words for words in self._words) for word in found]
        if value.islower():
            return all(known) or (self._cased and any(known))
        if not all(known):
            return False
        if several:  # "Servizio Assistenza", among other such titles: the lists hold nobody's name
            return span.score < _SURE
        if opens:
            return span.type != "ORGANISATION" or span.score < _SURE
        return span.score < self._inside


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
