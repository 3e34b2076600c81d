"""All that the demo shows at its end, as one value."""

from dataclasses import dataclass
from decimal import Decimal

from hybridmesh.infra.audit_check import Verification
from hybridmesh.infra.demo.outcome import Outcome, Privacy
from hybridmesh.infra.simulation import CloudChoice


@dataclass(frozen=True, slots=True)
class Summary:
    """``bodies`` are the requests that left, as the far end recorded them; ``privacy`` only for the shipped tickets."""

    outcomes: tuple[Outcome, ...]
    bodies: tuple[str, ...]
    privacy: Privacy | None
    verification: Verification
    cloud: CloudChoice
    cloud_words: str
    set_up_s: float
    run_s: float
    peak_bytes: int

    @property
    def spent(self) -> Decimal:
        """What all cloud calls cost, in USD."""
        return sum((outcome.spent for outcome in self.outcomes), Decimal(0))

    @property
    def all_cloud(self) -> Decimal:
        """What sending every step would have cost, in USD."""
        return sum((outcome.all_cloud for outcome in self.outcomes), Decimal(0))
