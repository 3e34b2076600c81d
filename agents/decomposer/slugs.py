"""The key form of a choice: lower case, letters and digits joined by single hyphens."""

import re

_MAX_CHARS = 60


def slug(text: str) -> str:
    """Return ``text`` as one token of a framework's key."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_MAX_CHARS] or "none"
