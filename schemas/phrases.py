"""Whether a text says a phrase that somebody forbade: as words, so that "AI" is not in "wait"."""

import re

_SHORT = 4  # letters up to which a word is only meant as it is; longer ones also with other endings


def says(text: str, phrase: str) -> bool:
    """Say whether the phrase stands in the text, from a word's beginning; both are folded in the same way."""
    if not phrase:
        return False
    before = r"(?<!\w)" if phrase[0].isalnum() else ""
    after = r"(?!\w)" if len(phrase) <= _SHORT and phrase[-1].isalnum() else ""
    return re.search(f"{before}{re.escape(phrase)}{after}", text) is not None
