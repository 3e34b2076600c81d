"""Addresses of cryptocurrencies, by their check sums where they have some; their private keys are secrets."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import Gated, PatternRecognizer, words
from hybridmesh.agents.classifier.recognizers.wallet_checksums import RIPPLE, base58check, bech32

_BASE58 = re.compile(r"(?<![\w/+=-])[13LMDXT][1-9A-HJ-NP-Za-km-z]{25,34}(?![\w/+=-])")  # BTC, LTC, DOGE, DASH, TRX
_BECH32 = re.compile(r"(?<!\w)(?:bc1|tb1|ltc1)[02-9ac-hj-np-z]{11,71}(?!\w)", re.IGNORECASE)
_RIPPLE = re.compile(r"(?<![\w/+=-])r[1-9A-HJ-NP-Za-km-z]{24,34}(?![\w/+=-])")
_ETHEREUM = re.compile(r"(?<!\w)0x[0-9A-Fa-f]{40}(?!\w)")
_MONERO = re.compile(r"(?<!\w)[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}(?!\w)")
_SHAPELESS = re.compile(r"(?<![\w/+=-])[1-9A-HJ-NP-Za-km-z]{32,44}(?![\w/+=-])")  # Solana has no check sum
_SOLANA_WORD = words(r"sol(?:ana)?\b", r"phantom\b", r"wallet", r"spl\b")
_PRIVATE_KEY = re.compile(r"(?<![\w/+=-])(?:5[1-9A-HJ-NP-Za-km-z]{50}|[KL][1-9A-HJ-NP-Za-km-z]{51})(?![\w/+=-])")
_WALLET_HEAD = 0x80  # the first byte of a Bitcoin private key in wallet import format


def _is_address(value: str) -> bool:
    body = base58check(value)
    return body is not None and len(body) == 21  # noqa: PLR2004 - a version and a hash of 160 bits


def _is_ripple(value: str) -> bool:
    body = base58check(value, RIPPLE)
    return body is not None and len(body) == 21  # noqa: PLR2004


def _is_private_key(value: str) -> bool:
    body = base58check(value)
    return body is not None and body[0] == _WALLET_HEAD


_LONG = re.compile(r"[0-9A-Za-z]{14}")  # as each of them is
_ADDRESSES = (
    PatternRecognizer("CRYPTO_ADDRESS", _BASE58, check=_is_address),
    PatternRecognizer("CRYPTO_ADDRESS", _BECH32, check=bech32),
    PatternRecognizer("CRYPTO_ADDRESS", _RIPPLE, check=_is_ripple),
    PatternRecognizer("CRYPTO_ADDRESS", _ETHEREUM),
    PatternRecognizer("CRYPTO_ADDRESS", _MONERO),
    PatternRecognizer("CRYPTO_ADDRESS", _SHAPELESS, context=_SOLANA_WORD, score=0.7),
    PatternRecognizer("SECRET", _PRIVATE_KEY, check=_is_private_key),
)
RECOGNIZERS = (Gated(_LONG, _ADDRESSES),)
