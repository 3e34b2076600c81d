"""The second scan: an independent look at the bytes of a request just before they leave; pure.

It shares no code with the classifier, so that one mistake does not open both doors. It knows values with a form of
their own and surrogates that are not whole; names and places are the classifier's work.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import cast

from hybridmesh.agents.consultant.telltales import FINDERS, GAP
from hybridmesh.schemas.privacy import Findings

# A code is four or more characters of Crockford's base 32 with a digit among them.
_SURROGATE = re.compile(r"\[[A-Z]+(?:_[A-Z]+)*_(?=[A-Z]*[0-9])[0-9A-HJKMNP-TV-Z]{4,51}\]")
# What sets out to be a surrogate and is none: cut short, or with something else inside. ``[YOUR_NAME]`` is a blank
# to fill in, and dots alone stand for no value: so the system prompt shows what a surrogate looks like.
_NEAR_SURROGATE = re.compile(r"\[(?![A-Z_]+(?:_\.+)?\])[A-Z][A-Z_]{0,39}_[^\]\n]{0,80}\]?")


def scan_body(body: bytes) -> Findings:
    """Return what is found in the strings and numbers of a JSON body; a body that is no JSON is itself a finding."""
    try:
        # Pairs, not dicts: of a repeated key a dict would keep only the last value.
        content: object = json.loads(body, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return Findings(counts={"unreadable-body": 1})
    found: Counter[str] = Counter()
    for text in _texts(content):
        found.update(scan_text(text))
    return Findings(counts=dict(found))


def scan_text(text: str) -> Counter[str]:
    """Count what looks private in a text, by type; whole surrogates are looked past."""
    rest = _SURROGATE.sub(GAP, _fold(text))
    found = Counter({"near-surrogate": len(_NEAR_SURROGATE.findall(rest))})
    for kind, find in FINDERS:
        rest, hits = find(rest)
        found[kind] += hits
    return +found


def _texts(content: object) -> Iterator[str]:
    """Every string and number of a JSON value, keys included."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list | tuple):
        for value in cast("Sequence[object]", content):
            yield from _texts(value)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield str(content)


def _fold(text: str) -> str:
    """Fold look-alike characters (NFKC), dashes, blanks and digits to one each, and drop invisible characters."""
    return "".join(map(_fold_char, unicodedata.normalize("NFKC", text)))


def _fold_char(char: str) -> str:
    if char.isascii():
        return char
    match unicodedata.category(char):
        case "Cf":
            return ""
        case "Pd":
            return "-"
        case "Zs":
            return " "
        case "Nd":
            return str(unicodedata.decimal(char))
        case _:
            return char
