"""Names in small letters where people say who they are, greet and sign: "hi, it's tom from accounts", "ciao gianni"."""

import re
from collections.abc import Iterator
from typing import Final

from hybridmesh.agents.classifier.everyday import LANGUAGES, SMALL_WORDS, languages_of, words_of
from hybridmesh.agents.classifier.recognizers.introduction_words import NOBODY, WORDS
from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED, Recognizer
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER
from hybridmesh.schemas.privacy import Span

_SMALL = "".join(letter for letter in LETTER if letter not in UPPER)
_WORD = re.compile(  # with what may stand behind a name: most words stand in a sentence, and are told so at once
    rf"(?<![\w@'’.-])[{_SMALL}]{{3,20}}+(?:-[{_SMALL}]{{2,20}}+)?+(?![\w@'’-]|\.\w)"
    rf"(?=[ \t]*(?:[,.!;?\n()]|x{{1,3}}(?!\w)|$)| (?:{'|'.join(words.behind for words in WORDS.values())})(?!\w))"
)
_REACH: Final = 40  # characters of what stands before a name
_BEGINS = r"(?:^|(?<=[\n.!?>:(]))[ \t]*"
_OPENS = r"(?:^|(?<=[\n.!?>:,;(]))[ \t]*"
_BEFORE = {
    language: re.compile(
        rf"(?:(?<![\w'’])(?P<named>{words.named}) "
        rf"|{_BEGINS}(?:(?:{words.greetings})[,.!]? )?(?P<perhaps>{words.perhaps}) "
        rf"|{_OPENS}(?P<greeted>{words.greetings}) "
        rf"|(?<![\w'’])(?P<closed>{words.closings})(?:[,.!]?[ \t]*\n[ \t\n]*|,? ))$",
        re.IGNORECASE,
    )
    for language, words in WORDS.items()
}
_GREETED = re.compile(r"[ \t]*(?:[,!\n?]|$)")
_CLOSED = re.compile(r"[ \t]*[.!x)]{0,3}[ \t]*(?:$|\n)")
_BEHIND = {
    language: {
        **dict.fromkeys(("named", "perhaps"), re.compile(rf"[ \t]*(?:[,.!;\n(]|$)| (?:{words.behind})(?!\w)")),
        "greeted": _GREETED,
        "closed": _CLOSED,
    }
    for language, words in WORDS.items()
}


class SmallNameRecognizer:
    """A word in small letters in a place of one's name, that neither the language of the place nor the text's knows."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the names."""
        english = words_of("en")
        tried, known = LANGUAGES, list[frozenset[str]]()
        for match in _WORD.finditer(text):
            value = match.group()
            if value in english or value in SMALL_WORDS:
                continue
            if not known:  # told once, and only where they matter
                languages = languages_of(text)
                tried = tuple(dict.fromkeys((*languages, "en"))) if languages else LANGUAGES
                known = [NOBODY, *(words_of(language) for language in languages)]
            if any(value in words for words in known) or (
                "-" in value and _knows([english, SMALL_WORDS, *known], value)
            ):
                continue
            if any(_stands(text, match, language) for language in tried):
                yield Span(start=match.start(), end=match.end(), type="PERSON", score=0.7, source=SHAPED)


def _knows(lists: list[frozenset[str]], value: str) -> bool:
    return any(part in words for part in value.split("-") for words in lists)


def _stands(text: str, match: re.Match[str], language: str) -> bool:
    before = _BEFORE[language].search(text, max(0, match.start() - _REACH), match.start())
    if before is None or before.lastgroup is None or _knows([words_of(language)], match.group()):
        return False
    return _BEHIND[language][before.lastgroup].match(text, match.end()) is not None


RECOGNIZERS: tuple[Recognizer, ...] = (SmallNameRecognizer(),)
