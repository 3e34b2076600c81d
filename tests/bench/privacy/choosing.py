"""``python -m bench.privacy.choosing``: chooses the token classifier's thresholds on the development sets.

One value for all types first, then one a type, each the one of the grid with the best mean F2 of the sets; a missed
value costs more than a false one. The held-out sets are not read.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from bench.privacy.datasets import Corpus, find_folder, read_corpora, read_handwritten
from bench.privacy.detectors import Running, ours
from bench.privacy.scoring import score

HELD_OUT = "unseen"
DEFAULT = "default"
GRID = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)
TYPES = ("PERSON", "ADDRESS", "LOCATION", "ORGANISATION")
_GAIN = 0.0005  # of F2: what a threshold of a type's own has to bring


def main() -> None:
    """Choose, tell each figure, and write what was chosen into the file of thresholds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="thresholds.json; the types that are not chosen here keep theirs")
    file: Path = parser.parse_args().file
    folder = find_folder()
    if folder is None:
        parser.error("there are no labelled texts to choose on")
    corpora = [
        corpus for corpus in (*read_corpora(folder), *read_handwritten()) if not corpus.name.startswith(HELD_OUT)
    ]
    before: dict[str, float] = json.loads(file.read_text("utf-8"))
    fixed = {kind: least for kind, least in before.items() if kind not in (DEFAULT, *TYPES)}
    best, chosen = max((_mean_f2(corpora, {DEFAULT: least, **fixed}), least) for least in GRID)
    found = {DEFAULT: chosen}
    for kind in TYPES:
        tried = [least for least in GRID if least != chosen]
        mean, least = max((_mean_f2(corpora, {**found, kind: least, **fixed}), least) for least in tried)
        if mean > best + _GAIN:
            best, found[kind] = mean, least
    file.write_text(json.dumps({**found, **fixed}), "utf-8")


def _mean_f2(corpora: list[Corpus], thresholds: Mapping[str, float]) -> float:
    """Return the mean over the sets, each counting the same, whatever its size."""
    others = [f"privacy.thresholds.{kind}={least}" for kind, least in thresholds.items() if kind != DEFAULT]
    with Running(ours(f"privacy.threshold={thresholds[DEFAULT]}", *others)) as running:
        f2 = fmean(score(corpus, [running.find(row.text) for row in corpus.texts]).f2 for corpus in corpora)
    sys.stdout.write(f"{f2:.4f}  {json.dumps(dict(thresholds))}\n")
    sys.stdout.flush()
    return f2


if __name__ == "__main__":
    main()
