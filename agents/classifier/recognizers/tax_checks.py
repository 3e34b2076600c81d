"""Check digits of tax and VAT numbers, by country; each function takes the number without the country's letters."""

import re

from hybridmesh.agents.classifier.recognizers.checksums import compact, dni, luhn
from hybridmesh.agents.classifier.recognizers.weights import digits_of, weighted

_CIF_LETTERS = "JABCDEFGHI"


def austria(value: str) -> bool:
    """Austria: U and eight digits; every second one doubled, its digits added."""
    digits = digits_of(compact(value).removeprefix("U"), 8)
    if digits is None:
        return False
    total = sum(digits[0:7:2]) + sum(digit * 2 // 10 + digit * 2 % 10 for digit in digits[1:6:2])
    return (10 - (total + 4) % 10) % 10 == digits[7]


def belgium(value: str) -> bool:
    """Belgium: ten digits, the last two 97 minus the rest of the others."""
    digits = digits_of(value, 10)
    return digits is not None and digits[0] in (0, 1) and 97 - int(compact(value)[:8]) % 97 == int(compact(value)[8:])


def germany(value: str) -> bool:
    """Germany's USt-IdNr: ISO 7064 MOD 11,10 over nine digits."""
    digits = digits_of(value, 9)
    if digits is None or digits[0] == 0:
        return False
    product = 10
    for digit in digits[:8]:
        product = 2 * ((digit + product) % 10 or 10) % 11
    return (11 - product) % 10 == digits[8]


def spain(value: str) -> bool:
    """Spain's NIF: that of a person (DNI, NIE), or a company's CIF with a control digit or letter."""
    text = compact(value)
    if not re.fullmatch(r"[ABCDEFGHJNPQRSUVW]\d{7}[\dA-J]", text, re.ASCII):
        return dni(text)
    digits = [int(char) for char in text[1:8]]
    total = sum(digits[1::2]) + sum(digit * 2 // 10 + digit * 2 % 10 for digit in digits[0::2])
    control = (10 - total % 10) % 10
    return text[8] in (str(control), _CIF_LETTERS[control])


def france(value: str) -> bool:
    """France: two key digits and a SIREN; the key is (12 + 3 times the SIREN's rest) by 97."""
    digits = digits_of(value, 11)
    if digits is None:
        return False
    text = compact(value)
    return luhn(text[2:]) and (12 + 3 * (int(text[2:]) % 97)) % 97 == int(text[:2])


def italy(value: str) -> bool:
    """Italy's partita IVA: eleven digits, Luhn."""
    digits = digits_of(value, 11)
    return digits is not None and any(digits) and luhn(value)


def netherlands(value: str) -> bool:
    """The Netherlands: nine digits, B and two more; the eleven test, or MOD 97-10 for persons since 2020."""
    text = compact(value)
    if not re.fullmatch(r"\d{9}B\d{2}", text, re.ASCII):
        return False
    digits = [int(char) for char in text[:9]]
    if weighted(digits[:8], range(9, 1, -1)) % 11 == digits[8]:
        return True
    return int("".join(str(int(char, 36)) for char in "NL" + text)) % 97 == 1


def poland(value: str) -> bool:
    """Poland's NIP: weights 6 5 7 2 3 4 5 6 7, by 11."""
    digits = digits_of(value, 10)
    return digits is not None and any(digits) and weighted(digits, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == digits[9]


def portugal(value: str) -> bool:
    """Portugal's NIF: weights 9 to 2, by 11; ten and eleven count as nothing."""
    digits = digits_of(value, 9)
    if digits is None or digits[0] not in (1, 2, 3, 5, 6, 7, 8, 9):
        return False
    rest = 11 - weighted(digits, range(9, 1, -1)) % 11
    return (0 if rest > 9 else rest) == digits[8]  # noqa: PLR2004 - one digit


def britain(value: str) -> bool:
    """Britain: nine digits, weights 8 to 2 and the last two, by 97; 55 is added since 2010."""
    digits = digits_of(compact(value)[:9], 9)
    if digits is None or not any(digits):
        return False
    total = weighted(digits[:7], range(8, 1, -1)) + int(compact(value)[7:9])
    return total % 97 == 0 or (total + 55) % 97 == 0


def regon(value: str) -> bool:
    """Poland's REGON of nine digits: weights 8 9 2 3 4 5 6 7, by 11, ten counting as nothing."""
    digits = digits_of(value, 9)
    return digits is not None and any(digits) and weighted(digits, (8, 9, 2, 3, 4, 5, 6, 7)) % 11 % 10 == digits[8]
