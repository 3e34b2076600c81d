"""Finds numbers told word by word, as people dictate a card or a telephone: "four one one one …"; pure.

It shares nothing with the classifier's own search for them: words of all languages count alike, and only their number
and order decide.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

_DIGITS = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        "oh|o|zero|zéro|nought|null|nul|cero",
        "one|eins?|une?|uno|uma?|[eé][eé]n|jeden|jedna",
        "two|zwei|zwo|deux|dos|due|twee|dwa|dwie|dois|duas",
        "three|drei|trois|tres|três|tre|drie|trzy",
        "four|vier|quatre|cuatro|quattro|cztery|quatro",
        "five|fünf|fuenf|cinq|cinco|cinque|vijf|pi[eę][cć]",
        "six|sechs|seis|sei|zes|sze[sś][cć]|meia",
        "seven|sieben|sept|siete|sette|zeven|siedem|sete",
        "eight|acht|huit|ocho|otto|osiem|oito",
        "nine|neun|neuf|nueve|nove|negen|dziewi[eę][cć]",
    )
)
_TENS = re.compile(  # by their endings, which only numbers have in such company
    r"ten|eleven|twelve|\w{3,5}teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty"
    r"|zehn|elf|zwölf|\w{3,6}zehn|\w{3,13}(?:zig|ßig|ssig)"
    r"|dix|onze|douze|treize|quatorze|quinze|seize|vingts?|trente|quarante|cinquante|soixante|septante|huitante|nonante"
    r"|diez|once|doce|trece|catorce|quince|dieci\w{3,7}|veint\w{1,8}|(?:tre|cuare|cincue|sese|sete|oche|nove)nta"
    r"|dieci|\w{2,7}dici|(?:vent|trent|quarant|cinquant|sessant|settant|ottant|novant)\w{1,7}"
    r"|tien|twaalf|\w{3,5}tien|\w{3,12}tig"
    r"|dziesi[eę][cć]|\w{3,9}na[sś]cie|dwadzie[sś]cia|\w{3,9}dzie[sś]ci|\w{3,9}dziesi[aą]t"
    r"|dez|doze|treze|quatorze|catorze|quinze|dez[eao]\w{4,6}|vinte|trinta|(?:quar|cinqu|sess|set|oit|nov)enta",
    re.IGNORECASE,
)
_AGAIN = "double|triple|doppelt?|doble|doppi[oa]|dubbele?|podw[oó]jn[ey]|dobro"
_FILLER = "and|plus|und|et|y|e|en|i|uh|um|erm|euh|eh|äh|dash|hyphen|space"
_WORD = re.compile(r"[^\W_]+")
_BETWEEN = re.compile(rf"(?:{_AGAIN}|{_FILLER})", re.IGNORECASE)
_APART = re.compile(r"[\s,.;:…/*_|-]{1,6}")
_LEAST = 7  # digits or pairs of them, as a local number has; fewer words count something
_LEAST_TOLD = 5  # of them in words: a few figures in between are told as well
_FILLERS = 2  # at most, one after another
_FEW_STEPS = 3  # say nothing of an order
_PAIR = -100
_LONGEST = 24  # letters of a word: "sechsundneunzig"


class _Told(NamedTuple):
    """A word of a number and where it stands; pairs of digits have no value of interest."""

    start: int
    end: int
    value: int
    in_words: bool


def find_dictated(text: str) -> tuple[str, int]:
    """Blank numbers that are told word by word, and count them; words in the order of counting tell none."""
    found = [run for run in _runs(text) if _is_number(run)]
    for run in reversed(found):
        text = text[: run[0].start] + " \n " + text[run[-1].end :]
    return text, len(found)


def _runs(text: str) -> Iterator[list[_Told]]:
    """Yield number words that nothing but fillers stands between."""
    run: list[_Told] = []
    fillers = end = 0
    for match in _WORD.finditer(text):
        word = match.group()
        if run and (fillers > _FILLERS or _APART.fullmatch(text, end, match.start()) is None):
            yield run
            run = []
        value = _value_of(word)
        if value is not None:
            run.append(_Told(match.start(), match.end(), value, in_words=not word.isdecimal()))
            fillers = 0
        elif run and _BETWEEN.fullmatch(word):
            fillers += 1
        elif run:
            yield run
            run = []
        end = match.end()
    yield run


def _value_of(word: str) -> int | None:
    """Return what a word stands for, if it is a digit or a pair of digits."""
    if word.isdecimal():
        return int(word) if len(word) == 1 else _PAIR if len(word) == len("00") else None
    if len(word) > _LONGEST:
        return None
    digit = next((value for value, words in enumerate(_DIGITS) if words.fullmatch(word)), None)
    return digit if digit is not None else _PAIR if _TENS.fullmatch(word) else None


def _is_number(run: list[_Told]) -> bool:
    if len(run) < _LEAST or sum(told.in_words for told in run) < _LEAST_TOLD:
        return False
    steps = [after.value - before.value for before, after in pairwise(run) if _PAIR not in (before.value, after.value)]
    return len(steps) < _FEW_STEPS or max(map(steps.count, (1, -1))) < len(steps) - 1
