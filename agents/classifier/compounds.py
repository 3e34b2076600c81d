"""Compounds of everyday words, which German and Dutch make as they go: no list has them all."""

from collections.abc import Container, Iterator
from functools import lru_cache
from typing import Final

_PART_LEAST: Final = 4  # letters of a part
_LEAST: Final = 9  # letters of a compound; shorter ones are listed, or names
_MOST: Final = 40
_JOINTS: Final = ("", "s", "n", "en", "es", "er", "e")  # "Arbeit-s-tabelle", "Blume-n-afdeling"
# What surnames and places are made with as well: "Rosenbaum", "Sandmeier", "Zwartkruis", "Wilhelmshaven".
_OF_NAMES_WORDS: Final = """
acker apfel bach bauer baum beck beek berg berge bergen bergh blatt blum blume boom born bosch broek brand brecht
brink brück brücke brunn brunnen burg burger dahl dal dijk dorf dorp eck eiche feld felde fels fisch fuchs furt garten
gold graaf gracht gut hafen hagen hahn hahne halter hammer hardt hase hauer haus hausen haven heide heim helm herz
hoek hoeve hof hofer hoff holm holt holz horn horst huber hus huis huizen hut hüls jäger kamp kämper karl kirch kirche
kirchen kopf korn kraut kreuz kruis kuhl land lander lang leben lehn leitner loh lohe macher mann manns mark maier
mayer meer meier meister meyer moor moos mühle mühl müller münster nagel oord pfennig rath reich reuter richter ried
ritter rock rode roth rother sack schlag schläger schmidt schmied schneider schuh see sen siepen sohn speck spiel stad
stadt staedt stahl stein steiner stern stock stolz straat strom tal teich thal veen veld velde vogel voort wald walde
weber weg weide wein weiler werder werth wiese winkel winter witz wolf woude zand zweig
"""
_OF_NAMES: Final = frozenset(_OF_NAMES_WORDS.split())


@lru_cache(maxsize=4096)
def _splits(word: str) -> tuple[tuple[str, str], ...]:
    return tuple(_parts(word))


def _parts(word: str) -> Iterator[tuple[str, str]]:
    for at in range(_PART_LEAST, len(word) - _PART_LEAST + 1):
        head, last = word[:at], word[at:]
        if last in _OF_NAMES:
            continue
        for joint in _JOINTS:
            if head.endswith(joint) and at - len(joint) >= _PART_LEAST:
                yield head.removesuffix(joint), last


def is_compound(word: str, words: Container[str]) -> bool:
    """Say whether a word in small letters is two of the ``words`` in one, and nothing that people are called by."""
    return _LEAST <= len(word) <= _MOST and any(head in words and last in words for head, last in _splits(word))
