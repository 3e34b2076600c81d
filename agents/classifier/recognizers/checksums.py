"""Check digits: each function takes a value with or without separators and says whether its digits hold."""

import re
import string
from datetime import date

from hybridmesh.agents.classifier.recognizers.weights import digits_of, weighted


def compact(value: str) -> str:
    """Return the letters and digits only, upper case."""
    return "".join(char for char in value if char.isalnum()).upper()


def luhn(value: str) -> bool:
    """Luhn, ISO/IEC 7812-1 annex B."""
    digits = compact(value)
    if not _digits(digits):
        return False
    total = 0
    for place, char in enumerate(reversed(digits)):
        doubled = int(char) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - the digit sum of a doubled digit
    return total % 10 == 0


def mod97(value: str) -> bool:
    """ISO 7064 MOD 97-10 over an IBAN, its first four characters moved to the end (ISO 13616)."""
    text = compact(value)
    if not text.isascii() or len(text) < 5:  # noqa: PLR2004 - country and check digits alone are no account
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def steuer_id(value: str) -> bool:
    """German tax id (section 139b AO): ISO 7064 MOD 11,10, and one digit of the first ten stands twice or thrice."""
    digits = compact(value)
    if len(digits) != 11 or not _digits(digits) or digits[0] == "0":  # noqa: PLR2004
        return False
    counts = sorted(digits[:10].count(digit) for digit in set(digits[:10]))
    if counts[-1] not in (2, 3) or any(count != 1 for count in counts[:-1]):
        return False
    product = 10
    for char in digits[:10]:
        product = 2 * ((int(char) + product) % 10 or 10) % 11
    return (11 - product) % 10 == int(digits[10])


def nir(value: str) -> bool:
    """French social security number: 97 minus the rest of 13 digits; Corsica's 2A and 2B count as 19 and 18."""
    text = compact(value)
    if len(text) != 15 or not re.fullmatch(r"[1-478]\d{4}(?:\d{2}|2[AB])\d{8}", text, re.ASCII):  # noqa: PLR2004
        return False
    body = text[:13].replace("2A", "19", 1) if text[5:7] == "2A" else text[:13].replace("2B", "18", 1)
    return _digits(body) and 97 - int(body) % 97 == int(text[13:])


def dni(value: str) -> bool:
    """Spanish DNI and NIE: the letter at the number's rest by 23; X, Y, Z of a NIE count as 0, 1, 2."""
    text = compact(value)
    if not re.fullmatch(r"[XYZ\d]\d{7}[A-Z]", text, re.ASCII):
        return False
    number = str("XYZ".index(text[0])) + text[1:8] if text[0] in "XYZ" else text[:8]
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[8]


_ODD = dict(
    zip(
        string.digits + string.ascii_uppercase,
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip  # Italian decree of 23 December 1976, table of odd places


def codice_fiscale(value: str) -> bool:
    """Italian tax code: the sixteenth letter from the odd and even tables of the decree of 23 December 1976."""
    text = compact(value)
    if len(text) != 16 or not text.isascii():  # noqa: PLR2004
        return False
    total = sum(_ODD[char] for char in text[:15:2])
    total += sum(int(char) if char.isdigit() else ord(char) - ord("A") for char in text[1:15:2])
    return chr(ord("A") + total % 26) == text[15]


def pesel(value: str) -> bool:
    """Polish PESEL: weights 1 3 7 9, and a real date of birth (the century is added to the month)."""
    digits = compact(value)
    if len(digits) != 11 or not _digits(digits):  # noqa: PLR2004
        return False
    century, month = divmod(int(digits[2:4]), 20)
    try:
        date((1900, 2000, 2100, 2200, 1800)[century] + int(digits[:2]), month, int(digits[4:6]))
    except ValueError:
        return False
    weighted = sum(int(char) * weight for char, weight in zip(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), strict=True))
    return weighted % 10 == 0


def bsn(value: str) -> bool:
    """Dutch BSN: the eleven test, weights 9 to 2 and -1."""
    digits = compact(value)
    if len(digits) != 9 or not _digits(digits) or int(digits) == 0:  # noqa: PLR2004
        return False
    return sum(int(char) * weight for char, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True)) % 11 == 0


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def nhs(value: str) -> bool:
    """British NHS number: weights 10 to 2, by 11; a rest of one is never given out."""
    digits = digits_of(value, 10)
    return digits is not None and any(digits) and (11 - weighted(digits, range(10, 1, -1)) % 11) % 11 == digits[9]


def nuss(value: str) -> bool:
    """Spanish social security number: the last two are the rest of province and number by 97."""
    text = compact(value)
    if len(text) != 12 or not _digits(text):  # noqa: PLR2004
        return False
    number = int(text[2:10])
    body = int(text[:2]) * 10**7 + number if number < 10**7 else int(text[:10])
    return body % 97 == int(text[10:])


def rijksregister(value: str) -> bool:
    """Belgian national number: 97 minus the rest of nine digits, with a 2 before them for births since 2000."""
    text = compact(value)
    if len(text) != 11 or not _digits(text) or not 0 < int(text[2:4]) % 20 <= 12:  # noqa: PLR2004
        return False
    return any(97 - int(century + text[:9]) % 97 == int(text[9:]) for century in ("", "2"))


def social_insurance(value: str) -> bool:
    """German pension insurance number: digits and the letter's place, weights 2 1 2 5 7 1 2 1 2 1 2 1, digit sums."""
    text = compact(value)
    if not re.fullmatch(r"\d{8}[A-Z]\d{3}", text, re.ASCII):
        return False
    digits = [int(char) for char in f"{text[:8]}{ord(text[8]) - 64:02}{text[9:11]}"]
    products = (digit * weight for digit, weight in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return sum(product // 10 + product % 10 for product in products) % 10 == int(text[11])


def routing(value: str) -> bool:
    """American bank routing number: weights 3 7 1, by 10."""
    digits = digits_of(value, 9)
    return digits is not None and any(digits) and weighted(digits, (3, 7, 1) * 3) % 10 == 0


_VIN = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))


def vin(value: str) -> bool:
    """Vehicle identification number: transliterated and weighted, by 11, in the ninth place (ISO 3779, 49 CFR 565)."""
    text = compact(value)
    if not re.fullmatch(r"[A-HJ-NPR-Z0-9]{17}", text, re.ASCII):
        return False
    numbers = [int(_VIN.get(char, char)) for char in text]
    return weighted(numbers, (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 == "0123456789X".find(text[8])
