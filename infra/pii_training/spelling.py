"""How people really write values: case, missing accents, initials; every change keeps one value one value."""

import random
import unicodedata


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
