"""Words in the letters that ``re.IGNORECASE`` takes them for, so that what a pattern matched is found in its table."""

# ``str.lower`` leaves these or makes two of one: APR\u0130L, Turkish apr\u0131l, \u017feptember.
_SAME = str.maketrans({"\u0131": "i", "\u017f": "s", "\u0307": None})


def small(word: str) -> str:
    """Return a word that a pattern matched without regard to case, as the pattern writes it."""
    return word.lower().translate(_SAME)
