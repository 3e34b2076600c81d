"""Other forms of a name: the German and English "s", the plural, and the cases of Polish."""

import re
from collections.abc import Iterable, Iterator

from hybridmesh.agents.classifier.everyday import NOUNS_CAPITALISED, languages_of, opens_sentence, words_of

_CAPITALISED = re.compile(r"(?<![^\W_])[^\W\d_]{4,40}(?![^\W_])")
_STEM_LEAST = 4  # letters that all forms of a name share
_ANYWHERE = ("", "s")
_POLISH = (
    *_ANYWHERE, "a", "ach", "ami", "cie", "e", "ego", "ej", "em", "emu", "ę", "i", "ich", "ie", "iego", "iej", "iem",
    "iemu", "im", "imi", "o", "om", "owi", "owie", "ów", "ą", "u", "y", "ych", "ym", "ymi", "ze",
)  # fmt: skip


def find_forms(text: str, names: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield where a capitalised word is a form of one of the single ``names``.

    An everyday word is one only where its capital says so: inside a sentence, and not in German.
    """
    parts = {name.casefold() for name in names if len(name) >= _STEM_LEAST}
    if not parts:
        return
    languages = languages_of(text)
    endings = _POLISH if "pl" in languages else _ANYWHERE
    stems = {stem for part in parts for stem in _stems(part, endings)}
    for word in _CAPITALISED.finditer(text):
        folded = word.group().casefold()
        if (
            folded in parts
            or not word.group()[0].isupper()
            or not any(stem in stems for stem in _stems(folded, endings))
        ):
            continue
        told = not NOUNS_CAPITALISED & set(languages) and not opens_sentence(text, word.start())
        if told or not any(folded in words_of(language) for language in languages):
            yield word.span()


def _stems(word: str, endings: Iterable[str]) -> Iterator[str]:
    for ending in endings:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM_LEAST:
            yield word.removesuffix(ending)
