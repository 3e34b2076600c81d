"""Finders of values that have a form of their own, each of which blanks what it finds and counts it; pure.

They are strict on purpose: a false alarm costs a local answer, a miss cannot be called back.
"""

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator

from hybridmesh.agents.consultant.checksums import iban_holds, luhn_holds
from hybridmesh.agents.consultant.dictated import find_dictated

Finder = Callable[[str], tuple[str, int]]

GAP = " \n "  # what a match is replaced by: no pattern reaches across it

_EMAIL = re.compile(r"[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_CARD = re.compile(r"(?<!\d)\d(?:[ .-]?\d){12,60}(?!\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_SSN = re.compile(r"(?<![\d-])\d{3}([- ])\d{2}\1\d{4}(?![\d-])")
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f]{1,4}(?::{1,2}[0-9A-Fa-f]{1,4}){1,7}(?:::)?(?![\w:])")
_HARMLESS = re.compile(  # dates, times and amounts with decimals, which the number finders would stumble over
    r"(?<![\d.-])(?:\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
    r"|\d{1,2}([./-])\d{1,2}\1\d{4}|\d{1,6}\.\d{1,2})(?![.-]?\d)"
)
_PHONE_WITH_PREFIX = re.compile(r"(?<![\d+])(?:\+|00)[1-9](?:[ ./()-]{0,3}\d){7,14}(?!\d)")
# Digits that hang on capitals by a hyphen are a reference: INV-2026-10-4471.
_PHONE_GROUPED = re.compile(r"(?<!\d)(?<![A-Z]{2}-)\d{1,11}(?:(?:[ ./()-]{1,2}| / )\d{1,11}){1,30}(?!\d)")
_PHONE_TRUNK = re.compile(r"(?<![\d.,])0[1-9]\d{7,9}(?!\d)")
_YEAR = re.compile(r"(?:19|20)\d{2}")
_SECRETS = (
    re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY"),
    re.compile(r"(?<!\w)eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    re.compile(r"(?<!\w)(?:AKIA|ASIA)[0-9A-Z]{16}(?!\w)"),
    re.compile(r"(?<!\w)AIza[\w-]{30,}"),
    re.compile(r"(?<!\w)(?:sk|pk|rk)[-_][\w-]{16,}"),
    re.compile(r"(?<!\w)(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|npm_|hf_|pypi-)[\w-]{16,}"),
    re.compile(
        r"(?:password|passwd|pwd|secret|api[_-]?key|token)[\"']? {0,3}[:=] {0,3}"
        r"[\"']?(?=[^\s\"'()]{0,60}\d)[^\s\"'()]{8,}",
        re.IGNORECASE,
    ),
)
# What a browser is known by: any cookie of a header, and elsewhere those that are named as one.
_COOKIE_ATTRIBUTE = r"(?:path|domain|max-age|expires|samesite|secure|httponly|partitioned|lang|theme)"
_MADE = r"(?=[\w.+/%~:-]*\d|(?-i:\w{0,80}[a-z]\w{0,80}[A-Z]))[\w.+/%~:-]"  # by a machine
_COOKIES = (
    re.compile(
        r"(?<![\w-])(?:set-)?cookie[\"']? {0,3}[:=] {0,3}[\"']?(?:[\w.-]{1,64}=[^;\s]{0,200}; {0,3}){0,20}?"
        rf"(?!{_COOKIE_ATTRIBUTE}=)[\w.-]{{1,64}}={_MADE}{{8,}}",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<![A-Za-z])(?:[\w.-]{0,32}?sess(?:ion)?[_-]?(?:id|token|key)|(?:connect\.)?sid|(?:x-?)?[cx]srf[\w-]{0,20}"
        rf"|(?:remember|refresh|access|auth)[_-](?:me|token))[\"']? {{0,3}}[=:] {{0,3}}[\"']?{_MADE}{{12,}}",
        re.IGNORECASE,
    ),
)
_URL_CREDENTIALS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^/\s:@]{0,80}:[^/\s@]{1,200}@", re.IGNORECASE)
_DENSE_TOKEN = re.compile(r"[A-Za-z0-9+/_=-]{32,}")

_DENSE_BITS = 4.2  # bits a character: hyphenated words stay below, random base64 lies above
_CARD_DIGITS = (13, 19)  # ISO/IEC 7812-1
_PHONE_DIGITS = (9, 15)  # the upper bound is E.164's
_IBAN_CHARS = range(15, 35)  # ISO 13616
_FEW_GROUPS, _SHORT_GROUP = 4, 3


def _finder(pattern: re.Pattern[str], confirm: Callable[[str], bool] = lambda _: True) -> Finder:
    """Return a function that blanks the confirmed matches of a pattern and counts them."""

    def find(text: str) -> tuple[str, int]:
        hits = 0

        def blank(match: re.Match[str]) -> str:
            nonlocal hits
            if not confirm(match.group()):
                return match.group()
            hits += 1
            return GAP

        return pattern.sub(blank, text), hits

    return find


def _blank_harmless(text: str) -> tuple[str, int]:
    return _HARMLESS.sub(GAP, text), 0


def _runs(match: str, digits: tuple[int, int]) -> Iterator[list[str]]:
    """Every run of neighbouring groups with so many digits in all: a number may have others beside it."""
    groups: list[str] = re.findall(r"\d+", match)
    low, high = digits
    for first in range(len(groups)):
        length = 0
        for last in range(first, len(groups)):
            length += len(groups[last])
            if length > high:
                break
            if length >= low:
                yield groups[first : last + 1]


def _is_card(match: str) -> bool:
    """Major industry identifiers 2 to 6 (ISO/IEC 7812-1) are those of payment cards."""
    numbers = ("".join(run) for run in _runs(match, _CARD_DIGITS))
    return any(number[0] in "23456" and luhn_holds(number) for number in numbers)


def _is_iban(match: str) -> bool:
    """Try each end at a word's border: the pattern runs on into the words that follow."""
    parts = re.split(r"[ -]", match.upper())
    heads = ("".join(parts[:count]) for count in range(1, len(parts) + 1))
    return any(len(head) in _IBAN_CHARS and iban_holds(head) for head in heads)


def _is_ip(match: str) -> bool:
    """Leave out ``a::b``, which is code, and addresses that name no machine."""
    try:
        address = ipaddress.ip_address(match)
    except ValueError:
        return False
    groups = [group for group in match.split(":") if group]
    if address.version == 6:  # noqa: PLR2004 - the protocol's version
        short = len(groups) < _FEW_GROUPS and len(groups[0]) < _SHORT_GROUP
        if short or not re.search(r"\d", match):
            return False
    return not (address.is_loopback or address.is_unspecified)


def _is_phone(match: str) -> bool:
    return any(_is_dialled(run) for run in _runs(match, _PHONE_DIGITS))


def _is_dialled(groups: list[str]) -> bool:
    """People dial a number in groups; a single digit is a prefix, so it comes first, before at least two more."""
    if len(groups) == 1 or all(_YEAR.fullmatch(group) for group in groups):
        return False
    followers = groups[1:]
    return all(len(group) > 1 for group in followers) and (len(groups[0]) > 1 or len(followers) > 1)


def _is_dense(match: str) -> bool:
    """Tell a random token from a long name: all three kinds of characters, and high Shannon entropy."""
    if not all(re.search(kind, match) for kind in ("[A-Z]", "[a-z]", "[0-9]")):
        return False
    shares = [count / len(match) for count in Counter(match).values()]
    return -sum(share * math.log2(share) for share in shares) >= _DENSE_BITS


# In this order: what one finder takes, no later one sees.
FINDERS: tuple[tuple[str, Finder], ...] = (
    *(("secret", _finder(pattern)) for pattern in _SECRETS),
    *(("secret", _finder(pattern)) for pattern in _COOKIES),
    ("url-credentials", _finder(_URL_CREDENTIALS)),
    ("email", _finder(_EMAIL)),
    ("secret", _finder(_DENSE_TOKEN, _is_dense)),
    ("iban", _finder(_IBAN, _is_iban)),
    ("harmless", _blank_harmless),
    ("card", _finder(_CARD, _is_card)),
    ("ssn", _finder(_SSN)),
    ("ip", _finder(_IPV4, _is_ip)),
    ("ip", _finder(_IPV6, _is_ip)),
    ("phone", _finder(_PHONE_WITH_PREFIX)),
    ("phone", _finder(_PHONE_GROUPED, _is_phone)),
    ("phone", _finder(_PHONE_TRUNK)),
    ("dictated-number", find_dictated),
)
