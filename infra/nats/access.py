"""The accounts and users of a nats-server's configuration, written from the topology: who gets in, and may do what."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hybridmesh.bus.borders import PROVISIONERS, crossings, told
from hybridmesh.bus.seats import bound_seats, seat_of
from hybridmesh.bus.topology import TOPOLOGY, Account
from hybridmesh.infra.nats.permissions import Permissions, permissions_of

MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
MAX_FILE_BYTES = 8 * 1024**3
_ANSWER_WITHIN = "5m"  # how long after a request its one reply may go out


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """Where a server listens and keeps its streams, and its certificates; ``tls_ca`` asks each client for one.

    ``cluster`` is where it listens to the other servers of a cluster, in which its ``name`` is its own; ``routes`` are
    URLs of some of them.
    """

    listen: str
    store: Path
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None
    name: str = "hybridmesh"
    cluster: str | None = None
    routes: tuple[str, ...] = ()


def server_config(place: ServerPlace) -> str:
    """Return a nats.conf without its accounts, with the guarantees that the mesh relies on."""
    lines = [
        f"server_name: {_quoted(place.name)}",
        f"listen: {_quoted(place.listen)}",
        f"max_payload: {MAX_PAYLOAD_BYTES}",
        # A message is acknowledged when the disk has it: what was accepted survives a power cut.
        f"jetstream {{ store_dir: {_quoted(str(place.store))}, max_file: {MAX_FILE_BYTES}, sync_interval: always }}",
    ]
    if place.cluster is not None:
        lines.append(f"cluster {{ name: hybridmesh, listen: {_quoted(place.cluster)}, routes: {_list(place.routes)} }}")
    if place.tls_cert is not None:
        files = {"cert_file": place.tls_cert, "key_file": place.tls_key, "ca_file": place.tls_ca}
        named = ", ".join(f"{name}: {_quoted(str(path))}" for name, path in files.items() if path is not None)
        lines.append(f'tls {{ {named}, verify: {str(place.tls_ca is not None).lower()}, min_version: "1.3" }}')
    return "\n".join([*lines, ""])


def accounts_block(users: Mapping[str, str]) -> str:
    """Return the ``accounts`` of a nats.conf; ``users`` is the public nkey of each identity, tenants' among them.

    Raises:
        KeyError: an identity of the topology has no key.

    """
    return "accounts {\n" + "".join(_account(account, users) for account in Account) + "}\n"


def _account(account: Account, users: Mapping[str, str]) -> str:
    other = Account.CLOUD if account is Account.LOCAL else Account.LOCAL
    lines = [f"  {account}: {{", "    jetstream: enabled", "    exports: ["]
    lines += [f"      {{ service: {_quoted(subject)}, accounts: [{other}] }}" for subject in crossings(account)]
    lines += [f"      {{ stream: {_quoted(subject)}, accounts: [{other}] }}" for subject in told(account)]
    lines += ["    ]", "    imports: ["]
    lines += [
        f"      {{ {kind}: {{ account: {other}, subject: {_quoted(subject)} }} }}"
        for kind, subjects in (("service", crossings(other)), ("stream", told(other)))
        for subject in subjects
    ]
    lines += ["    ]", "    users: ["]
    lines += [f"      {{ nkey: {users[name]} }} # {name}" for name, home in PROVISIONERS.items() if home is account]
    for row in TOPOLOGY:
        if row.account is account:
            lines += _user(row.agent, users[row.agent], permissions_of(seat_of(row.agent)))
    for name in bound_seats(users):
        if (seat := seat_of(name)).row.account is account:
            lines += _user(name, users[name], permissions_of(seat))
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
