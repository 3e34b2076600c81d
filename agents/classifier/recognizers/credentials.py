"""Secrets: keys of common services, private key blocks, tokens, passwords, and random strings after a telling word."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from hybridmesh.agents.classifier.recognizers.recognizer import PatternRecognizer, words
from hybridmesh.schemas.privacy import Span

_ISSUED = re.compile(
    r"(?<![\w-])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255}"  # GitHub
    r"|glpat-[\w-]{20,64}"  # GitLab
    r"|xox[abeoprs]-[\w-]{10,250}"  # Slack
    r"|(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,250}|whsec_[A-Za-z0-9]{24,64}"  # Stripe
    r"|sk-[A-Za-z0-9_-]{16,250}"  # OpenAI, Anthropic and those that follow them
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,250}"  # Google
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{16,250}|dop_v1_[a-f0-9]{64}|hf_[A-Za-z0-9]{30,64}"
    r"|SG\.[\w-]{16,64}\.[\w-]{16,64}|AC[a-f0-9]{32}|SK[a-f0-9]{32}"  # SendGrid, Twilio
    r")(?![\w-])"
)
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]{0,20000}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"|[A-Za-z0-9+/=\s]{0,20000})"
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,4096}\.eyJ[\w-]{4,8192}\.[\w-]{0,2048}")
_BEARER = re.compile(r"(?<!\w)(?:bearer|basic|token) (?P<value>[A-Za-z0-9+/=_.~-]{16,4096})(?!\w)", re.IGNORECASE)
_NAMED = (
    r"pass ?word|passwort|passwd|pwd|passphrase|pass ?code|kennwort|contrase[ñn]a|clave|mot de passe|mdp|wachtwoord"
    r"|senha|has[łl]o|pin(?: code| number)?|secret(?:[ _-]?key)?|api[ _-]?key|access[ _-]?(?:key|token)"
    r"|auth[ _-]?token|client[ _-]?secret|private[ _-]?key|credentials"
)
_ASSIGNED = re.compile(
    rf"(?<![A-Za-z])(?:{_NAMED})(?:[ _][A-Za-z]{{1,12}}){{0,2}}[\"']?"
    r"(?: ?[:=]{1,2}>? ?| is(?: now| still)?:? | ist:? | lautet:? | es:? | est:? )"
    r"[\"'`“„]?(?P<value>[^\s\"'`“”,;]{3,200}[^\s\"'`“”,;.!?)\]])",
    re.IGNORECASE,
)
# "password Tallow-2291": without a colon, only what has a digit or a sign inside.
_TOLD = re.compile(
    rf"(?<![A-Za-z])(?:{_NAMED}) [\"'`“„]?(?P<value>(?=[^\s]*[A-Za-z])(?=[^\s]*[0-9!#$%&*+@^~])[^\s\"'`“”,;]{{5,200}}"
    r"[^\s\"'`“”,;.?)\]])",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_=-]{20,512}(?![\w+/=-])")
_SECRET_WORD = words("key", "token", "secret", "password", "credential", "api", "auth", "schlüssel", "clave", "clé")

_MIXED = re.compile(r"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{12}")
_BITS_LEAST = 3.5  # Shannon entropy a character; English words joined by dashes stay below, base64 lies above 4

_NOT_VALUES = frozenset({
    "not", "the", "a", "an", "my", "your", "wrong", "incorrect", "expired", "invalid", "required", "reset",
    "changed", "correct", "too", "weak", "strong", "missing", "empty", "optional", "never", "always", "being",
    "been", "set", "still", "asked", "no", "nicht", "falsch", "abgelaufen", "unknown",
    "working", "rejected", "accepted", "sent", "needed", "stored", "only", "for", "and", "was", "none", "null",
    "true", "false", "forgotten", "lost", "protected", "incorrecta", "incorrecto", "caducada", "incorrect.",
    "oublié", "expiré",
})  # fmt: skip


def is_random(value: str) -> bool:
    """Say whether a string has a long run of mixed digits and letters, and 3.5 bits of entropy a character or more."""
    if _MIXED.search(value) is None:
        return False
    counts = Counter(value)
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    return bits >= _BITS_LEAST


class PasswordRecognizer:
    """What stands after "password:" and its like, unless it is an ordinary word of such a sentence."""

    _pattern = PatternRecognizer("SECRET", _ASSIGNED)

    def find(self, text: str) -> Iterator[Span]:
        """Yield the values given."""
        for span in self._pattern.find(text):
            if text[span.start : span.end].lower() not in _NOT_VALUES:
                yield span


class RandomRecognizer:
    """Strings of high entropy after a word for secrets."""

    _pattern = PatternRecognizer("SECRET", _RANDOM, context=_SECRET_WORD, score=0.8)

    def find(self, text: str) -> Iterator[Span]:
        """Yield the strings that look drawn at random."""
        for span in self._pattern.find(text):
            if is_random(text[span.start : span.end]):
                yield span


RECOGNIZERS = (
    PatternRecognizer("SECRET", _ISSUED, score=1.0),
    PatternRecognizer("SECRET", _KEY_BLOCK, score=1.0),
    PatternRecognizer("SECRET", _JWT, score=1.0),
    PatternRecognizer("SECRET", _BEARER),
    PasswordRecognizer(),
    PatternRecognizer("SECRET", _TOLD),
    RandomRecognizer(),
)
