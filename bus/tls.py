"""TLS to the bus: the server is checked against the mesh's own authority, and the client shows a certificate to it."""

import ssl
from urllib.parse import urlsplit

from hybridmesh.bus.errors import SetupError, UsageError
from hybridmesh.bus.settings import BusSettings

_SCHEMES = frozenset({"nats", "tls"})  # not ws: nats-py would leave out the TLS that a server asks for there
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def is_here(address: str) -> bool:
    """Say whether ``host:port`` is on this machine alone."""
    return urlsplit(f"//{address}").hostname in _HERE


def make_context(settings: BusSettings) -> ssl.SSLContext | None:
    """Return how to speak TLS, or None where the settings name no authority.

    Raises:
        SetupError: a file that the settings name cannot be read.

    """
    if settings.tls_ca is None:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if settings.tls_cert is not None:
            context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(
            f"the bus's certificates cannot be read: {type(error).__name__}",
            remedy="see bus.tls_ca, bus.tls_cert and bus.tls_key: PEM files that this process may read",
        ) from error
    return context


def certificate_problem(error: ssl.SSLError) -> str | None:
    """Say what is wrong with a certificate, and what to set, where a handshake broke over one."""
    reason = error.reason or ""
    if "VERIFY_FAILED" in reason:
        return "the server's certificate is not by an authority that is known here: set bus.tls_ca to its own"
    if "ALERT" in reason and ("CERT" in reason or "UNKNOWN_CA" in reason):
        return "the server asks for a certificate of its own authority: set bus.tls_cert and bus.tls_key to such a one"
    return None


def servers_of(url: str, settings: BusSettings) -> list[str]:
    """Return the servers that a URL, or several with commas between, names: those of one cluster.

    Raises:
        UsageError: one is on another machine and would be spoken to in the clear, or is no address of NATS itself.

    """
    servers = [part.strip() for part in url.split(",")]
    try:
        places = [urlsplit(server) for server in servers]
        known = all(place.scheme in _SCHEMES and place.hostname and place.port != 0 for place in places)
    except ValueError:  # brackets that do not close, a port that is no number
        places, known = [], False
    if not known:
        raise UsageError("that is no address of a bus", remedy="give one as nats://host:port or tls://host:port")
    hosts = {place.hostname for place in places}
    if settings.tls_ca is None and not settings.clear_text and not hosts <= _HERE:
        raise UsageError(
            "the bus is on another machine and would be spoken to in the clear",
            remedy="set bus.tls_ca (and bus.tls_cert, bus.tls_key), or bus.clear_text where the network is your own",
        )
    return servers
