"""The accounts and users of a nats-server's configuration, written from the topology: who gets in, and may do what."""

import json
from collections.abc import Iterable, Mapping

from hybridmesh.bus.permissions import PROVISIONERS, Permissions, crossings, permissions_of, told
from hybridmesh.bus.topology import TOPOLOGY, Account

_ANSWER_WITHIN = "5m"  # how long after a request its one reply may go out


def accounts_block(users: Mapping[str, str]) -> str:
    """Return the ``accounts`` of a nats.conf; ``users`` is the public nkey of each identity.

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
            lines += _user(row.agent, users[row.agent], permissions_of(row))
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
