"""What is left to tell people apart when their names are gone: quasi-identifiers, and how many known people fit them.

The figure is that of k-anonymity: of the people known here, those whom what is left in a text does not rule out. One
is a person who can be told; none is a text about nobody known. Pure, and it holds back nothing: it goes on record.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hybridmesh.agents.classifier.phrases import PhraseIndex
from hybridmesh.agents.classifier.quasi_identifiers import find_generic
from hybridmesh.schemas.memory import Kind, MemoryItem
from hybridmesh.schemas.surrogates import PARTS, SURROGATE, kind_of

Traits = Mapping[str, frozenset[str]]

# What a record calls it, and what it is called here.
_KINDS = {
    **dict.fromkeys(("city", "town", "place", "location", "village", "region", "ort", "stadt"), "city"),
    **dict.fromkeys(("postcode", "postal_code", "zip", "zip_code", "plz"), "postcode"),
    **dict.fromkeys(("job", "job_title", "title", "role", "occupation", "profession", "position", "beruf"), "job"),
    **dict.fromkeys(("employer", "company", "organisation", "organization", "workplace", "firma"), "employer"),
    **dict.fromkeys(("gender", "sex", "nationality", "citizenship", "religion", "marital_status"), "trait"),
    **dict.fromkeys(("age", "alter"), "age"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody known: a name, or the key that records know them by, and what is known of them by kind."""

    name: str = field(repr=False)
    traits: Traits = field(default_factory=dict[str, frozenset[str]], repr=False)


@dataclass(frozen=True, slots=True)
class Residual:
    """How many people are known, how many of them fit, and how many quasi-identifiers of each kind are left."""

    known: int
    matching: int
    left: Mapping[str, int]


def residual_of(texts: Sequence[str], people: Iterable[Person]) -> Residual:
    """Return the figure for what leaves; surrogates in the texts tell nothing.

    A person is ruled out by a kind of which the text has values and the person others; what is not known of somebody
    rules nobody out.
    """
    known = {person.name.casefold(): person for person in people}
    left = _left_in([SURROGATE.sub("\n\n", text) for text in texts], known.values())
    fitting = [person for person in known.values() if _fits(person, left)]
    return Residual(len(known), len(fitting), {kind: len(values) for kind, values in sorted(left.items())})


def people_in(items: Iterable[MemoryItem]) -> Iterator[Person]:
    """Yield the people whom records are about, each once; a record's subject says who."""
    found: dict[str, dict[str, set[str]]] = {}
    for item in items:
        if item.kind is Kind.RECORD and item.subject:
            traits = found.setdefault(item.subject, {})
            for kind, value in _traits_of(item):
                traits.setdefault(kind, set()).add(value)
    for subject, traits in found.items():
        yield Person(subject, {kind: frozenset(values) for kind, values in traits.items()})


def people_behind(originals: Mapping[str, str]) -> Iterator[Person]:
    """Yield the people whom a scope of the vault has names of; the parts of a name are no further person."""
    for surrogate, value in originals.items():
        match = SURROGATE.fullmatch(surrogate)
        if match and kind_of(surrogate) == "PERSON" and not match["type"].endswith(PARTS):
            yield Person(value)


def _traits_of(item: MemoryItem) -> Iterator[tuple[str, str]]:
    for name, value in item.data.items():
        kind = _KINDS.get(name.lower())
        if isinstance(value, str | int) and not isinstance(value, bool):
            text = str(value)
            if kind is not None and text.strip():
                yield kind, text.strip().casefold()
            yield from find_generic(text)
    yield from find_generic(item.text)


def _left_in(texts: Sequence[str], people: Iterable[Person]) -> dict[str, frozenset[str]]:
    left: dict[str, set[str]] = {}
    vocabulary = {
        value: kind for person in people for kind, values in person.traits.items() for value in values if kind != "date"
    }
    index = PhraseIndex(value for value, kind in vocabulary.items() if kind != "age")
    for text in texts:
        for kind, value in find_generic(text):
            left.setdefault(kind, set()).add(value)
        for _, _, value in index.find(text):
            left.setdefault(vocabulary[value], set()).add(value)
    return {kind: frozenset(values) for kind, values in left.items()}


def _fits(person: Person, left: Traits) -> bool:
    return all(kind not in person.traits or person.traits[kind] & values for kind, values in left.items())
