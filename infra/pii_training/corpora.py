"""Open corpora with named entities, read from their column files into labelled texts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmesh.infra.pii_training.synthesis import Labelled

_NO_GAP = re.compile(r"[.,;:!?)\]%]|'s|n't|'re|'ve|'ll")


@dataclass(frozen=True, slots=True)
class Corpus:
    """A file of one token a line: which columns hold the word and its tag, and what its types are called here."""

    file: str
    word: int
    tag: int
    types: Mapping[str, str]


_GERMEVAL = {"PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANISATION"}
CORPORA = (
    Corpus(
        "wnut17train.conll",
        0,
        1,
        {"person": "PERSON", "location": "LOCATION", "corporation": "ORGANISATION", "group": "ORGANISATION"},
    ),
    Corpus("germeval2014-dev.tsv", 1, 2, _GERMEVAL),
    Corpus("germeval2014-test.tsv", 1, 2, _GERMEVAL),
)


def read_corpus(folder: Path, corpus: Corpus) -> Iterator[Labelled]:
    """Yield the sentences of a corpus; a person's first word is a given name, the others a surname."""
    rows: list[tuple[str, str]] = []
    for line in (*(folder / corpus.file).read_text("utf-8").splitlines(), ""):
        if line.startswith(("#\t", "# ")):
            continue
        if line.strip():
            columns = line.split("\t")
            rows.append((columns[corpus.word], columns[corpus.tag]))
        elif rows:
            yield _sentence(rows, corpus.types)
            rows = []


def _sentence(rows: Sequence[tuple[str, str]], types: Mapping[str, str]) -> Labelled:
    text, spans, open_type = "", list[tuple[int, int, str]](), ""
    for word, tag in rows:
        if text and not _NO_GAP.fullmatch(word):
            text += " "
        start = len(text)
        text += word
        prefix, _, name = tag.partition("-")
        kind = types.get(name, "")
        if kind and (prefix == "B" or kind != open_type):
            spans.append((start, len(text), kind))
        elif kind:
            spans[-1] = (spans[-1][0], len(text), kind)
        open_type = kind
    return Labelled(text, tuple(part for span in spans for part in _parts(text, span)))


def _parts(text: str, span: tuple[int, int, str]) -> Iterator[tuple[int, int, str]]:
    start, end, kind = span
    if kind != "PERSON":
        yield span
        return
    first, gap, _ = text[start:end].partition(" ")
    yield start, start + len(first), "GIVEN_NAME"
    if gap:
        yield start + len(first) + 1, end, "SURNAME"
