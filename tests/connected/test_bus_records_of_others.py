"""Who may write which records: each identity those that it changes by its work, and none that it only reads."""

import pytest

from bus_surface import NAMES, refusals
from guarded_bus import Guarded
from hybridmesh.bus.topology import Bucket, bucket_subject

# What an identity has written a record of in its handlers, its commands or its upkeep.
WRITES = {
    "decomposer": {Bucket.TASKS},
    "classifier": {Bucket.VAULT},
    "router": {Bucket.PARKED, Bucket.APPROVALS, Bucket.BUDGETS},
    "worker": {Bucket.BUDGETS},
    "consultant": {Bucket.CALLS},
    "publisher": {Bucket.POLICY, Bucket.VAULT},
}


@pytest.mark.parametrize("name", NAMES)
async def test_an_identity_puts_no_older_record_back_that_it_only_reads(guarded: Guarded, name: str) -> None:
    """No one gets in: a spend, an approval, a decision or an ended task is not turned back by who may see it."""
    client = await guarded.connect(name)
    for bucket in Bucket:
        await client.publish(bucket_subject(bucket, "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11"), b"{}")
    wanted = {bucket_subject(bucket, "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11").lower() for bucket in Bucket}
    mine = {bucket_subject(bucket, "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11").lower() for bucket in WRITES.get(name, ())}
    assert await refusals(guarded, name, client) == wanted - mine
