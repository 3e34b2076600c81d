"""Weak guesses where nothing else is found: mostly words of a clean text that the token classifier does not know."""

import re
from collections.abc import Sequence

from hybridmesh.agents.classifier.everyday import KNOWN_WELL, languages_of
from hybridmesh.agents.classifier.recognizers.person_cues import may_be_named
from hybridmesh.schemas.privacy import Span

_GUESSED = frozenset({"PERSON", "LOCATION", "ORGANISATION", "ADDRESS"})
# Where nothing surer stood in a text, all 40 such findings in some 800 labelled texts of seven languages were wrong; in
# English, which the model knows, half of them were right.
_WEAK = 0.3
_WORDS_EACH = 6  # of the text: "Schäfer, Koch und Bauer haben Dienst" is about people all the same
_WORD = re.compile(r"[^\W\d_]+")


def without_lone(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return the spans of a text; where all are weak guesses of single words and it is not in English, few of them.

    Those are kept that stand where people are named. A text in no language that is known keeps all, and so does one
    that has hardly any other words.
    """
    if not spans or not all(_is_weak(text, span) for span in spans):
        return list(spans)
    if len(_WORD.findall(text)) < _WORDS_EACH * len(spans):
        return list(spans)
    languages = languages_of(text)
    if not languages or languages[0] == KNOWN_WELL:
        return list(spans)
    return [span for span in spans if may_be_named(text, span.start, span.end)]


def _is_weak(text: str, span: Span) -> bool:
    guessed = span.source == "model" and span.type in _GUESSED and span.score < _WEAK
    return guessed and " " not in text[span.start : span.end]
