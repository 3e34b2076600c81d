"""Check sums of base 58 (Bitcoin and its kin) and bech32 (BIP 173 and 350), for wallet addresses and their keys."""

import hashlib

BITCOIN = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH_CONSTANTS = (1, 0x2BC830A3)  # BIP 173, BIP 350


def base58check(text: str, alphabet: str = BITCOIN) -> bytes | None:
    """Return the bytes before the check sum, None when it does not hold."""
    number = 0
    for char in text:
        digit = alphabet.find(char)
        if digit < 0:
            return None
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    decoded = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    body, end = decoded[:-4], decoded[-4:]
    return body if body and hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] == end else None


def bech32(text: str) -> bool:
    """Say whether the check sum of a bech32 or bech32m string holds; mixed case never does."""
    if text not in (text.lower(), text.upper()):
        return False
    prefix, mark, data = text.lower().rpartition("1")
    if not mark or not prefix or any(char not in _BECH for char in data):
        return False
    values = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    check = 1
    for value in (*values, *map(_BECH.index, data)):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, part in enumerate(_BECH_GENERATOR):
            check ^= part if top >> bit & 1 else 0
    return check in _BECH_CONSTANTS
