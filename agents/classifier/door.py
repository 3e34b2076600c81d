"""The decision at the door: may this prompt, as it would be sent, leave?"""

import json
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hybridmesh.agents.classifier.normalise import normalise
from hybridmesh.agents.classifier.phrases import PhraseIndex, fold, is_same
from hybridmesh.agents.classifier.spans import GUESSES, count, subtract
from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.privacy import Findings, Span
from hybridmesh.schemas.surrogates import SURROGATE, kind_of

_SQUEEZED_LEAST = 4  # letters and digits of an original that is also looked for without its spaces
_SQUEEZED_ANYWHERE = 8  # from here on also inside of other words: shorter ones are parts of common words
_TEXT = "[TEXT_"  # stands for text that only looks like a surrogate, which is not private
_SURE = 0.99  # score from which the token classifier is believed about words in lower case
_LIKELY = 0.5  # and about all others: the step's own texts were read for much less


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` is None when the prompt may leave; ``found`` counts what is in its way, ``kept`` its surrogates."""

    reason: str | None
    found: Findings
    kept: Findings


def prompt_texts(prompt: Prompt) -> tuple[str, ...]:
    """Return all that the cloud would read of a prompt."""
    schema = () if prompt.json_schema is None else (json.dumps(prompt.json_schema, ensure_ascii=False),)
    return (prompt.system, prompt.user, *schema)


def judge(texts: Sequence[str], spans: Sequence[Sequence[Span]], originals: Mapping[str, str]) -> Verdict:
    """Refuse when an original of the scope stands in the texts in any guise, or when something private was found.

    ``spans`` are the findings in ``texts``; the surrogates in ``originals`` are the only ones that are taken out.
    """
    places = [_surrogates(text, originals) for text in texts]
    kept = Findings(
        counts=_kinds([text[start:end] for text, row in zip(texts, places, strict=True) for start, end in row])
    )
    private = [value for surrogate, value in originals.items() if not surrogate.startswith(_TEXT)]
    if any(_holds_original(_blanked(text, row), private) for text, row in zip(texts, places, strict=True)):
        return Verdict("original-in-prompt", Findings(), kept)
    rests = [
        [rest for rest in subtract(found, row, text) if is_evidence(rest, text[rest.start : rest.end])]
        for text, found, row in zip(texts, spans, places, strict=True)
    ]
    found = count(texts, rests)
    return Verdict("private-value-found" if found.total else None, found, kept)


def is_evidence(span: Span, value: str) -> bool:
    """Say whether a finding keeps a prompt at home.

    What only the token classifier took for a name does not, unless it is likely one, nor do words in lower case unless
    it is sure: in another surrounding it takes ordinary words for names, and each step's own texts were cut, for much
    less, before they came here.
    """
    if span.source not in GUESSES or any(map(str.isdigit, value)):
        return True
    return span.score >= (_SURE if value == value.lower() else _LIKELY)


def _surrogates(text: str, originals: Mapping[str, str]) -> list[tuple[int, int]]:
    return [match.span() for match in SURROGATE.finditer(text) if match.group() in originals]


def _kinds(surrogates: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for surrogate in sorted(set(surrogates)):
        if kind := kind_of(surrogate):
            counts[kind] = counts.get(kind, 0) + 1
    return counts


def _blanked(text: str, places: Sequence[tuple[int, int]]) -> str:
    """Return the text with a line break for each surrogate, so that its code is not read as text."""
    pieces: list[str] = []
    at = 0
    for start, end in places:
        pieces += (text[at:start], "\n")
        at = end
    return "".join([*pieces, text[at:]])


def _holds_original(text: str, originals: Collection[str]) -> bool:
    view = normalise(text).text
    values = {normalise(original).text for original in originals}
    exact = any(
        original in text for original in originals if not any(char.isalnum() for char in original) and len(original) > 1
    )
    found = PhraseIndex(values).find(view)
    return exact or any(is_same(phrase, view[start:end]) for start, end, phrase in found) or _squeezed(view, values)


def _squeezed(text: str, values: Collection[str]) -> bool:
    """Say whether a value stands in the text once spaces, punctuation, case and accents are taken from both."""
    packed, opens, closes = _pack(text)
    for value in values:
        needle, _, _ = _pack(value)
        if len(needle) < _SQUEEZED_LEAST or value.isalpha():
            continue
        at = packed.find(needle)
        while at >= 0:
            if len(needle) >= _SQUEEZED_ANYWHERE or (opens[at] and closes[at + len(needle) - 1]):
                return True
            at = packed.find(needle, at + 1)
    return False


def _pack(text: str) -> tuple[str, list[bool], list[bool]]:
    """Return letters and digits only, and for each whether a word opens or closes there."""
    chars: list[str] = []
    opens: list[bool] = []
    closes: list[bool] = []
    fresh = True
    for char in unicodedata.normalize("NFKD", fold(text)):
        if char.isalnum():
            chars.append(char)
            opens.append(fresh)
            closes.append(False)
            if fresh and len(closes) > 1:
                closes[-2] = True
            fresh = False
        elif not unicodedata.combining(char):
            fresh = True
    if closes:
        closes[-1] = True
    return "".join(chars), opens, closes
