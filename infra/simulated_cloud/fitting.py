"""Makes a long prompt fit a small context: its head and its tail stay, and it says what is missing; pure."""

from collections.abc import Callable

_MARK = "\n... ({count} characters left out by the simulated cloud) ...\n"


def fit(text: str, limit: int, size_of: Callable[[str], int]) -> tuple[str, int]:
    """Return the text, cut in the middle until its size is within the limit, and how many characters were cut.

    ``size_of`` counts tokens and grows with the text; half of what is kept is the head. Found by bisection, so it
    is asked about as often as the length has binary digits.
    """
    if size_of(text) <= limit:
        return text, 0
    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if size_of(_cut(text, middle)) <= limit:
            low = middle
        else:
            high = middle - 1
    return _cut(text, low), len(text) - low


def _cut(text: str, keep: int) -> str:
    head, tail = keep - keep // 2, keep // 2
    return text[:head] + _MARK.format(count=len(text) - keep) + text[len(text) - tail :]
