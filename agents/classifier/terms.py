"""The organisation's own terms (code names, customers, products in the making), exact but for case."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from hybridmesh.agents.classifier.normalise import normalise
from hybridmesh.agents.classifier.phrases import PhraseIndex
from hybridmesh.schemas.privacy import Span


class TermRecognizer:
    """Finds each term at word borders, in any case; its cost does not grow with the number of terms.

    ``seed`` are terms that are always there. The others come in groups, each replaced as a whole; a text that is being
    read sees the terms from before or from after a change, never some of both.
    """

    def __init__(self, seed: Iterable[str] = ()) -> None:
        self._groups: dict[str, frozenset[str]] = {"": _folded(seed)}
        self._index = PhraseIndex(self._groups[""])

    def change(self, groups: Mapping[str, Collection[str]]) -> None:
        """Replace the terms of each named group."""
        new = {name: _folded(terms) for name, terms in groups.items() if name}
        old = {name: self._groups.get(name, frozenset[str]()) for name in new}
        added = [term for name, terms in new.items() for term in terms - old[name]]
        removed = [term for name, terms in old.items() for term in terms - new[name]]
        self._groups = {**self._groups, **new}
        kept = {term for term in removed if any(term in terms for terms in self._groups.values())}
        self._index = self._index.changed(added, [term for term in removed if term not in kept])

    def find(self, text: str) -> Iterator[Span]:
        """Yield the terms."""
        for start, end, _ in self._index.find(text):
            yield Span(start=start, end=end, type="TERM", score=1.0, source="term")


def _folded(terms: Iterable[str]) -> frozenset[str]:
    return frozenset(folded for term in terms if (folded := normalise(term).text.strip()))
