"""The label of a step: the highest of what was found in it and of what its inputs carried."""

from hybridmesh.schemas.privacy import Findings, Sensitivity

_SECRET = frozenset({"SECRET"})
_INTERNAL = frozenset({"TERM", "ORGANISATION", "LOCATION", "TEXT"})


def label_of(findings: Findings, floor: Sensitivity) -> Sensitivity:
    """Return the label: secrets are SECRET, places, organisations and own terms INTERNAL, all else PERSONAL.

    Never below ``floor``, the highest label of the inputs.
    """
    return max((floor, *(_level(kind) for kind, number in findings.counts.items() if number > 0)))


def label_in_doubt(floor: Sensitivity) -> Sensitivity:
    """Return the label of a text that could not be read to its end: the highest, as nothing is known of it."""
    return max(floor, Sensitivity.SECRET)


def _level(kind: str) -> Sensitivity:
    if kind in _SECRET:
        return Sensitivity.SECRET
    return Sensitivity.INTERNAL if kind in _INTERNAL else Sensitivity.PERSONAL
