"""The texts that the token classifier learns from: labels must stand where the values do."""

import random
import struct
from pathlib import Path
from zipfile import ZipFile

import pytest

from house import CHECKOUT
from hybridmesh.infra.pii_training.catalogues import read_catalogues
from hybridmesh.infra.pii_training.corpora import CORPORA, Corpus, read_corpus
from hybridmesh.infra.pii_training.organisations import Organisations
from hybridmesh.infra.pii_training.released import read_released
from hybridmesh.infra.pii_training.spelling import cased, declined, initials, plain, titled
from hybridmesh.infra.pii_training.synthesis import read_templates
from hybridmesh.infra.pii_training.values import LOCALES

SHIPPED = CHECKOUT / "agents" / "classifier" / "model" / "model.onnx"
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


def test_clean_sentences_are_read_from_the_catalogues_of_programs(tmp_path: Path) -> None:
    """Clean text stays clean: what may name somebody, and what only programs write, is no clean sentence."""
    wheel = tmp_path / "program-1.0-py3-none-any.whl"
    messages = {
        "": "Content-Type: text/plain; charset=UTF-8\n",
        "The page was saved.": "Die Seite wurde gespeichert.",
        "Welcome to Springfield": "Willkommen in Springfield",
        "Hello, %(name)s, how are you?": "Hallo, %(name)s, wie geht es?",
        "No": "Nein",
    }
    with ZipFile(wheel, "w") as archive:
        archive.writestr("program/locale/de_DE/LC_MESSAGES/messages.mo", catalogue(messages))
        archive.writestr("program/locale/sv/LC_MESSAGES/messages.mo", catalogue(messages))
    assert read_catalogues([wheel], ("de", "en")) == {
        "de": ("Die Seite wurde gespeichert.",),
        "en": ("The page was saved.",),
    }


def catalogue(messages: dict[str, str]) -> bytes:
    """Return a catalogue in GNU's binary form: a header, two tables of lengths and offsets, the strings."""
    pairs = sorted((source.encode(), text.encode()) for source, text in messages.items())
    at = 28 + 16 * len(pairs)
    tables, strings = [b"", b""], b""
    for column in (0, 1):
        for pair in pairs:
            tables[column] += struct.pack("<II", len(pair[column]), at + len(strings))
            strings += pair[column] + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0) + b"".join(tables) + strings


def test_training_goes_on_from_the_model_that_ships() -> None:
    """The model can be made better without the weights that it was trained in: each is read from its int8 file."""
    weights = read_released(SHIPPED)
    width = len(weights["bert.embeddings.LayerNorm.weight"])
    layers = {name.split(".")[3] for name in weights if name.startswith("bert.encoder.layer.")}
    assert layers == {"0", "1", "2", "3"}
    for layer in layers:
        for part in ("query", "key", "value"):
            assert weights[f"bert.encoder.layer.{layer}.attention.self.{part}.weight"].shape == (width, width)
            assert weights[f"bert.encoder.layer.{layer}.attention.self.{part}.bias"].shape == (width,)
    assert weights["classifier.weight"].shape == (len(weights["classifier.bias"]), width)
    assert all(abs(value).max() > 0 for value in weights.values())


def test_names_stand_in_the_cases_of_their_language() -> None:
    """Nothing private leaves: a name is found where its language changes its end."""
    dice = random.Random(2)
    assert {declined("Kowalski", "pl", dice) for _ in range(99)} == {
        "Kowalski", "Kowalskiego", "Kowalskiemu", "Kowalskim",
    }  # fmt: skip
    assert {declined("Anna", "pl", dice) for _ in range(99)} == {"Anna", "Anny", "Annę", "Anną", "Annie", "Anno"}
    assert {declined("Peter", "de", dice) for _ in range(99)} == {"Peter", "Peters"}
    assert {declined("Peter", "fr", dice) for _ in range(99)} == {"Peter"}


def test_headings_have_a_capital_at_each_word() -> None:
    """Clean text stays clean: what has capitals for its place only is learnt to be no name."""
    assert titled("l'été de nos 2 chats, don't") == "L'été De Nos 2 Chats, Don't"
