"""Whether a text is in a language that somebody here knows: the model guesses at any other, and misses what it has."""

import asyncio
import re
from collections.abc import Sequence

from hybridmesh.agents.classifier.everyday import LANGUAGES, languages_of, words_of
from hybridmesh.bus.errors import Unanswerable
from hybridmesh.schemas.privacy import Span

_READ = 20_000  # characters of a text that show its language
_LEAST = 8  # different words that tell; a shorter text, or a list of names, may be in any language
# Of 3,092 labelled texts in eight languages two have a smaller share of known words, and these are Hmong; so have 19 of
# texts in 22 other languages, but not Norwegian, Catalan and Estonian.
_SHARE = 0.36
# A word in small letters between blanks, with the marks of a sentence around it: no name, no part of an address.
_WORD = re.compile(r"(?<![^\s(\"'«„“‘¿¡*-])[^\W\d_]+(?:['’-][^\W\d_]+){0,3}(?=[.,;:!?)\"'»”“’*-]{0,3}(?:\s|\Z))")
_JOINED = re.compile(r"['’-]")


async def check_languages(texts: Sequence[str], found: Sequence[Sequence[Span]]) -> None:
    """Return when each text, beside what was ``found`` in it, is in a language that is known, or too short to say.

    Raises:
        Unanswerable: one is in another (``unknown-language``).

    """

    def unknown() -> bool:
        return any(is_in_unknown_language(text, spans) for text, spans in zip(texts, found, strict=True))

    if await asyncio.to_thread(unknown):
        raise Unanswerable(reason="unknown-language")


def is_in_unknown_language(text: str, found: Sequence[Span]) -> bool:
    """Say whether too few of the words beside what was ``found`` are everyday words of a language that is known."""
    words = _words_beside(text[:_READ], found)
    if len(words) < _LEAST:
        return False
    unknown = words
    # The likeliest languages first: the others' words are not read for a text that they explain.
    for language in dict.fromkeys((*languages_of(text), *LANGUAGES)):
        unknown = unknown - words_of(language)
        if len(unknown) <= (1 - _SHARE) * len(words):
            return False
    return True


def _words_beside(text: str, found: Sequence[Span]) -> set[str]:
    taken = bytearray(len(text))
    for span in found:
        taken[span.start : span.end] = b"\x01" * len(taken[span.start : span.end])
    return {
        part
        for word in _WORD.finditer(text)
        if word.group()[0].islower() and not any(taken[word.start() : word.end()])
        for part in _JOINED.split(word.group().lower())
        if len(part) > 1
    }
