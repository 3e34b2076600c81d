"""The texts that the token classifier learns from: labels must stand where the values do."""

import random
from pathlib import Path

import pytest

from hybridmesh.infra.pii_training.corpora import CORPORA, Corpus, read_corpus
from hybridmesh.infra.pii_training.organisations import Organisations
from hybridmesh.infra.pii_training.spelling import cased, initials, plain
from hybridmesh.infra.pii_training.synthesis import read_templates
from hybridmesh.infra.pii_training.values import LOCALES

COLUMNS = """Jane\tB-person
Mary\tI-person
Miller\tI-person
lives\tO
in\tO
Bonn\tB-location
.\tO

@\tO
Acme\tB-corporation
Acme\tB-corporation
"""


def test_a_corpus_is_read_with_its_labels_in_place(tmp_path: Path) -> None:
    """Nothing private leaves: a person is a given name and a surname, and two firms in a row are two."""
    corpus = Corpus("c.conll", 0, 1, CORPORA[0].types)
    (tmp_path / corpus.file).write_text(COLUMNS, "utf-8")
    one, other = read_corpus(tmp_path, corpus)
    assert one.text == "Jane Mary Miller lives in Bonn."
    assert [(one.text[start:end], label) for start, end, label in one.spans] == [
        ("Jane", "GIVEN_NAME"), ("Mary Miller", "SURNAME"), ("Bonn", "LOCATION"),
    ]  # fmt: skip
    assert [other.text[start:end] for start, end, _ in other.spans] == ["Acme", "Acme"]


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_each_language_has_texts_with_and_without_private_values(language: str) -> None:
    """Nothing private leaves, and clean text stays clean: both are learnt in every language."""
    private, clean = read_templates(language)
    assert len(private) >= 10
    assert len(clean) >= 5
    assert all("{full}" not in text and "{org}" not in text for text in clean)
    assert len({*private, *clean}) == len(private) + len(clean)


def test_organisations_are_drawn_the_same_for_the_same_seed() -> None:
    """It runs on what you have: the model can be made again."""
    makers = Organisations(lambda _: "Bonn", lambda _: "Hesse", lambda _: "Miller")
    drawn = [[makers.draw("de", random.Random(seed)) for seed in range(50)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 30


def test_spellings_keep_a_value_the_same_value() -> None:
    """Nothing private leaves: names are learnt as people write them."""
    dice = random.Random(1)
    assert {cased("Zoë", dice, lower=0.4, upper=0.4) for _ in range(60)} == {"Zoë", "zoë", "ZOË"}
    assert {plain("Zoë", dice, chance=0.5) for _ in range(60)} == {"Zoë", "Zoe"}
    assert all(initials("Zoë", dice).startswith("Z") for _ in range(20))
