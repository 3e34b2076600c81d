"""How much of what is labelled private stays uncovered, and how much else is taken, beside Presidio in the same run.

No figure is a promise here: ``PRIVACY_DATA`` names a folder of labelled texts, and without one nothing is measured.
"""

import os
from itertools import cycle, islice
from statistics import quantiles

import pytest

from bench.privacy.datasets import VARIABLE, Corpus, find_folder, read_corpora, read_handwritten
from bench.privacy.detectors import Program, Running, has_presidio, ours, presidio
from bench.privacy.report import Speed, show, write
from bench.privacy.scoring import Score, score
from hybridmesh.bus.settings import MeshSettings

SHORT_TEXTS = 300
LONG_TEXTS, LONG_WORDS = 40, 500

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]


def test_privacy() -> None:
    """Nothing private leaves: figures of every corpus that is there, for our detector and for Presidio."""
    folder = find_folder()
    if folder is None:
        pytest.skip(f"no labelled texts: name their folder in {VARIABLE}; NOTHING was measured")
    if not has_presidio():
        pytest.skip("Presidio is not installed beside: run `make bench-privacy`; NOTHING was measured")
    corpora = [*read_corpora(folder), *read_handwritten()]
    extra = os.environ.get("PRIVACY_SET", "").split()
    scores: dict[str, dict[str, Score]] = {corpus.name: {} for corpus in corpora}
    speeds: dict[str, Speed] = {}
    for program in (ours(*extra), presidio()):
        found, speed = measure(program, corpora)
        speeds[program.name] = speed
        for name, result in found.items():
            scores[name][program.name] = result
    show(scores, speeds)
    settings = MeshSettings()
    write(scores, speeds, {"detector": settings.models.detector, "set": extra})


def measure(program: Program, corpora: list[Corpus]) -> tuple[dict[str, Score], Speed]:
    """Return a detector's scores by corpus, and its speed on the largest corpus that labels more than names."""
    with Running(program) as running:
        found = {corpus.name: score(corpus, [running.find(row.text) for row in corpus.texts]) for corpus in corpora}
        basis = max(corpora, key=lambda corpus: (not corpus.names, len(corpus.texts)))
        texts = [row.text for row in basis.texts]
        short = running.timed(texts[:SHORT_TEXTS])
        long = running.timed(long_texts(texts))
    return found, Speed(len(short) / sum(short), 1000 * quantiles(long, n=20)[-1])


def long_texts(texts: list[str]) -> list[str]:
    """Return texts of 500 words, made of short ones in a row."""
    words = cycle([word for text in texts for word in text.split(" ")])
    return [" ".join(islice(words, LONG_WORDS)) for _ in range(LONG_TEXTS)]
