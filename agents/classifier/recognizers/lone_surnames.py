"""A surname alone in a sentence outside English, told by who stands before it or by what is done behind it."""

import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.everyday import KNOWN_WELL, SMALL_WORDS, languages_of, words_of
from hybridmesh.agents.classifier.recognizers.person_cues import is_named, is_unknown
from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED, Recognizer
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER
from hybridmesh.schemas.privacy import Span

# With a word in small letters, or nothing, on both sides: not part of a longer name.
_ALONE = re.compile(
    rf"(?:^|(?<=[\n.!?:,] )|(?<=\n)|(?<=[^\W\d_] ))"
    rf"(?P<value>[{UPPER}][{LETTER}'’]{{2,30}}(?:-[{UPPER}][{LETTER}'’]{{2,30}})?)(?![\w@/.&-]| [{UPPER}]|['’]\w)"
)
_POLISH = re.compile(  # of a family, in all its cases; "-skie" is of a sea
    r"[^\W\d_]{3,20}(?:(?:[sc]|dz)k(?:i|a|iego|iej|iemu|im|ą|ich)|wicz(?:a|em|owi|ów)?|czyk(?:a|iem|owi)?)"
)


_BEFORE = re.compile(r"(?<!\w)([^\W\d_]{1,30}) $")
_REACH = 32  # characters of the word before a name


class LoneSurnameRecognizer:
    """Words of no list that stand where people are named, and Polish ones that are formed as surnames are."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the names."""
        languages: tuple[str, ...] | None = None
        english = words_of(KNOWN_WELL)
        for match in _ALONE.finditer(text):
            if match["value"].lower() in english:
                continue
            languages = languages_of(text) if languages is None else languages
            if not languages or languages[0] == KNOWN_WELL:
                return
            start, end = match.span("value")
            if match["value"].lower() in words_of(languages[0]):
                continue
            if not is_unknown(match["value"]):
                continue
            if is_named(text, start, end, languages) or _is_polish(text, match, languages):
                yield Span(start=start, end=end, type="PERSON", score=0.6, source=SHAPED)


def _is_polish(text: str, match: re.Match[str], languages: tuple[str, ...]) -> bool:
    if languages[0] != "pl" or _POLISH.fullmatch(match["value"]) is None:
        return False
    before = _BEFORE.search(text, max(0, match.start() - _REACH), match.start())
    return before is not None and (before[1][0].islower() or before[1].lower() in SMALL_WORDS)


RECOGNIZERS: tuple[Recognizer, ...] = (LoneSurnameRecognizer(),)
