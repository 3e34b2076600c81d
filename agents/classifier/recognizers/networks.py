"""Addresses of machines: IPv4, IPv6, MAC, and URLs that carry credentials or a person's token."""

import ipaddress
import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.recognizers.recognizer import DIGIT, SHAPED, Gated, Hinted, PatternRecognizer, words
from hybridmesh.schemas.privacy import Span

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_MAC = re.compile(
    r"(?<![\w:-])(?:[0-9A-Fa-f]{2}(?P<sep>[:-]))(?:[0-9A-Fa-f]{2}(?P=sep)){4}[0-9A-Fa-f]{2}(?![\w:-])"
    r"|(?<![\w.])(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}(?![\w.])"  # as Cisco writes it
)
_URL_LOGIN = re.compile(  # also a key alone: "https://1f0c…@ingest.example"
    r"(?<!\w)[a-z][a-z0-9+.-]{1,20}://(?:[^\s/:@]{1,128}:[^\s/@]{1,256}|(?=[^\s/:@]{0,127}\d)[\w-]{20,128})@[^\s\"'<>)]{1,2048}",
    re.IGNORECASE,
)
_URL_TOKEN = re.compile(
    r"(?<!\w)https?://[^\s\"'<>)]{1,2048}[?&#](?:[\w-]*(?:token|key|secret|signature|sig|password|pwd|auth|session|code|email|user))"
    r"=[^\s\"'<>)]{4,2048}",
    re.IGNORECASE,
)
_PERSONAL_SITE = re.compile(
    r"(?<!\w)(?:https?://)?(?:[a-z]{2,3}\.|www\.)?(?:linkedin\.com/in/|facebook\.com/|instagram\.com/|t\.me/|x\.com/"
    r"|twitter\.com/|xing\.com/profile/|tiktok\.com/@|wa\.me/|calendly\.com/|paypal\.me/)[\w.%@+-]{2,64}",
    re.IGNORECASE,
)
_ANY_URL = re.compile(
    r"(?<![\w@])(?:https?://|www\.)(?:[\w-]{1,63}\.){1,6}[a-z]{2,24}(?::\d{1,5})?(?:/[^\s\"'<>)\]]{0,512})?(?<![.,;:!?])",
    re.IGNORECASE,
)
# A site that is somebody's own, or a file that is shared by whoever knows its address.
_OWN_SITE = words(
    r"(?:my|our|his|her|their|meine?|unsere?|ihre?|mon|ma|notre|mi|nuestr[oa]|mio|mia|mijn|onze|ons|moja|nasza)"
    r" (?:\w+ ){0,2}(?:web ?site|site|home ?page|blog|profile?|portfolio|shop|store|web ?seite|seite|p[aá]gina|sito"
    r"|pagina|page|strona)\b",
    r"shar(?:ed|ing)\b", r"geteilt", r"freigegeben", r"partag[eé]", r"compartid", r"condivis", r"gedeeld",
)  # fmt: skip
_VERSION = words(r"version\W{0,3}$", r"v\.? ?$", r"release\W{0,3}$", r"build\W{0,3}$", r"firmware\W{0,3}$")


def _is_host(value: str) -> bool:
    """Say whether an IPv4 address names a host: not a mask, and not 0.0.0.0."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return False
    return not address.is_unspecified and not value.startswith("255.")


def _is_ipv6(value: str) -> bool:
    """Say whether an IPv6 address holds at least two groups, so that ``::`` in code and clock times do not count."""
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return sum(bool(group) for group in value.split(":")) >= 2  # noqa: PLR2004


class HostRecognizer:
    """IPv4 addresses, unless a word before them says that they are a version."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the addresses of hosts."""
        for match in _IPV4.finditer(text):
            if _is_host(match.group()) and not _VERSION.search(text[max(0, match.start() - 12) : match.start()]):
                yield Span(start=match.start(), end=match.end(), type="IP_ADDRESS", score=0.95, source=SHAPED)


RECOGNIZERS = (
    Gated(DIGIT, (HostRecognizer(),)),
    PatternRecognizer("IP_ADDRESS", _IPV6, check=_is_ipv6),
    PatternRecognizer("MAC_ADDRESS", _MAC),
    Hinted(("://",), (PatternRecognizer("URL", _URL_LOGIN), PatternRecognizer("URL", _URL_TOKEN))),
    Hinted(("com/", ".me/"), (PatternRecognizer("URL", _PERSONAL_SITE),)),
    Hinted(("://", "www."), (PatternRecognizer("URL", _ANY_URL, context=_OWN_SITE, score=0.8),)),
)
