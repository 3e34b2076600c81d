"""How much of what is labelled private stays uncovered, and how much else is taken, beside Presidio in the same run.

No figure is a promise here: ``PRIVACY_DATA`` names a folder of labelled texts, and without one nothing is measured.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from statistics import quantiles

import pytest

from bench.privacy.datasets import VARIABLE, Corpus, find_folder, read_corpora, read_handwritten
from bench.privacy.detectors import Running, has_presidio, ours, presidio
from bench.privacy.report import Speed, show, write
from bench.privacy.scoring import Score, score
from hybridmesh.bus.settings import MeshSettings

SHORT_TEXTS = 300
LONG_TEXTS, LONG_WORDS = 40, 500
TURN = 4  # texts in a row

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
    with ExitStack() as stack:
        detectors = [stack.enter_context(Running(program)) for program in (ours(*extra), presidio())]
        scores = {corpus.name: {each.name: measure(each, corpus) for each in detectors} for corpus in corpora}
        speeds = time_in_turns(detectors, corpora)
    show(scores, speeds)
    settings = MeshSettings()
    write(scores, speeds, {"detector": settings.models.detector, "set": extra})


def measure(detector: Running, corpus: Corpus) -> Score:
    """Return a detector's score on a corpus."""
    return score(corpus, [detector.find(row.text) for row in corpus.texts])


def time_in_turns(detectors: Sequence[Running], corpora: Sequence[Corpus]) -> dict[str, Speed]:
    """Return the speeds on the largest corpus that labels more than names.

    They take turns, since a machine whose pace changes would else favour one of them.
    """
    basis = max(corpora, key=lambda corpus: (not corpus.names, len(corpus.texts)))
    texts = [row.text for row in basis.texts]
    short, long = (in_turns(detectors, some) for some in (texts[:SHORT_TEXTS], long_texts(texts)))
    return {
        each.name: Speed(len(short[each.name]) / sum(short[each.name]), 1000 * quantiles(long[each.name], n=20)[-1])
        for each in detectors
    }


def in_turns(detectors: Sequence[Running], texts: Sequence[str]) -> dict[str, list[float]]:
    """Return the seconds that each text took each detector."""
    seconds: dict[str, list[float]] = {each.name: [] for each in detectors}
    for begin in range(0, len(texts), TURN):
        for each in detectors:
            seconds[each.name] += each.timed(texts[begin : begin + TURN])
    return seconds


def long_texts(texts: list[str]) -> list[str]:
    """Return texts of 500 words, made of short ones in a row."""
    words = cycle([word for text in texts for word in text.split(" ")])
    return [" ".join(islice(words, LONG_WORDS)) for _ in range(LONG_TEXTS)]
