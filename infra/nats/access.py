"""The accounts and users of a nats-server's configuration, written from the topology: who gets in, and may do what."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hybridmesh.bus.borders import PROVISIONERS, crossings, inbox_of, is_enclosed, told
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.seats import Seat, bound_seats, seat_of
from hybridmesh.bus.tls import is_here
from hybridmesh.bus.topology import TOPOLOGY, Account, Row
from hybridmesh.infra.nats.permissions import API, Permissions, permissions_of

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
MAX_FILE_BYTES = 8 * 1024**3
_ANSWER_WITHIN = "5m"  # how long after a request its one reply may go out


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """Where a server listens and keeps its streams, and its certificates; ``tls_ca`` asks each client for one.

    ``cluster`` is where it listens to the other servers of a cluster, in which its ``name`` is its own; ``routes`` are
    URLs of some of them. ``clear_text`` says that the network is the mesh's own: without certificates a server listens
    on this machine alone otherwise.
    """

    listen: str
    store: Path
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None
    name: str = "hybridmesh"
    cluster: str | None = None
    routes: tuple[str, ...] = ()
    clear_text: bool = False


@dataclass(frozen=True, slots=True, order=True)
class _Share:
    """A subject that one account lets another use: a service is published to, a stream is heard."""

    kind: Literal["service", "stream"]
    home: Account
    subject: str

    def exported(self, guests: Iterable[str]) -> str:
        # What asks for messages of a consumer is answered by as many as it asks for.
        many = ", response_type: stream" if self.subject == API else ""
        return f"      {{ {self.kind}: {_quoted(self.subject)}{many}, accounts: [{', '.join(guests)}] }}"

    @property
    def imported(self) -> str:
        return f"      {{ {self.kind}: {{ account: {self.home}, subject: {_quoted(self.subject)} }} }}"


def server_config(place: ServerPlace) -> str:
    """Return a nats.conf without its accounts, with the guarantees that the mesh relies on.

    Raises:
        UsageError: somebody on the network could listen, or join as a server.

    """
    if not place.clear_text:
        _check_network(place)
    lines = [
        f"server_name: {_quoted(place.name)}",
        f"listen: {_quoted(place.listen)}",
        f"max_payload: {MAX_PAYLOAD_BYTES}",
        # A message is acknowledged when the disk has it: what was accepted survives a power cut.
        f"jetstream {{ store_dir: {_quoted(str(place.store))}, max_file: {MAX_FILE_BYTES}, sync_interval: always }}",
    ]
    tls = _tls(place)
    if place.cluster is not None:
        between = f", {tls}" if place.tls_ca is not None else ""
        routes = f"routes: {_list(place.routes)}"
        lines.append(f"cluster {{ name: hybridmesh, listen: {_quoted(place.cluster)}, {routes}{between} }}")
    return "\n".join([*lines, tls, ""])


def _check_network(place: ServerPlace) -> None:
    if place.tls_cert is None and not is_here(place.listen):
        raise UsageError(
            "the server would be spoken to in the clear from other machines",
            remedy="give --tls-cert, --tls-key and --tls-ca, or set bus.clear_text where the network is your own",
        )
    # A server that joins hears everything, whatever keys clients need: only certificates keep strangers out.
    if place.tls_ca is None and place.cluster is not None and not is_here(place.cluster):
        raise UsageError(
            "any server could join the cluster, past all accounts",
            remedy="give --tls-ca beside --tls-cert and --tls-key, or set bus.clear_text where the network is your own",
        )


def _tls(place: ServerPlace) -> str:
    if place.tls_cert is None:
        return ""
    files = {"cert_file": place.tls_cert, "key_file": place.tls_key, "ca_file": place.tls_ca}
    named = ", ".join(f"{name}: {_quoted(str(path))}" for name, path in files.items() if path is not None)
    return f'tls {{ {named}, verify: {str(place.tls_ca is not None).lower()}, min_version: "1.3" }}'


def accounts_block(users: Mapping[str, str]) -> str:
    """Return the ``accounts`` of a nats.conf; ``users`` is the public nkey of each identity, tenants' among them.

    Raises:
        KeyError: an identity of the topology has no key.

    """
    rooms = {row.agent.upper(): _seats(row, users) for row in TOPOLOGY if is_enclosed(row)}
    shares: dict[str, tuple[_Share, ...]] = {name: _imported(seats) for name, seats in rooms.items()}
    away = Account.LOCAL
    shares[Account.CLOUD] = (
        *(_Share("service", away, subject) for subject in crossings(away)),
        *(_Share("stream", away, subject) for subject in told(away)),
    )
    homes = (_home(account, users, shares) for account in Account)
    return (
        "accounts {\n" + "".join([*homes, *(_room(name, rooms[name], shares[name], users) for name in rooms)]) + "}\n"
    )


def _seats(row: Row, users: Iterable[str]) -> tuple[Seat, ...]:
    bound = (seat_of(name) for name in bound_seats(users))
    return (seat_of(row.agent), *(seat for seat in bound if seat.row is row))


def _imported(seats: Iterable[Seat]) -> tuple[_Share, ...]:
    """Return what an enclosed account imports: what its identities may publish and hear.

    JetStream's interface comes whole, as a server takes it from another account in no other way; the identities'
    permissions name their exact subjects. Inboxes are at home in it, but for news of a stream, which are sent there.
    """
    outward = crossings(Account.CLOUD)
    shares: set[_Share] = set()
    for seat in seats:
        permissions = permissions_of(seat)
        for subject in permissions.publish:
            home = Account.CLOUD if subject in outward else Account.LOCAL
            shares.add(_Share("service", home, API if subject.startswith(API.rstrip(">")) else subject))
        for subject in permissions.subscribe:
            if seat.row.follows or not subject.startswith(inbox_of(seat.name)):
                shares.add(_Share("stream", Account.LOCAL, subject))
    return tuple(sorted(shares))


def _home(account: Account, users: Mapping[str, str], shares: Mapping[str, Sequence[_Share]]) -> str:
    """Return an account that has streams: what it exports to whom, what it imports, and who is in it."""
    guests: dict[_Share, list[str]] = {}
    for guest, wanted in shares.items():
        for share in wanted:
            if share.home is account:
                guests.setdefault(share, []).append(guest)
    lines = [f"  {account}: {{", "    jetstream: enabled", "    exports: ["]
    lines += [share.exported(names) for share, names in sorted(guests.items())]
    lines += [
        "    ]",
        "    imports: [",
        *(share.imported for share in shares.get(account, ())),
        "    ]",
        "    users: [",
    ]
    lines += [f"      {{ nkey: {users[name]} }} # {name}" for name, home in PROVISIONERS.items() if home is account]
    for row in TOPOLOGY:
        if row.account is account and not is_enclosed(row):
            lines += _user(row.agent, users[row.agent], permissions_of(seat_of(row.agent)))
    return "\n".join([*lines, "    ]", "  }", ""])


def _room(name: str, seats: Iterable[Seat], shares: Iterable[_Share], users: Mapping[str, str]) -> str:
    """Return an account without streams of its own, where the identities of one row are."""
    lines = [f"  {name}: {{", "    imports: [", *(share.imported for share in shares), "    ]", "    users: ["]
    for seat in seats:
        lines += _user(seat.name, users[seat.name], permissions_of(seat))
    return "\n".join([*lines, "    ]", "  }", ""])


def _user(name: str, nkey: str, permissions: Permissions) -> Iterable[str]:
    yield f"      {{ # {name}"
    yield f"        nkey: {nkey}"
    yield "        permissions {"
    yield f"          publish {{ allow: {_list(permissions.publish)} }}"
    yield f"          subscribe {{ allow: {_list(permissions.subscribe)} }}"
    if permissions.responds:
        yield f"          allow_responses {{ max: 1, expires: {_quoted(_ANSWER_WITHIN)} }}"
    yield "        }"
    yield "      }"


def _list(subjects: Iterable[str]) -> str:
    return "[" + ", ".join(map(_quoted, subjects)) + "]"


def _quoted(text: str) -> str:
    return json.dumps(text)
