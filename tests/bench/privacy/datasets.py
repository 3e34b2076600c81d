"""Labelled texts for the privacy benchmark: every file of a folder, told apart by its form, with types in one set."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from house import CHECKOUT

VARIABLE = "PRIVACY_DATA"
_OWN = {
    name: Path(__file__).with_name(f"{file}.txt")
    for name, file in {
        "own": "handwritten",
        **{name: name for name in ("languages", "hard", "mixed", "lone", "unseen")},
    }.items()
}
_MARK = re.compile(r"\{(?P<type>[A-Z_]+)\|(?P<value>[^|}]*)(?:\|(?P<beside>[^}]*))?\}")
_BESIDE = ("shared", "data", "privacy", "dev")

# What each corpus calls a type; types that are not here keep their name.
_TYPES = {
    "STREET_ADDRESS": "ADDRESS", "ZIP_CODE": "ADDRESS", "GPE": "LOCATION", "LOC": "LOCATION", "location": "LOCATION",
    "ORGANIZATION": "ORGANISATION", "ORG": "ORGANISATION", "corporation": "ORGANISATION", "group": "ORGANISATION",
    "person": "PERSON", "PER": "PERSON", "CREDIT_CARD": "CARD", "PHONE_NUMBER": "PHONE", "EMAIL_ADDRESS": "EMAIL",
    "DOMAIN_NAME": "URL", "US_SSN": "SSN", "IBAN_CODE": "IBAN", "DE_IBAN": "IBAN", "US_DRIVER_LICENSE":
    "DRIVERS_LICENSE", "DATE_TIME": "DATE", "US_PASSPORT": "PASSPORT", "DE_VAT_ID": "TAX_ID", "MISC": "OTHER",
}  # fmt: skip
# Labels that are neither asked for nor held against anybody.
IGNORED = frozenset({"DATE", "AGE", "NRP", "TITLE", "OTHER", "creative-work", "product"})
NAMES = frozenset({"PERSON", "LOCATION", "ADDRESS", "ORGANISATION"})

Spot = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and its gold spans: start, end, type."""

    text: str
    gold: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts of one source; ``names`` says that only names are labelled, so that only names are counted."""

    name: str
    texts: tuple[Labelled, ...]
    names: bool = False


def find_folder() -> Path | None:
    """Return the folder that ``PRIVACY_DATA`` names, else the one beside the checkout; None where there is none."""
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else CHECKOUT.parent.joinpath(*_BESIDE)
    return folder if folder.is_dir() else None


def read_corpora(folder: Path) -> list[Corpus]:
    """Return the corpora of a folder: files whose names share all before the first ``_`` are one corpus."""
    found: dict[str, Corpus] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".conll":
            found[path.stem] = Corpus(path.stem, tuple(_columns(path.read_text("utf-8"))), names=True)
        elif path.suffix in (".json", ".jsonl"):
            name = path.stem.partition("_")[0]
            before = found[name].texts if name in found else ()
            found[name] = Corpus(name, (*before, *_records(path)))
    return list(found.values())


def read_handwritten() -> list[Corpus]:
    """Return the texts that come with the benchmark, one corpus a file and language."""
    found: dict[str, list[Labelled]] = {}
    for name, path in _OWN.items():
        for line in path.read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                language, _, text = line.partition("\t")
                found.setdefault(f"{name}-{language}", []).append(_marked(text.replace("\\n", "\n")))
    return [Corpus(name, tuple(texts)) for name, texts in sorted(found.items())]


def _marked(text: str) -> Labelled:
    """Read ``{TYPE|value}``; after a second bar stands what of the value, at its start, is no part of the name."""
    plain, gold, at = "", list[Spot](), 0
    for mark in _MARK.finditer(text):
        plain += text[at : mark.start()]
        value, beside = mark["value"], mark["beside"] or ""
        gold.append((len(plain) + len(beside), len(plain) + len(value), mark["type"]))
        plain += value
        at = mark.end()
    return Labelled(plain + text[at:], tuple(gold))


def _records(path: Path) -> Iterator[Labelled]:
    text = path.read_text("utf-8")
    records: list[dict[str, Any]] = (
        json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines() if line]
    )
    for record in records:
        words = next(record[key] for key in ("full_text", "input", "text") if key in record)
        spans = record.get("spans", record.get("expected_entities", []))
        yield Labelled(words, tuple(sorted(map(_spot, spans))))


def _spot(span: dict[str, Any]) -> Spot:
    start = span["start_position"] if "start_position" in span else span["start"]
    end = span["end_position"] if "end_position" in span else span["end"]
    return start, end, type_of(span["entity_type"] if "entity_type" in span else span["type"])


def type_of(label: str) -> str:
    """Return the benchmark's name of a corpus' or a detector's type."""
    return _TYPES.get(label, label)


def _columns(text: str) -> Iterator[Labelled]:
    for block in text.split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if line.strip()]
        if rows:
            yield _sentence([(row[0], row[-1].strip()) for row in rows])


def _sentence(tokens: Sequence[tuple[str, str]]) -> Labelled:
    gold: list[Spot] = []
    at = 0
    for word, tag in tokens:
        prefix, _, label = tag.partition("-")
        if prefix == "I" and gold:
            gold[-1] = (gold[-1][0], at + len(word), gold[-1][2])
        elif label:
            gold.append((at, at + len(word), type_of(label)))
        at += len(word) + 1
    return Labelled(" ".join(word for word, _ in tokens), tuple(gold))
