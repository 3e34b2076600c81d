"""Addresses of machines: IPv4, IPv6, MAC, and URLs that carry credentials or a person's token."""

import ipaddress
import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED, PatternRecognizer, words
from hybridmesh.schemas.privacy import Span

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_MAC = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}(?P<sep>[:-]))(?:[0-9A-Fa-f]{2}(?P=sep)){4}[0-9A-Fa-f]{2}(?![\w:-])")
_URL_LOGIN = re.compile(
    r"(?<!\w)[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,128}:[^\s/@]{1,256}@[^\s\"'<>)]{1,2048}", re.IGNORECASE
)
_URL_TOKEN = re.compile(
    r"(?<!\w)https?://[^\s\"'<>)]{1,2048}[?&#](?:[\w-]*(?:token|key|secret|signature|sig|password|pwd|auth|session|code|email|user))"
    r"=[^\s\"'<>)]{4,2048}",
    re.IGNORECASE,
)
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
    HostRecognizer(),
    PatternRecognizer("IP_ADDRESS", _IPV6, check=_is_ipv6),
    PatternRecognizer("MAC_ADDRESS", _MAC),
    PatternRecognizer("URL", _URL_LOGIN),
    PatternRecognizer("URL", _URL_TOKEN),
)
