"""Checksums that tell a card or bank account number from any other digits; pure."""

_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_holds(digits: str) -> bool:
    """Return whether ASCII digits satisfy ISO/IEC 7812-1 Annex B (Luhn)."""
    pairs = enumerate(reversed(digits))
    return sum(_LUHN_DOUBLED[int(digit)] if place % 2 else int(digit) for place, digit in pairs) % 10 == 0


def iban_holds(compact: str) -> bool:
    """Return whether an upper-case account number without blanks satisfies ISO 7064 MOD 97-10, as ISO 13616 uses it."""
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1
