"""Synthetic texts with their labels: templates of many registers and languages, filled with drawn values."""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmesh.infra.pii_training.spelling import titled
from hybridmesh.infra.pii_training.values import LOCALES, Values

_TEMPLATES = Path(__file__).parent / "templates"
_SLOT = re.compile(r"\{([a-z_]+)\}")
_CLEAN = "~"  # begins a template whose text holds nothing private
# How often a text is in a language; English is what most of the demand is in.
_SHARES = {"en": 0.4, "de": 0.14, "fr": 0.11, "es": 0.1, "it": 0.09, "nl": 0.07, "pt": 0.03, "pl": 0.06}
_CLEAN_SHARE = 0.3
_SENTENCES = (1, 1, 1, 1, 2, 2, 3, 4)
_CATALOGUED = 0.5  # of clean sentences: from the catalogues of programs, where there are any
_LOWERED = 0.08  # of texts written without a capital letter
_RAISED = 0.03  # of texts written in capitals
_TITLED = 0.1  # of clean sentences written with a capital at each word


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and its spans: start, end, label."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def synthesise(count: int, seed: int, catalogues: Mapping[str, Sequence[str]]) -> Iterator[Labelled]:
    """Yield that many texts; the same seed gives the same ones. ``catalogues`` holds clean sentences by language."""
    values = Values(seed)
    templates = {language: read_templates(language) for language in LOCALES}
    languages, weights = list(_SHARES), list(_SHARES.values())
    for _ in range(count):
        language = values.dice.choices(languages, weights)[0]
        private, clean = templates[language]
        pieces: list[tuple[str, str | None]] = []
        for _ in range(values.dice.choice(_SENTENCES)):
            if pieces:
                pieces.append((values.dice.choice((" ", " ", "\n", "\n\n")), None))
            if values.dice.random() >= _CLEAN_SHARE:
                pieces += _filled(values.dice.choice(private), language, values)
            elif catalogues.get(language) and values.dice.random() < _CATALOGUED:
                pieces.append((_rewritten(values.dice.choice(catalogues[language]), values.dice), None))
            else:
                sentence = "".join(text for text, _ in _filled(values.dice.choice(clean), language, values))
                pieces.append((_rewritten(sentence, values.dice), None))
        yield _join(pieces, _writing(values.dice.random()))


def read_templates(language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a language's templates: those with private values, and those without."""
    lines = (_TEMPLATES / f"{language}.txt").read_text("utf-8").splitlines()
    texts = [line.replace("\\n", "\n").replace("\\t", "\t") for line in lines if line]
    return (
        tuple(text for text in texts if not text.startswith(_CLEAN)),
        tuple(text.removeprefix(_CLEAN) for text in texts if text.startswith(_CLEAN)),
    )


def _filled(template: str, language: str, values: Values) -> Iterator[tuple[str, str | None]]:
    at = 0
    for slot in _SLOT.finditer(template):
        yield template[at : slot.start()], None
        yield from values.draw(slot.group(1), language)
        at = slot.end()
    yield template[at:], None


def _rewritten(sentence: str, dice: random.Random) -> str:
    """Return a clean sentence, now and then with a capital at each word, or with none."""
    roll = dice.random()
    return titled(sentence) if roll < _TITLED else sentence.lower() if roll < _TITLED + _LOWERED else sentence


def _writing(roll: float) -> Callable[[str], str]:
    if roll < _LOWERED:
        return str.lower
    return str.upper if roll < _LOWERED + _RAISED else str


def _join(pieces: Sequence[tuple[str, str | None]], write: Callable[[str], str]) -> Labelled:
    text, spans = "", list[tuple[int, int, str]]()
    for piece, label in pieces:
        value = write(piece)
        if label:
            spans.append((len(text), len(text) + len(value), label))
        text += value
    return Labelled(text, tuple(spans))
