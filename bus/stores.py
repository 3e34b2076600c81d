"""The part of the table that is no message: the accounts, the buckets of state, and the store of large bodies."""

from collections.abc import Mapping
from enum import StrEnum


class Account(StrEnum):
    """The two zones of trust: everything private, and the one process with a way out."""

    LOCAL = "LOCAL"
    CLOUD = "CLOUD"


class Bucket(StrEnum):
    """Key-value buckets: TASKS is the decomposer's, PARKED the router's, CALLS the consultant's, and so on.

    BEGUN holds each agent's notes of messages that may be what ends its process.
    """

    TASKS = "tasks"
    PARKED = "parked"
    VAULT = "vault"
    BUDGETS = "budgets"
    APPROVALS = "approvals"
    POLICY = "policy"
    AGENTS = "agents"
    CALLS = "calls"
    BEGUN = "begun"


DAY_S = 86_400.0
# How long a record outlives its last change. A record of the vault carries an expiry of its own; policies stay.
BUCKET_AGES_S: Mapping[Bucket, float] = {
    Bucket.TASKS: 30 * DAY_S,
    Bucket.PARKED: 30 * DAY_S,
    Bucket.APPROVALS: 30 * DAY_S,
    Bucket.BUDGETS: 400 * DAY_S,
    Bucket.AGENTS: 20.0,  # so long a killed process counts as there: four beats, as one may be lost in a time-out
    Bucket.CALLS: 7 * DAY_S,
    Bucket.BEGUN: 7 * DAY_S,
}


# Where an agent has keys of its own alone: who may write one key could empty the bucket by a header, if it had such.
BUCKETS_IN_PARTS = frozenset({Bucket.AGENTS, Bucket.BEGUN})


def account_of(bucket: Bucket) -> Account:
    """Return where a bucket is: what is known of calls is the consultant's own."""
    return Account.CLOUD if bucket is Bucket.CALLS else Account.LOCAL


def bucket_stream(bucket: Bucket) -> str:
    """Return the stream behind a bucket."""
    return f"KV_{bucket}"


def bucket_subject(bucket: Bucket, key: str) -> str:
    """Return the subject of a bucket's record; a key may be a wildcard."""
    return f"$KV.{bucket}.{key}"


BODIES = "bodies"  # the object store for bodies too large for a message
BODIES_STREAM = f"OBJ_{BODIES}"
BODIES_AGE_S = 30 * DAY_S


def body_subject(encoded_name: str) -> str:
    """Return where it stands that a body is stored, by its name in URL-safe base 64; it may be a wildcard."""
    return f"$O.{BODIES}.M.{encoded_name}"


def chunk_subject(nuid: str) -> str:
    """Return where the pieces of a stored body are."""
    return f"$O.{BODIES}.C.{nuid}"
