"""How people really write values: case, missing accents, initials; every change keeps one value one value."""

import random
import re
import unicodedata

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_HISSING = ("s", "z", "x", "ß")
_SKI, _SKA = ("ski", "cki", "dzki"), ("ska", "cka", "dzka")
_DECLINED = 0.25  # of Polish names; German's genitive is rarer
_GENITIVE = 0.05


def cased(value: str, dice: random.Random, *, lower: float = 0.08, upper: float = 0.05) -> str:
    """Return the value as it is, or now and then all in lower or in upper case."""
    roll = dice.random()
    if roll < lower:
        return value.lower()
    return value.upper() if roll < lower + upper else value


def plain(value: str, dice: random.Random, *, chance: float = 0.08) -> str:
    """Return the value, now and then without its accents."""
    if dice.random() >= chance:
        return value
    apart = unicodedata.normalize("NFKD", value)
    return "".join(char for char in apart if not unicodedata.combining(char))


def initials(given: str, dice: random.Random) -> str:
    """Return a given name as initials: ``J.``, ``J. R.``, ``JR``."""
    second = dice.choice("ABCDEFGHJKLMNPRSTW")
    return dice.choice((f"{given[0]}.", f"{given[0]}. {second}.", f"{given[0]}.{second}.", f"{given[0]}{second}"))


def titled(text: str) -> str:
    """Return a text with a capital at each word, as headings, menus and labels have it."""
    return _WORD.sub(lambda word: word.group()[0].upper() + word.group()[1:], text)


def declined(name: str, language: str, dice: random.Random) -> str:
    """Return a name now and then in another case, where a language has one: "Nowaka", "Kowalskiej", "Peters"."""
    if language == "de" and dice.random() < _GENITIVE and not name.endswith(_HISSING):
        return f"{name}s"
    if language != "pl" or dice.random() >= _DECLINED:
        return name
    if name.endswith(_SKI):
        return name[:-1] + dice.choice(("iego", "iemu", "im"))
    if name.endswith(_SKA):
        return name[:-1] + dice.choice(("iej", "ą"))
    if name.endswith("a"):
        return name[:-1] + dice.choice(("i" if name[-2:-1] in "kg" else "y", "ę", "ą", "ie", "o"))
    return name if name.endswith(tuple("eiouyąęó")) else name + dice.choice(("a", "owi", "em"))
