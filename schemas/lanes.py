"""In which lane a submission waits: what keeps one tenant's, or one profile's, flood from standing before all others.

Stochastic fairness queueing (McKenney, 1990), in one respect narrower: a tenant decides where its lanes begin and a
profile, which may be any text, only which of the tenant's few it is.
"""

from collections.abc import Collection, Iterable
from zlib import crc32

LANES = 16
OF_A_TENANT = 4  # so many lanes can one tenant fill, whatever names of profiles it makes up


def lane_of(tenant: str, profile: str) -> int:
    """Return the lane, from 0 to 15: anybody can tell it, in any language, and who does not is refused."""
    begins, further = crc32(tenant.encode()), crc32(profile.encode("utf-8", "surrogatepass")) % OF_A_TENANT
    return (begins + further) % LANES


def in_turn(last: int, ready: Collection[int], lanes: int, most: int) -> Iterable[int]:
    """Return which lanes that have something are served now: one each, going round from behind the ``last`` one."""
    return sorted(ready, key=lambda lane: (lane - last - 1) % lanes)[:most]
