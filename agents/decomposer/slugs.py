"""The key form of a choice: lower case, letters and digits joined by single hyphens."""

import hashlib
import re

_MAX_CHARS = 60
_PLAIN = re.compile(r"[a-z0-9]+(?:[ -][a-z0-9]+)*")


def slug(text: str) -> str:
    """Return ``text`` as one token of a framework's key; only blanks and hyphens are the same in it.

    What other signs would take from it (``C++``, ``отмена``) a hash stands in for: choices that share a key would
    share their frameworks.
    """
    lower = text.lower()
    if len(lower) <= _MAX_CHARS and _PLAIN.fullmatch(lower):
        return lower.replace(" ", "-")
    told = re.sub(r"[^a-z0-9]+", "-", lower).strip("-")[:_MAX_CHARS]
    return f"{told or 'choice'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
