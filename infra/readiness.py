"""Whether somebody does an agent's work, by what its replicas say of themselves on the bus. Pure."""

from collections.abc import Collection

from hybridmesh.bus.presence import Presence
from hybridmesh.bus.topology import Ask, row_of

_NOBODY = "no replica is there; one that still loads its models is not there yet"


def problem_of(agent: str, present: Collection[Presence]) -> str | None:
    """Return why nobody does an agent's work, or None; who answers for models has to have one for each purpose."""
    replicas = [it for it in present if it.agent == agent]
    if not replicas:
        return _NOBODY
    if Ask.COMPLETE not in row_of(agent).answers:
        return None
    answered = [{purpose for load in it.loads for purpose in load.purposes} for it in replicas]
    return None if any({"check", "draft"} <= purposes for purposes in answered) else "its models are not loaded"
