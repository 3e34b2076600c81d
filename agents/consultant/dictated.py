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
    r"|diez|once|doce|trece|catorce|quince|dieci\w{3,7}|veint\w{1,8}|(?:trei|cuare|cincue|sese|sete|oche|nove)nta"
    r"|dieci|\w{2,7}dici|(?:vent|trent|quarant|cinquant|sessant|settant|ottant|novant)\w{1,7}"
    r"|tien|twaalf|\w{3,5}tien|\w{3,12}tig"
    r"|dziesi[eę][cć]|\w{3,9}na[sś]cie|dwadzie[sś]cia|\w{3,9}dzie[sś]ci|\w{3,9}dziesi[aą]t"
    r"|dez|doze|treze|quatorze|catorze|quinze|dez[eao]\w{4,6}|vinte|trinta|(?:quar|cinqu|sess|set|oit|nov)enta",
    re.IGNORECASE,
)
# What makes one number of those beside it: "one million two hundred thirty-four thousand …".
_GREAT = re.compile(
    r"hundred|thousand|millions?|hundert|tausend|millionen|cents?|mille|cien(?:to)?s?|\w{2,6}cient[oa]s|quinientos|mil"
    r"|mill[oó]n(?:es)?|milion[ei]|mila|cento|honderd|duizend|miljoen|sto|tysi[aą]c[e]?|tysi[eę]cy|milion(?:y|[oó]w)?"
    r"|milh(?:ão|ões)",
    re.IGNORECASE,
)
_MILLION = re.compile(r"mill?i?[oó]n(?:s|en|es|y|[oó]w|e|i)?|miljoen|milh(?:ão|ões)|milionów", re.IGNORECASE)
# Of German, Dutch and Italian, which write all below a million as one word.
_GROWN = re.compile(
    r"(?:ein|zwei|zwo|drei|vier|fünf|sechs?|sieb(?:en)?|acht|neun|zehn|elf|zwölf|und|zwan|ßig|zig|hundert|tausend){6,20}"
    r"|(?:een|één|twee|drie|vier|vijf|zes|zeven|acht|negen|tien|elf|twaalf|der|veer|twin|tig|tach|[eë]n|honderd|duizend)"
    r"{6,20}"
    r"|(?:uno?|due|tr[eé]|quattro|cinque|sei|sette|otto|nove|dieci|dici|vent|trent|quarant|cinquant|sessant|settant"
    r"|ottant|novant|[ai]|cento?|mila|mille){6,20}",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"[\s,-]{1,3}(?:euros?|dollars?|pounds?|francs?|pesos?|reais|z[lł]otych|people|inhabitants|einwohner|menschen"
    r"|habitants|habitantes|abitanti|inwoners)\b",
    re.IGNORECASE,
)
_AGAIN = "double|triple|doppelt?|doble|doppi[oa]|dubbele?|podw[oó]jn[ey]|dobro"
_FILLER = "and|plus|und|et|y|e|en|i|uh|um|erm|euh|eh|äh|dash|hyphen|space"
_WORD = re.compile(r"[^\W_]+")
_BETWEEN = re.compile(rf"(?:{_AGAIN}|{_FILLER})", re.IGNORECASE)
_APART = re.compile(r"[\s,.;:…/*_|-]{1,6}")
_LEAST_BEHIND = 6  # words behind the millions: "one million two hundred thirty-four thousand" is a round number
_LONGEST_GROWN, _LETTERS = 90, 8  # of a number in one word, and of each word in it
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
    found = [(run[0].start, run[-1].end) for run in _runs(text) if _is_number(run)]
    found += [
        (start, end) for start, end in _great(text) if all(end <= other[0] or start >= other[1] for other in found)
    ]
    for start, end in sorted(found, reverse=True):
        text = text[:start] + " \n " + text[end:]
    return text, len(found)


def _great(text: str) -> Iterator[tuple[int, int]]:
    """Yield numbers above a million that are told to the last digit, but no sums of money and no crowds."""
    run: list[tuple[re.Match[str], int]] = []
    end = 0
    for match in _WORD.finditer(text):
        if run and _APART.fullmatch(text, end, match.start()) is None:
            yield from _of_millions(text, run)
            run = []
        end = match.end()
        weight = _weight_of(match.group())
        if weight:
            run.append((match, weight))
        elif _BETWEEN.fullmatch(match.group()) is None:
            yield from _of_millions(text, run)
            run = []
    yield from _of_millions(text, run)


def _of_millions(text: str, run: list[tuple[re.Match[str], int]]) -> Iterator[tuple[int, int]]:
    at = next((place for place, (match, _) in enumerate(run) if _MILLION.fullmatch(match.group())), None)
    if at is not None and sum(weight for _, weight in run[at + 1 :]) >= _LEAST_BEHIND:
        start, end = run[0][0].start(), run[-1][0].end()
        if _MONEY.match(text, end) is None:
            yield start, end


def _weight_of(word: str) -> int:
    """Return how many words of a number a word holds, which some languages write as one."""
    if _value_of(word) is not None or _GREAT.fullmatch(word):
        return 1
    return len(word) // _LETTERS if len(word) <= _LONGEST_GROWN and _GROWN.fullmatch(word) else 0


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
