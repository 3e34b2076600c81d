"""Whether a word alone stands where people are named: after "unser Mieter", before "a dit", beside "selon"."""

import re
from typing import Final

from hybridmesh.agents.classifier.calendar_words import CALENDAR_WORDS
from hybridmesh.agents.classifier.compounds import is_compound
from hybridmesh.agents.classifier.everyday import (
    LANGUAGES,
    NOUNS_CAPITALISED,
    is_titled,
    languages_of,
    opens_sentence,
    words_of,
)
from hybridmesh.agents.classifier.recognizers.cue_words import CUES
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER
from hybridmesh.agents.classifier.technical_names import TECHNICAL_NAMES

_NAME = re.compile(rf"[{UPPER}](?:['’][{UPPER}])?[{LETTER}]{{2,30}}(?:[-'’][{UPPER}]?[{LETTER}]{{2,30}}){{0,2}}")
_PART_LEAST: Final = 3  # letters of a part of a name that may be a word
_REACH: Final = 28  # characters of the longest cue before a name
_ROLE = {language: re.compile(rf"(?<!\w)(?:{cues.roles}) $") for language, cues in CUES.items()}
_ROLES = re.compile("|".join(cues.roles for cues in CUES.values()), re.IGNORECASE)
_SAID = {language: re.compile(rf"(?<!\w)(?:{cues.said}) $", re.IGNORECASE) for language, cues in CUES.items()}
_LINK = {language: re.compile(rf"(?<!\w)(?:{cues.links}) $", re.IGNORECASE) for language, cues in CUES.items()}
_ACT = {language: re.compile(rf" (?:{cues.acts})(?!\w)") for language, cues in CUES.items()}


def is_unknown(word: str) -> bool:
    """Say whether a capitalised word is none of any list, nor made of two, nor what people are, nor in capitals."""
    folded = word.casefold()
    if not _NAME.fullmatch(word) or word.isupper() or folded in CALENDAR_WORDS or folded in TECHNICAL_NAMES:
        return False
    if _ROLES.fullmatch(word):
        return False
    parts = re.split(r"[-'’]", folded)
    if any(part in words_of(language) for part in parts if len(part) >= _PART_LEAST for language in LANGUAGES):
        return False
    return not any(is_compound(part, words_of(language)) for part in parts for language in ("de", "nl"))


def is_named(text: str, start: int, end: int, languages: tuple[str, ...]) -> bool:
    """Say whether what stands around a word says by itself that it is somebody's name."""
    floor = max(0, start - _REACH)
    for language in languages:
        if language not in CUES:
            continue
        acts = _ACT[language].match(text, end) is not None
        if acts or _SAID[language].search(text, floor, start):
            return True
        if language not in NOUNS_CAPITALISED and _ROLE[language].search(text, floor, start):
            return True
    return False


def may_be_named(text: str, start: int, end: int) -> bool:
    """Say whether what stands around a word of no list lets it be a name, if the model believes so a little."""
    if not is_unknown(text[start:end]):
        return False
    languages, floor = languages_of(text), max(0, start - _REACH)
    if is_named(text, start, end, languages):
        return True
    linked = any(
        _ROLE[language].search(text, floor, start) or _LINK[language].search(text, floor, start)
        for language in languages
        if language in CUES
    )
    if not linked or opens_sentence(text, start):
        return False
    return bool(NOUNS_CAPITALISED & set(languages)) or not is_titled(text, languages)
