"""The speed check: the time to the deadline against what each lane is expected to take."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hybridmesh.schemas.inference import ModelLoad
from hybridmesh.schemas.routing import Check


@dataclass(frozen=True, slots=True)
class Latencies:
    """What a lane takes, in seconds and tokens a second.

    The defaults for the local lane were measured with the 0.5B model on two cores: 225 tokens/s read, 40 written.
    ``overhead_s`` is what the other agents add to either lane, ``waiting_s`` what has to be done before at home.
    """

    overhead_s: float = 1.0
    waiting_s: float = 0.0
    local_read: float = 225.0
    local_write: float = 40.0
    cloud_first_s: float = 2.0
    cloud_write: float = 60.0

    def local_s(self, tokens_in: int, tokens_out: int) -> float:
        """Return the expected seconds of the local lane."""
        return self.overhead_s + self.waiting_s + tokens_in / self.local_read + tokens_out / self.local_write

    def cloud_s(self, tokens_out: int) -> float:
        """Return the expected seconds of a cloud call and what stands around it."""
        return self.overhead_s + self.cloud_first_s + tokens_out / self.cloud_write


def latencies_of(loads: Sequence[ModelLoad]) -> Latencies:
    """Return what the lanes take, with the models of all workers as they are now.

    A step goes to the first worker that is free, so it is judged by the least busy one. Who writes beside others gets
    an equal part of what the model writes.
    """
    usual = Latencies()
    if not loads:
        return usual
    least = min(loads, key=lambda load: load.waiting + load.running)
    at_once = max(1, least.running)
    return replace(
        usual,
        waiting_s=least.waiting / at_once * least.latency_s,
        local_read=least.read_tokens_s or usual.local_read,
        local_write=(least.write_tokens_s or usual.local_write) / at_once,
    )


def check_speed(local_s: float, cloud_s: float, deadline: datetime | None, now: datetime) -> Check:
    """Judge which lane arrives in time; score and threshold are seconds: the local lane's, and those that are left.

    It binds when only the local lane arrives: a call that comes back too late is paid for and of no use.
    """
    if deadline is None:
        return Check(name="speed", score=local_s, threshold=0.0, favours="either", reason="there is no deadline")
    left = (deadline - now).total_seconds()
    local_fits, cloud_fits = local_s <= left, cloud_s <= left
    binding = False
    if local_fits and cloud_fits:
        favours, reason = "either", "both lanes arrive before the deadline"
    elif local_fits:
        favours, reason, binding = "local", "the cloud would answer after the deadline", True
    elif cloud_fits:
        favours, reason = "cloud", "the local model would take longer than the deadline allows"
    else:
        favours = "cloud" if cloud_s < local_s else "local"
        reason = f"neither lane is sure to be in time; {favours} is faster"
    return Check(name="speed", score=local_s, threshold=left, favours=favours, binding=binding, reason=reason)
