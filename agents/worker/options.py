"""Chooses among a step's options by the words that its instruction gives for each, where they decide clearly.

The smallest models take the first option whatever the text says; a line such as ``billing: invoices, refunds`` in
an instruction is evidence that can be counted, at once and the same every time.
"""

import re
from collections.abc import Sequence

_STEM = 5  # letters that two forms of a word share, as in cancel, cancelled, cancellation
_LEAST_LETTERS = 4
_NAME_WEIGHT = 2.0
_LEAST_SCORE = 2.0
_MARGIN = 1.5
_NEAR = 0.2  # a cosine with the whole and one with a sentence, added: below it MiniLM sees nothing alike
_PLAIN = re.compile(
    r"about|cannot|customer|does|from|mainly|none|other|something|that|these|this|ticket|wants|what|with|without|work"
    r"|your|request|reached|term|data"
)


def choose_option(text: str, instruction: str, options: Sequence[str]) -> str | None:
    """Return the option whose words stand in ``text`` clearly more than any other's, or None.

    Counted are distinct stems of the option's name (twice) and of its description, which is what follows
    ``option:`` in the instruction up to the end of that sentence. Unless every option has one, nothing is decided.
    """
    descriptions = [_description(option, instruction) for option in options]
    present = _stems(text)
    scores = {
        option: _score(_stems(option), _stems(words), present)
        for option, words in zip(options, descriptions, strict=True)
        if words is not None
    }
    if len(scores) < len(options):
        return None
    best, second = sorted(scores.values(), reverse=True)[:2]
    if best < max(_LEAST_SCORE, second * _MARGIN) or best == second:
        return None
    return max(scores, key=lambda option: scores[option])


def nearest_option(options: Sequence[str], scores: Sequence[float]) -> str | None:
    """Return the option whose description is nearest in meaning, or None when nothing is near.

    ``scores`` are those of ``Ranking``. A text near nothing is for the model to decide.
    """
    best = max(range(len(options)), key=lambda number: scores[number])
    return options[best] if scores[best] >= _NEAR else None


def descriptions(instruction: str, options: Sequence[str]) -> list[str] | None:
    """Return ``name: description`` of each option, or None unless the instruction describes every one."""
    found = [_description(option, instruction) for option in options]
    if any(words is None for words in found):
        return None
    return [f"{option.replace('-', ' ')}: {words}" for option, words in zip(options, found, strict=True)]


def _description(option: str, instruction: str) -> str | None:
    described = re.search(rf"(?<![\w-]){re.escape(option)}:(?P<words>[^.\n]*)", instruction)
    return described["words"] if described else None


def _score(name: frozenset[str], words: frozenset[str], present: frozenset[str]) -> float:
    return _NAME_WEIGHT * len(name & present) + len((words - name) & present)


def _stems(text: str) -> frozenset[str]:
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return frozenset(word[:_STEM] for word in words if len(word) >= _LEAST_LETTERS and not _PLAIN.fullmatch(word))
