"""Where a step runs and why: lanes, the four checks, and the decision that names them."""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from hybridmesh.schemas.message import Frozen


class Lane(StrEnum):
    """Where the reasoning of a step happens."""

    LOCAL = "local"
    REDACTED = "redacted"
    SPLIT = "split"
    HOLD = "hold"


class Check(Frozen):
    """One of the four checks: ``favours`` says which side it speaks for, ``binding`` that it cannot be outvoted."""

    name: Literal["security", "complexity", "cost", "speed"]
    score: float
    threshold: float
    favours: Literal["local", "cloud", "either"]
    binding: bool = False
    reason: str


class Decision(Frozen):
    """The router's decision for one attempt of a step, with what the other lane would have cost.

    ``policy_version`` counts the router's own rules; the organisation's terms have a version of theirs.
    """

    lane: Lane
    reason: str
    checks: tuple[Check, ...] = ()
    cost_usd: Decimal = Decimal(0)
    other_cost_usd: Decimal | None = None
    model: str = ""
    policy_version: int = 1
