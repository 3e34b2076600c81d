"""The second scan: an independent look at the bytes of a request just before they leave; pure.

It shares no code with the classifier, so that one mistake does not open both doors. It knows only values with a
form of their own (names and places are the classifier's work) and is strict: a false alarm costs a local answer.
"""

import ipaddress
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator

from hybridmesh.agents.consultant.checksums import iban_holds, luhn_holds
from hybridmesh.schemas.privacy import Findings

# A surrogate as the classifier writes it, and anything that tries to look like one.
_SURROGATE = re.compile(r"\[[A-Z][A-Z_]{1,39}_[A-Z0-9]{4,16}\]")
_NEAR_SURROGATE = re.compile(r"\[[A-Z][A-Z_]{1,39}_[^\]\n]{0,80}\]?")

_EMAIL = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_CARD = re.compile(r"(?<!\d)[2-6](?:[ .-]?\d){12,18}(?!\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_SSN = re.compile(r"(?<![\d-])\d{3}([- ])\d{2}\1\d{4}(?![\d-])")
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f]{1,4}(?::{1,2}[0-9A-Fa-f]{1,4}){1,7}(?:::)?(?![\w:])")
_DATE = re.compile(
    r"(?<!\d)(?:\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?|\d{1,2}[./-]\d{1,2}[./-]\d{4})(?!\d)"
)
_PHONE_WITH_PREFIX = re.compile(r"(?<![\w+])(?:\+|00)[1-9](?:[ ./()-]{0,2}\d){7,14}(?!\d)")
_PHONE_GROUPED = re.compile(r"(?<![\w.,])\(?\d{1,6}\)?(?:[ ./-]{1,2}\(?\d{1,6}\)?){1,6}(?![\w,])")
_PHONE_TRUNK = re.compile(r"(?<![\w.,])0[1-9]\d{7,9}(?![\w.,]?\d)")
_YEAR = re.compile(r"(?:19|20)\d{2}")
_SECRETS = (
    re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY"),
    re.compile(r"(?<!\w)eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    re.compile(r"(?<!\w)(?:AKIA|ASIA)[0-9A-Z]{16}(?!\w)"),
    re.compile(r"(?<!\w)AIza[\w-]{30,}"),
    re.compile(r"(?<!\w)(?:sk|pk|rk)[-_][\w-]{16,}"),
    re.compile(r"(?<!\w)(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|npm_|hf_|pypi-)[\w-]{16,}"),
    re.compile(
        r"(?i)(?:password|passwd|pwd|secret|api[_-]?key|token)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?=\D{0,60}\d)[^\s\"'()]{8,}"
    ),
)
_URL_CREDENTIALS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^/\s:@]{1,80}:[^/\s@]{1,200}@", re.IGNORECASE)
_DENSE_TOKEN = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_DENSE_BITS = 4.2  # bits a character; English words joined by hyphens stay below, random base64 above

_MIN_PHONE_DIGITS, _MAX_PHONE_DIGITS = 9, 15  # the upper bound is E.164's
_MIN_IBAN, _MAX_IBAN = 15, 34  # ISO 13616


def scan_body(body: bytes) -> Findings:
    """Return what is found in the strings and numbers of a JSON body; a body that is no JSON is itself a finding."""
    try:
        content = json.loads(body)
    except ValueError:
        return Findings(counts={"unreadable-body": 1})
    found: Counter[str] = Counter()
    for text in _texts(content):
        found.update(scan_text(text))
    return Findings(counts=dict(found))


def scan_text(text: str) -> Counter[str]:
    """Count what looks private in a text, by type."""
    found: Counter[str] = Counter()
    rest = _plain(text)
    rest = _SURROGATE.sub(" \n ", rest)
    found["near-surrogate"] = len(_NEAR_SURROGATE.findall(rest))
    for kind, find in _FINDERS:
        # What one finder takes, no later one counts again.
        rest, hits = find(rest)
        found[kind] = found[kind] + hits
    return +found


def _texts(content: object) -> Iterator[str]:
    """Every string and number of a JSON value, keys included."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():  # pyright: ignore[reportUnknownVariableType] - any JSON value
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:  # pyright: ignore[reportUnknownVariableType] - any JSON value
            yield from _texts(value)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield str(content)


def _plain(text: str) -> str:
    """Fold look-alike characters (NFKC), all dashes and blanks to one each, and drop invisible characters."""
    folded: list[str] = []
    for char in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(char)
        if category == "Cf":
            continue
        if category == "Pd":
            folded.append("-")
        elif category == "Zs":
            folded.append(" ")
        elif category == "Nd":
            folded.append(str(unicodedata.decimal(char)))
        else:
            folded.append(char)
    return "".join(folded)


Finder = Callable[[str], tuple[str, int]]


def _finder(pattern: re.Pattern[str], confirm: Callable[[str], bool] = lambda _: True) -> Finder:
    """Return a function that blanks the confirmed matches of a pattern and counts them."""

    def find(text: str) -> tuple[str, int]:
        hits = 0

        def blank(match: re.Match[str]) -> str:
            nonlocal hits
            if not confirm(match.group()):
                return match.group()
            hits += 1
            return " \n "

        return pattern.sub(blank, text), hits

    return find


def _is_card(match: str) -> bool:
    return luhn_holds(_digits(match))


def _is_iban(match: str) -> bool:
    """Try each end at a word's border: the pattern runs on into the words that follow."""
    parts = re.split(r"[ -]", match.upper())
    heads = ("".join(parts[:count]) for count in range(1, len(parts) + 1))
    return any(_MIN_IBAN <= len(head) <= _MAX_IBAN and iban_holds(head) for head in heads)


def _is_ip(match: str) -> bool:
    try:
        address = ipaddress.ip_address(match)
    except ValueError:
        return False
    groups = [group for group in match.split(":") if group]
    if address.version == 6 and (len(groups) < 4 and len(groups[0]) < 3 or not re.search(r"\d", match)):  # noqa: PLR2004 - a::b is code, not an address
        return False
    return not (address.is_loopback or address.is_unspecified)


def _is_phone(match: str) -> bool:
    groups = re.findall(r"\d+", match)
    if not _MIN_PHONE_DIGITS <= sum(map(len, groups)) <= _MAX_PHONE_DIGITS:
        return False
    if all(_YEAR.fullmatch(group) for group in groups) or re.fullmatch(r"\d+\.\d+", match):
        return False
    return all(len(group) > 1 for group in groups[1:])


def _is_dense(match: str) -> bool:
    """Tell a random token from a long name: all three kinds of characters, and high Shannon entropy."""
    if not all(re.search(kind, match) for kind in ("[A-Z]", "[a-z]", "[0-9]")):
        return False
    shares = [count / len(match) for count in Counter(match).values()]
    return -sum(share * math.log2(share) for share in shares) >= _DENSE_BITS


def _digits(match: str) -> str:
    return re.sub(r"\D", "", match)


def _dates_blanked(text: str) -> tuple[str, int]:
    """Take dates out of the way of the phone finders, and count none: a date alone is not a finding."""
    return _DATE.sub(" \n ", text), 0


_FINDERS: tuple[tuple[str, Finder], ...] = (
    *(("secret", _finder(pattern)) for pattern in _SECRETS),
    ("url-credentials", _finder(_URL_CREDENTIALS)),
    ("email", _finder(_EMAIL)),
    ("secret", _finder(_DENSE_TOKEN, _is_dense)),
    ("iban", _finder(_IBAN, _is_iban)),
    ("card", _finder(_CARD, _is_card)),
    ("ssn", _finder(_SSN)),
    ("ip", _finder(_IPV4, _is_ip)),
    ("ip", _finder(_IPV6, _is_ip)),
    ("date", _dates_blanked),
    ("phone", _finder(_PHONE_WITH_PREFIX)),
    ("phone", _finder(_PHONE_GROUPED, _is_phone)),
    ("phone", _finder(_PHONE_TRUNK)),
)
