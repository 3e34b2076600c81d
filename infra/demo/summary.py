"""All that the demo shows at its end, as one value."""

from dataclasses import dataclass

from hybridmesh.infra.audit_log import Verification
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
