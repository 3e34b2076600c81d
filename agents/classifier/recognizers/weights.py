"""Weighted sums, which most national numbers are checked by."""

from collections.abc import Sequence


def digits_of(value: str, length: int) -> list[int] | None:
    """Return the digits of a value with or without separators, None unless they are ``length`` ASCII digits."""
    text = "".join(char for char in value if char.isalnum())
    if len(text) != length or not text.isascii() or not text.isdigit():
        return None
    return [int(char) for char in text]


def weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    """Return the sum of the digits, each times its weight; what has no weight does not count."""
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))
